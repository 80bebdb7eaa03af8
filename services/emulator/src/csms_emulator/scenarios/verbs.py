"""The verbs of a step: what each makes of what stands behind it, or a `ValueError` that says why it cannot."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args

import msgspec

from csms_emulator import deeds
from csms_emulator.faults.troubles import Trouble
from csms_emulator.scenarios import acts, durations, fields, sentences
from csms_emulator.scenarios.arrivals import Arrivals, Distribution
from csms_emulator.scenarios.conditions import Condition
from csms_emulator.scenarios.crowd import Crowd
from csms_emulator.scenarios.given import Given, text
from csms_emulator.scenarios.steps import Act
from csms_emulator.scenarios.words import WordsError
from csms_emulator.view import ConnectorView, View

_SEEN = frozenset({*View.__struct_fields__, *ConnectorView.__struct_fields__})
_TROUBLES: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in get_args(Trouble)}


_Positive = Annotated[int, msgspec.Meta(ge=1)]
Read = Callable[[Given], Act]


# --- deeds ------------------------------------------------------------------------------------------------------------


def _deed(deed: type[Any], main: str) -> Read:
    """What somebody does; a word behind the verb is the deed's `main` field, a number its connector."""

    def read(given: Given) -> Act:
        found = _fields(given, main)
        made = {field: value for field, value in found.items() if not str(value).startswith("$")}
        _only(found, deed)
        msgspec.convert(made, deed)
        return acts.Do(deed, given.filled(found))

    return read


def _fields(given: Given, main: str) -> dict[str, Any]:
    value, more = given.value, _taken(given.more, "connector")
    match value:
        case None:
            return more
        case dict():
            return _worded(value, main) | more
        case int() if main in ("", "id_tag", "seconds") and not isinstance(value, bool):
            return (
                {"connector": value} | more if not main else {main: value if main == "seconds" else str(value)} | more
            )
        case int() if not isinstance(value, bool):
            return {"connector": value} | more
        case str() | float() if main:
            return {main: value} | more
    raise ValueError(f"{value!r} is not understood")


def _worded(value: dict[str, Any], main: str) -> dict[str, Any]:
    """Cards are texts, even if all of their characters are digits."""
    card = value.get(main)
    return value | {main: str(card)} if main == "id_tag" and isinstance(card, int) else value


def _skew(given: Given) -> Act:
    return acts.Do(deeds.Skew, {"seconds": durations.seconds(given.value)})


def _power_cycle(given: Given) -> Act:
    _nothing(given)
    return acts.Do(deeds.PowerCycle, {})


# --- the connection ---------------------------------------------------------------------------------------------------


def _network(what: Any) -> Read:
    def read(given: Given) -> Act:
        _nothing(given)
        return acts.Network(what)

    return read


def _trouble(given: Given) -> Act:
    name, found = _named(given.value, "a trouble")
    kind = _TROUBLES.get(name.lower())
    if kind is None:
        raise ValueError(f"{name} is none of {', '.join(sorted(one.__name__ for one in _TROUBLES.values()))}")
    _only(found, kind)
    made = {"trouble": name.lower(), **found}
    msgspec.convert(made, Trouble)
    return acts.GoWrong(made)


# --- messages ---------------------------------------------------------------------------------------------------------


def _ask(way: acts.Way, by: str) -> Read:
    def read(given: Given) -> Act:
        action, payload = _named(given.value, "an action")
        for version in given.versions:
            fields.check_action(action, version, by=by)
        where = given.condition(given.more.pop("where")) if "where" in given.more else None
        refused = str(given.more.pop("refused", ""))
        act = acts.Ask(
            way=way, action=action, payload=given.filled(payload), where=where, refused=refused, save=given.save()
        )
        _check(given, action, "result", act.where, act.save)
        return act

    return read


def _expect(given: Given) -> Act:
    expected = _expectation(given, sentences.WITHIN)
    save = given.save()
    _check(given, expected.action, expected.kind, None, save)
    return acts.Expect(expected, save)


def _never(given: Given) -> Act:
    return acts.Never(_expectation(given, sentences.LISTENS))


def _expectation(given: Given, within: float) -> sentences.Expectation:
    expected = sentences.expectation(text(given.value), within)
    for version in given.versions:
        fields.check_action(expected.action, version)
    given.conditioned(expected.where)
    _check(given, expected.action, expected.kind, expected.where, {})
    return expected


def _check(given: Given, action: str, kind: Any, where: Condition | None, save: acts.Save) -> None:
    for version in given.versions:
        fields.check_condition(where, action, kind, version)
        if isinstance(save, dict):
            fields.check_paths(tuple(save.values()), action, kind, version)


# --- the rest ---------------------------------------------------------------------------------------------------------


def _wait(given: Given) -> Act:
    waited = sentences.wait(text(given.value))
    given.conditioned(waited.condition)
    connector = _taken(given.more, "connector").get("connector", 1)
    for path in (path for path in waited.condition.paths if not path.variable):
        fields.check_path(path, {"properties": {name: {} for name in _SEEN}}, "what can be seen")
    return acts.WaitFor(waited, msgspec.convert(connector, int))


def _pause(given: Given) -> Act:
    return acts.Pause(durations.span(given.value))


def _holds(given: Given) -> Act:
    found = given.condition(given.value)
    for path in found.paths:
        if not path.variable:
            raise WordsError("a check is about variables, which begin with $", path.column)
    return acts.Check(found)


def _arrivals(given: Given) -> Act:
    value = given.value
    if not isinstance(value, dict):
        raise ValueError("cars, stay, rate, distribution and cards tell who comes")
    _only(value, Arrivals)
    if missing := sorted({"cars", "stay"} - value.keys()):
        raise ValueError(f"{missing[0]} is missing")
    return Crowd(
        Arrivals(
            cars=msgspec.convert(value["cars"], _Positive),
            stay=durations.spread(value["stay"]),
            rate=durations.rate(value.get("rate", "1/min")),
            distribution=msgspec.convert(value.get("distribution", "poisson"), Distribution),
            cards=tuple(str(card) for card in value.get("cards", ())),
        )
    )


# --- small things -----------------------------------------------------------------------------------------------------


def _only(value: dict[str, Any], kind: type[Any]) -> None:
    """It has no fields but those of `kind`."""
    known = kind.__struct_fields__
    if strange := sorted(value.keys() - set(known)):
        raise ValueError(f"{strange[0]} is none of {', '.join(known)}" if known else f"{strange[0]} is too much")


def _nothing(given: Given) -> None:
    if given.value not in (None, True, {}):
        raise ValueError(f"nothing stands behind it, not {given.value!r}")


def _named(value: Any, what: str) -> tuple[str, dict[str, Any]]:
    """`Name`, or `{Name: {field: value, …}}`."""
    if isinstance(value, str):
        return value, {}
    if isinstance(value, dict) and len(value) == 1:
        [(name, found)] = value.items()
        if isinstance(found, dict | None):
            return name, found or {}
    raise ValueError(f"{what} is wanted, alone or with its fields behind it")


def _taken(more: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: more.pop(key) for key in keys if key in more}


VERBS: Mapping[str, Read] = {
    "plug": _deed(deeds.Plug, "vehicle"),
    "unplug": _deed(deeds.Unplug, ""),
    "park": _deed(deeds.Park, ""),
    "depart": _deed(deeds.Depart, ""),
    "swipe": _deed(deeds.Swipe, "id_tag"),
    "fault": _deed(deeds.Fault, "error"),
    "clear_fault": _deed(deeds.Clear, ""),
    "power_cycle": _power_cycle,
    "skew": _skew,
    "offline": _network("offline"),
    "online": _network("go_online"),
    "trouble": _trouble,
    "heal": _network("heal"),
    "call": _ask("call", "station"),
    "command": _ask("command", "csms"),
    "expect": _expect,
    "never": _never,
    "wait": _wait,
    "pause": _pause,
    "check": _holds,
    "arrivals": _arrivals,
}
