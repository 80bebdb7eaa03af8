"""What becomes of a station's message when the operator's endpoint does not answer it, action by action. Pure.

    spool     store it, answer the station positively, and deliver it later
    builtin   the router answers, from its own lists
    accept    the router answers positively, whatever the tag
    reject    the router answers with the message's own word for no
    error     CALLERROR InternalError

Of a StartTransaction that was answered by `builtin` or `accept` the endpoint is told afterwards.
By default: what only tells us something is spooled, that is every action whose answer has nothing that must be in it;
what the router can answer well is left to it; DataTransfer is rejected; the rest (certificates, schedules) is an error.
"""

from collections.abc import Mapping
from functools import cache
from typing import Literal, cast, get_args

from csms_ocpp import schemas
from csms_ocpp.catalog import Action, actions
from csms_ocpp.version import Version

Policy = Literal["spool", "builtin", "accept", "reject", "error"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

# A station repeats one that was not answered positively for ever, with everything queued behind it.
NEVER_REFUSED = frozenset({"StopTransaction", "TransactionEvent"})

_BUILTIN = frozenset({"Authorize", "BootNotification", "Heartbeat", "StartTransaction"})
_REFUSALS = frozenset({"reject", "error"})


@cache
def defaults() -> dict[str, Policy]:
    """The policy of every action that stations send, in alphabetical order."""
    asked = (action for _, action in sorted(actions().items()) if action.station)
    return {action.name: _default(action) for action in asked}


def _default(action: Action) -> Policy:
    if action.name in _BUILTIN:
        return "builtin"
    if action.name == "DataTransfer":
        return "reject"
    return "spool" if action.send or all(accepts_empty(version, action.name) for version in action.station) else "error"


def accepts_empty(version: Version, action: str) -> bool:
    """Whether `{}` answers this action."""
    schema = schemas.table(version).get((action, schemas.RESPONSE))
    return schema is not None and schema.accepts_empty


def table(overrides: Mapping[str, str], otherwise: str = "") -> dict[str, Policy]:
    """The policy of every action under these settings (which `complaint` has passed).

    `otherwise` takes the place of the defaults, but a message that may not be refused keeps its own.
    """
    chosen: dict[str, Policy] = dict(defaults())
    if otherwise:
        kept = NEVER_REFUSED if otherwise in _REFUSALS else frozenset[str]()
        chosen |= {action: cast(Policy, otherwise) for action in chosen.keys() - kept}
    return chosen | {action: cast(Policy, policy) for action, policy in overrides.items()}


def complaint(overrides: Mapping[str, str], otherwise: str) -> str:
    """Why these settings cannot be; "" when they can."""
    words = ", ".join(POLICIES)
    if otherwise and otherwise not in POLICIES:
        return f"default_policy is one of {words}, not {otherwise!r}"
    for action, policy in overrides.items():
        if not known(action):
            return f"policies: no station sends {action!r}"
        if policy not in POLICIES:
            return f"policies.{action} is one of {words}, not {policy!r}"
        if action in NEVER_REFUSED and policy in _REFUSALS:
            return f"policies.{action} cannot be {policy}: a station repeats it until it is answered positively"
    return ""


def known(action: str) -> bool:
    """Whether stations send this action in any version."""
    return action in actions() and bool(actions()[action].station)
