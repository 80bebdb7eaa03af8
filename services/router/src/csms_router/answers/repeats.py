"""Transaction messages that come again, and what both families do with idTags.

A repeat is the same station, message id, action and payload: a station that reboots counts its ids from 1 again, so
the id alone would answer wrongly.
"""

from collections.abc import Awaitable, Callable
from hashlib import blake2b

from msgspec import Raw

from csms_platform.envelope import Envelope
from csms_router.answers import Stored
from csms_router.authorize import Decision, decide
from csms_router.desk import Answer, Desk

_Answerer = Callable[[Envelope, Desk], Awaitable[Raw]]


def repeatable(answer: _Answerer) -> Stored:
    """`answer`, whose answers are kept and given again to repeats."""

    async def once(envelope: Envelope, desk: Desk) -> Answer:
        if (known := await repeated(envelope, desk)) is not None:
            return known
        payload = await answer(envelope, desk)
        await remember(envelope, payload, desk)
        return Answer(payload)

    return once


async def repeated(envelope: Envelope, desk: Desk) -> Answer | None:
    """What this very message was answered before; None: it is new, or that was long ago."""
    stored = await desk.transactions.answered(repeat_key(envelope))
    return None if stored is None else Answer(Raw(stored), repeated=True)


async def remember(envelope: Envelope, payload: Raw, desk: Desk) -> None:
    """Keep `payload` for repeats of the message that it answers."""
    await desk.transactions.remember(repeat_key(envelope), bytes(payload), desk.settings.reply_memory)


def repeat_key(envelope: Envelope) -> str:
    """The name under which the answer to this message is kept."""
    return fingerprint(envelope.identity, envelope.unique_id, envelope.action, bytes(envelope.payload))


def fingerprint(*parts: str | bytes | int) -> str:
    """32 hexadecimal digits that stand for these parts; parts that only together read the same differ."""
    state = blake2b(digest_size=16)
    for part in parts:
        text = part if isinstance(part, bytes) else str(part).encode()
        state.update(b"%d:" % len(text))
        state.update(text)
    return state.hexdigest()


async def judge(id: str, desk: Desk) -> Decision:
    """What the tag list says about `id` now, however often it charges; the desk's verdict comes before it."""
    if desk.verdict is not None:
        return desk.verdict
    tag = await desk.tags.get(id)
    return decide(tag, now=desk.now, accept_unknown=desk.settings.accepts_unknown_tags)


async def judge_start(id: str, desk: Desk) -> tuple[Decision, int]:
    """The same for a tag that starts to charge, and how many transactions it may have: `begin` keeps that limit."""
    if desk.verdict is not None:
        return desk.verdict, 0
    tag = await desk.tags.get(id)
    decision = decide(tag, now=desk.now, accept_unknown=desk.settings.accepts_unknown_tags)
    return decision, tag.limit if tag else 0


async def judge_late(id: str, desk: Desk) -> Decision:
    """The same for a tag that is presented when its transaction has begun already."""
    if desk.verdict is not None:
        return desk.verdict
    tag = await desk.tags.get(id)
    active = await desk.transactions.active(id) if tag is not None and tag.limit else 0
    return decide(tag, now=desk.now, accept_unknown=desk.settings.accepts_unknown_tags, active=active)
