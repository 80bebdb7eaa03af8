"""The pytest plugin: the fixture `charging_station` makes emulated stations for the tests of a central system.

Needs no particular async plugin, and imports nothing of the emulator until a test asks for a station.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from csms_emulator.testing import Station

URL = "CSMS_TEST_URL"
_MOST_TOLD = 100
_made = pytest.StashKey[list["Station"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the central system is, unless a test says so itself."""
    who = "the central system that the stations of charging_station call, such as ws://localhost:9220/ocpp"
    parser.getgroup("csms").addoption("--csms-url", metavar="URL", help=who)
    parser.addini("csms_url", f"{who}; --csms-url and {URL} come first", default="")


@pytest.fixture
def charging_station(request: pytest.FixtureRequest) -> "Callable[..., Station]":
    """Makes charging stations: `async with charging_station("CP-1", version="2.0.1") as station:`.

    It takes what `csms_emulator.testing.Station` takes. Without `url` they call the central system of `--csms-url`, of
    the environment's CSMS_TEST_URL, or of the ini file's `csms_url`; a SOAP station finds it there over HTTP. When the
    test fails, its report shows what each station and the central system said.
    """
    from csms_emulator.files.reading import at
    from csms_emulator.testing import Station

    made = request.node.stash[_made] = []
    known = _url(request.config)

    def make(identity: str = "CP-1", **options: Any) -> Station:
        soap = options.get("version") == "1.5" or options.get("transport") == "soap"
        station = Station(identity, **{"url": at(known, "soap" if soap else "json"), **options})
        made.append(station)
        return station

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Adds what the stations of a failed test have heard and said."""
    report = yield
    made = item.stash.get(_made, [])
    if report.failed:
        report.sections += [(f"Charging station {one.identity}", one.told(_MOST_TOLD)) for one in made]
    if report.when == "teardown" and made:
        del item.stash[_made]
    return report


def _url(config: pytest.Config) -> str:
    found: str = config.getoption("--csms-url") or os.environ.get(URL, "") or config.getini("csms_url")
    return found
