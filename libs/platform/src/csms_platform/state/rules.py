"""What every adapter decides in the same way: how tags compare, what counts for a tag, where counters begin.

Pure functions; no storage and no clock.
"""

from csms_platform.ports import Transaction

MAX_ID = 2**31 - 1
_IDS_PER_SECOND = 32


def fold(tag: str) -> str:
    """The form in which two ids of the same tag are equal."""
    # OCPP 1.6 §7.28: IdToken is a CiString20Type, "case insensitive".
    return tag.casefold()


def counted_for(transaction: Transaction) -> str:
    """The folded tag whose limit this transaction counts against; "" when it counts for none."""
    counts = transaction.authorized and not transaction.stopped and not transaction.superseded
    return fold(transaction.tag) if counts else ""


def spot(transaction: Transaction) -> str:
    """Where at its station it charges; no spot ever has more than one transaction. "": nowhere any more, or unknown."""
    if transaction.stopped or not (transaction.evse or transaction.connector):
        return ""
    return f"{transaction.evse}/{transaction.connector}"


def recognised_by(transaction: Transaction) -> str:
    """What two starts of the same transaction have in common: the key, or without one the id."""
    return f"key:{transaction.key}" if transaction.key else f"id:{transaction.id}"


def place(identity: str, id: str) -> str:
    """(identity, id) as one string, unambiguous whatever characters they contain."""
    return f"{len(identity)}:{identity}:{id}"


def taken_apart(place: str) -> tuple[str, str]:
    """The (identity, id) of a place."""
    length, _, rest = place.partition(":")
    return rest[: int(length)], rest[int(length) + 1 :]


def first_id(now: float) -> int:
    """Where a counter of transaction ids begins when nothing is known about the ids handed out before.

    It runs ahead of the clock by 32 ids a second, so it begins above every earlier id as long as no more than that
    were handed out per second on average, and comes round after about two years (2**31 / 32 seconds).
    """
    return int(now * _IDS_PER_SECOND) % MAX_ID + 1


def within_31_bits(count: int) -> int:
    """`count` (from 1) as an id: 1 … 2**31 - 1, and round again."""
    return (count - 1) % MAX_ID + 1
