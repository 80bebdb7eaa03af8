"""Built-in answers to charging stations: one table per family of versions, `v1` and `v2`, from action to handler.

A `Plain` handler answers at once and may note facts on the desk. A `Stored` one waits for a store; it must be safe to
run again when the store was away. Both may raise what decoding a payload raises; the service answers for them.
"""

from collections.abc import Awaitable, Callable

from msgspec import Raw

from csms_platform.envelope import Envelope
from csms_router.desk import Answer, Desk

Plain = Callable[[Envelope, Desk], Raw]
Stored = Callable[[Envelope, Desk], Awaitable[Answer]]


class Table(dict[str, Plain | Stored]):
    """The answers of a family of versions by action."""
