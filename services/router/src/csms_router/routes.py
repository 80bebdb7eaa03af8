"""Which handler answers what: one `Route` for each action that stations send in each version, with its counters.

Derived from the catalog, so that a table never answers for a version that does not have the action.
"""

from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import cast

from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.version import DIALECTS, Version
from csms_router import metrics
from csms_router.answers import Plain, Stored, Table, v1, v2
from csms_router.answers.settled import SETTLED
from csms_router.metrics import Count

FAMILIES: dict[Version, Table] = {
    Version.V1_5: v1.ANSWERS,
    Version.V1_6: v1.ANSWERS,
    Version.V2_0_1: v2.ANSWERS,
    Version.V2_1: v2.ANSWERS,
}

# An error to one of these can stop a station's queue of offline transactions for ever: it repeats the message, and
# everything behind it waits. They are answered positively whatever happens.
NEVER_REFUSED = frozenset({"StopTransaction", "TransactionEvent"})
_UNGATED = NEVER_REFUSED | {"BootNotification"}
_REPEATABLE = NEVER_REFUSED | {"StartTransaction"}

_OUTCOMES = (metrics.ANSWERED, metrics.REPEATED, metrics.REFUSED, metrics.UNANSWERED, metrics.FORWARDED)

Routes = dict[tuple[str, str], "Route"]


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """How one action of one version is answered: exactly one of `plain` and `stored` is set.

    `gated`: refused until the station was accepted. `never_refused`: `{}` rather than a CALLERROR. `unreadable`: the
    error code for payloads that cannot be read. When the operator's endpoint answers: `settles`: its answer comes back
    here to be recorded; `repeatable`: a repeat is answered with what it said before.
    """

    plain: Plain | None
    stored: Stored | None
    gated: bool
    never_refused: bool
    settles: bool
    repeatable: bool
    unreadable: str
    answered: Count
    repeated: Count
    refused: Count
    unanswered: Count
    forwarded: Count


def routes() -> Routes:
    """All routes by (version, action)."""
    return {
        (version.value, action): _route(version, action, table[action])
        for version, table in FAMILIES.items()
        for action in asked_by(Role.STATION, version)
    }


def _route(version: Version, action: str, handler: Plain | Stored) -> Route:
    waits = iscoroutinefunction(handler)
    return Route(
        None if waits else cast(Plain, handler),
        cast(Stored, handler) if waits else None,
        action not in _UNGATED,
        action in NEVER_REFUSED,
        action in SETTLED,
        action in _REPEATABLE,
        DIALECTS[version].formation_violation,
        *(metrics.CALLS.labels(version.value, action, outcome) for outcome in _OUTCOMES),
    )
