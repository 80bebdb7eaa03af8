"""CPU time and memory of the processes of a system, by name; a broker counts with everything it started."""

import psutil  # type: ignore[import-untyped]

Figures = dict[str, float]


class Processes:
    """`names` maps what a process is called in the report to its pid, or to the pids that count as one."""

    def __init__(self, names: dict[str, list[int]]) -> None:
        self._processes = {name: [psutil.Process(pid) for pid in pids] for name, pids in names.items()}

    def __str__(self) -> str:
        return ", ".join(f"{name} {' '.join(str(p.pid) for p in roots)}" for name, roots in self._processes.items())

    def cpu(self) -> Figures:
        """CPU seconds, user and system, since each process began."""
        return {name: sum(map(_cpu, family(roots))) for name, roots in self._processes.items()}

    def rss(self) -> Figures:
        """Resident bytes now."""
        return {name: sum(map(_rss, family(roots))) for name, roots in self._processes.items()}


def machine_cpu() -> float:
    """CPU seconds that the whole machine has spent on anything, and that its host took from it, since it started."""
    times = psutil.cpu_times()._asdict()
    return float(sum(times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq", "steal")))


def family(roots: list[psutil.Process]) -> list[psutil.Process]:
    return [process for root in roots for process in (root, *root.children(recursive=True))]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # a broker's short-lived child
        return 0.0
    return float(times.user + times.system)


def _rss(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0.0
