"""Scenarios against central systems that are not ours: what they do is all that is needed."""

import asyncio
import io
from pathlib import Path

from csms_emulator.scenarios.command import Wish, run
from csms_emulator.scenarios.perform import Central, perform
from csms_emulator.scenarios.reading import load
from csms_emulator.scenarios.results import Result
from tests.service.emulator.foreign import foreign_central
from tests.service.emulator.soap_central import soap_central

SHIPPED = Path(__file__).parents[3] / "deploy" / "emulator" / "scenarios"


def written(folder: Path, steps: str, more: str = "") -> Path:
    file = folder / "one.yaml"
    file.write_text(f"{more}\nstation: {{ pace: 60 }}\nsteps:\n{steps}", encoding="utf-8")
    return file


async def played(file: Path, url: str) -> Result:
    [scenario] = load([file])
    return await perform(scenario, Central(urls=(url,)))


async def test_a_shipped_scenario_passes_with_a_foreign_central_system() -> None:
    [json] = load([SHIPPED / "local-charge.yaml"], "(1.6)")

    async with foreign_central() as central:
        result = await perform(json, Central(urls=(central.url,), prefix="X-"))

    assert (result.verdict, result.reason, result.step) == ("passed", "", "")
    assert {identity for identity, _ in result.said} == {"X-local-charge-1.6-1"}


async def test_a_shipped_scenario_passes_over_soap() -> None:
    scenarios = load([SHIPPED / "local-charge.yaml"], "soap")

    async with soap_central() as central:
        results = [await perform(one, Central(urls=(central.url,))) for one in scenarios]

    assert [(one.verdict, one.reason) for one in results] == [("passed", "")]


async def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        '  - arrivals: { cars: 4, rate: 10/min, stay: "normal(6s, 2s)" }\n',
        "seed: 5\n",
    )

    async with foreign_central() as central:
        results = [await played(file, central.url) for _ in range(2)]

    cards = [
        [m.payload["idTag"] for _, m in one.said if m.action == "StartTransaction" and m.kind == "call"]
        for one in results
    ]
    assert len(cards[0]) == 4
    assert cards[0] == cards[1]


async def test_an_impossible_deed_fails(tmp_path: Path) -> None:
    async with foreign_central() as central:
        result = await played(written(tmp_path, "  - unplug: 1\n"), central.url)

    reason = "This cannot be done now: the connector is Available."
    assert (result.verdict, result.step, result.reason) == ("failed", "step 1 (line 4), unplug 1", reason)


async def test_what_is_never_to_be_said_fails_when_it_is(tmp_path: Path) -> None:
    async with foreign_central() as central:
        result = await played(written(tmp_path, "  - swipe: A\n  - never: Authorize within 2s\n"), central.url)

    assert (result.verdict, result.step) == ("failed", "step 2 (line 5), never Authorize within 2s")
    assert result.reason == "was said: → Authorize call {'idTag': 'A'}"


async def test_an_answer_that_is_not_as_it_should_be_fails(tmp_path: Path) -> None:
    steps = "  - { call: Heartbeat, where: currentTime == never, save: beat }\n"

    async with foreign_central() as central:
        result = await played(written(tmp_path, steps), central.url)

    assert (result.verdict, result.step) == ("failed", "step 1 (line 4), call Heartbeat")
    assert result.reason.startswith("answered with {'currentTime': ")


async def test_steps_repeat_and_variables_are_checked(tmp_path: Path) -> None:
    steps = """\
  - repeat:
      times: 3
      steps:
        - { call: Heartbeat, save: beat }
  - check: $beat.currentTime == $wanted
"""

    async with foreign_central() as central:
        result = await played(written(tmp_path, steps, "variables: { wanted: tomorrow }"), central.url)

    calls = [m for _, m in result.said if m.action == "Heartbeat" and m.kind == "call"]
    assert (result.verdict, result.step) == ("failed", "step 2 (line 8), check $beat.currentTime == $wanted")
    assert len(calls) == 3


async def test_a_scenario_has_an_end(tmp_path: Path) -> None:
    async with foreign_central() as central:
        result = await played(written(tmp_path, "  - pause: 1h\n", "limit: 200ms"), central.url)

    reason = "the scenario was not over within 0.2 s"
    assert (result.verdict, result.step, result.reason) == ("failed", "step 1 (line 4), pause 1h", reason)


async def test_what_is_wrong_with_a_module_is_an_error_with_its_trace(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("async def scenario(stage):\n    return {}['x']\n", encoding="utf-8")

    async with foreign_central() as central:
        result = await played(file, central.url)

    assert (result.verdict, result.step, result.reason) == ("error", "line 2, return {}['x']", "KeyError('x')")
    assert "KeyError: 'x'" in result.trace


async def test_all_are_played_and_told(tmp_path: Path) -> None:
    file, out = written(tmp_path, "  - call: Heartbeat\n", "name: A beat"), io.StringIO()
    report = tmp_path / "junit.xml"

    async with foreign_central() as central:
        code = await run(Wish(paths=(file, SHIPPED / "reset.yaml"), urls=(central.url,), jobs=2, junit=report), out)

    told = [line.split("  ")[0] for line in out.getvalue().splitlines()]
    assert code == 0
    assert told[:4] == ["scenario", "A beat", "Reset", ""]
    assert told[4:] == ["Reset (1.6): It needs the REST API: say where it is (--api).", "", "1 of 2 passed, 1 skipped."]
    assert await asyncio.to_thread(report.read_text) != ""
