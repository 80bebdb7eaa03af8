"""Whether an idTag (1.x) or idToken (2.x) may charge, and how each version says so.

Pure: the tag, how often it charges now, and the time come in; a `Decision` goes out.
"""

from typing import Any

import msgspec

from csms_platform.ports import Tag
from csms_platform.times import iso_8601, seconds

ACCEPTED = "Accepted"
INVALID = "Invalid"
EXPIRED = "Expired"
CONCURRENT = "ConcurrentTx"
UNKNOWN = "Unknown"
_STATUSES = frozenset({ACCEPTED, "Blocked", EXPIRED, INVALID})
_LONGEST_V1_ID = 20  # OCPP 1.6 §7.28: CiString20Type
_LONGEST_V2_ID = 255  # OCPP 2.1 IdTokenType


class Decision(msgspec.Struct, frozen=True):
    """`status` is a 1.6 word, or `Unknown` for a tag that is not on the list. `expires` is ISO 8601 UTC or ""."""

    status: str
    expires: str = ""
    parent: str = ""

    @property
    def concurrent(self) -> "Decision":
        """The same tag, with too many transactions under way."""
        return msgspec.structs.replace(self, status=CONCURRENT)

    @property
    def accepted(self) -> bool:
        """Whether it may charge."""
        return self.status == ACCEPTED


ALLOWED = Decision(ACCEPTED)


def decide(tag: Tag | None, *, now: float, accept_unknown: bool, active: int = 0) -> Decision:
    """What `tag` (None: not on the list) is told at `now` (seconds since 1970).

    `active` counts its other transactions under way. Leave it 0 when nothing starts: OCPP 1.6 §7.2, OCPP 2.0.1
    AuthorizationStatusEnumType: ConcurrentTx is "only relevant for" the start of a transaction.
    """
    if tag is None:
        return ALLOWED if accept_unknown else Decision(UNKNOWN)
    try:
        end = seconds(tag.expires) if tag.expires else None
    except ValueError:
        return Decision(INVALID, parent=tag.parent)
    return Decision(_status(tag, end, now, active), "" if end is None else iso_8601(end), tag.parent)


def _status(tag: Tag, end: float | None, now: float, active: int) -> str:
    if tag.status != ACCEPTED:
        return tag.status if tag.status in _STATUSES else INVALID
    if end is not None and end <= now:
        return EXPIRED
    return CONCURRENT if tag.limit and active >= tag.limit else ACCEPTED


def id_tag_info(decision: Decision) -> dict[str, Any]:
    """1.x's idTagInfo."""
    # OCPP 1.6 §7.2 has no word for an unknown tag: "Invalid: Identifier is unknown. Not allowed for charging."
    info = {"status": INVALID if decision.status == UNKNOWN else decision.status}
    if decision.expires:
        info["expiryDate"] = decision.expires
    if 0 < len(decision.parent) <= _LONGEST_V1_ID:
        info["parentIdTag"] = decision.parent
    return info


def id_token_info(decision: Decision) -> dict[str, Any]:
    """2.x's idTokenInfo."""
    info: dict[str, Any] = {"status": decision.status}
    if decision.expires:
        info["cacheExpiryDateTime"] = decision.expires
    if 0 < len(decision.parent) <= _LONGEST_V2_ID:
        info["groupIdToken"] = {"idToken": decision.parent, "type": "Central"}
    return info
