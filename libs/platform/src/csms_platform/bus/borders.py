"""Where events, orders and letters meet their handlers, the same for every adapter, and what is counted there.

Here a handler's bug is logged and counted; beyond this border nothing raises but cancellation.
"""

from collections.abc import Awaitable, Callable

import msgspec

from csms_platform.logging import get_logger
from csms_platform.metrics import counter
from csms_platform.ports import Letter, Order

log = get_logger("bus")

PAUSE = 1.0  # seconds before a letter whose handler failed is tried again

events_published = counter("events_published", "Events handed to the broker")
events_dropped = counter("events_dropped", "Events dropped because too many waited for the broker")
replies_lost = counter("order_replies_lost", "Outcomes of orders whose queue for the reply is not there")
letters_stored = counter("letters_stored", "Letters stored for an endpoint")
_followers_failed = counter("event_handler_failures", "Batches of events whose handler failed")
_orders_failed = counter("order_handler_failures", "Orders dropped because their handler failed")
_letters_failed = counter("letter_handler_failures", "Deliveries put off because the letter's handler failed")
_letters_unreadable = counter("letters_unreadable", "Stored letters that nobody can read, dropped")

encode_letter = msgspec.json.Encoder().encode
_decode_letter = msgspec.json.Decoder(Letter).decode


def tell(batch: list[bytes], handler: Callable[[list[bytes]], None]) -> None:
    """Hand events over."""
    try:
        handler(batch)
    except Exception:
        _followers_failed.inc()
        log.exception("a handler of events failed", events=len(batch))


async def take_orders(orders: list[Order], handler: Callable[[list[Order]], Awaitable[None]]) -> None:
    """Hand orders over; afterwards they may be acknowledged, whatever became of them."""
    try:
        await handler(orders)
    except Exception:
        _orders_failed.inc(len(orders))
        log.exception("the handler of orders failed", orders=len(orders), first=orders[0].key)


def read_letter(body: bytes) -> Letter | None:
    """The stored letter; None when nobody can read it: it may be removed."""
    try:
        return _decode_letter(body)
    except ValueError as error:
        _letters_unreadable.inc()
        log.error("unreadable letter in the spool", reason=str(error), bytes=len(body))
        return None


async def try_letter(letter: Letter, handler: Callable[[Letter], Awaitable[None]]) -> bool:
    """Hand a letter over; answers whether it may be removed."""
    try:
        await handler(letter)
    except Exception:
        _letters_failed.inc()
        log.exception("the handler of a letter failed", letter=letter.id, endpoint=letter.endpoint)
        return False
    return True
