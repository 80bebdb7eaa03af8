"""Open files: each station has one, and the system says how many a process may have."""

import resource

SPARE = 64  # files that a process needs besides


def raise_open_files(stations: int, processes: int) -> None:
    """Allow this process and its children as many open files as the system lets it; ValueError when that is too few."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    check(stations, processes, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def check(stations: int, processes: int, hard: int) -> None:
    """Whether the stations fit into `hard` open files a process. Raises ValueError with a sentence."""
    needed = -(-stations // processes) + SPARE
    if hard != resource.RLIM_INFINITY and needed > hard:
        enough = f" or use --processes {-(-stations // (hard - SPARE))}" if hard > SPARE else ""
        raise ValueError(
            f"load: {stations} stations in {processes} process(es) need {needed} open files each, and the system "
            f"allows {hard}: raise it (ulimit -Hn){enough}."
        )
