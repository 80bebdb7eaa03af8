"""structlog, configured once: readable lines on a terminal, JSON otherwise.

Calls are logged one line each while there are few; past a rate they are counted and told as one line a second, so that
a busy process does not spend itself on its log.
"""

import logging
import sys
from time import monotonic
from typing import Any

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_SECRET = frozenset({"password", "authorization", "token", "secret"})


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose lines carry `logger: name`; cheap, made at import."""
    logger: FilteringBoundLogger = structlog.get_logger(source=name)
    return logger


def configure(level: str = "info", form: str = "auto") -> None:
    """Set up logging for the process. `form`: `json`, `text`, or `auto` (text when stderr is a terminal)."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if text else "iso", utc=not text),
        _redact,
        _name,
    ]
    if text:
        colours = sys.stderr.isatty()
        processors.append(structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False, pad_event_to=20))
    else:
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard library: only what is wrong with them, in the same form.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_Forward()], force=True)
    for told_by_the_bus in ("aiormq", "aio_pika"):
        # Every loss of the broker, several times over and with tracebacks.
        logging.getLogger(told_by_the_bus).setLevel(logging.CRITICAL)


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key in _SECRET & event.keys():
        event[key] = "…"
    return event


def _name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # `logger` cannot be bound from the start: structlog's own functions have a parameter of that name.
    event["logger"] = event.pop("source", "")
    return event


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(source=record.name)
        log.log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)


class CallLog:
    """One line a call while there are at most `most` a second; past that one line that says how many more.

    `log.calls` says nothing by itself: `take()` answers whether this call may be logged, and counts it when not.
    """

    __slots__ = ("_log", "_most", "_second", "_taken", "_unlogged")

    def __init__(self, log: FilteringBoundLogger, most: int) -> None:
        self._log = log
        self._most = most
        self._second = 0
        self._taken = 0
        self._unlogged = 0

    def take(self) -> bool:
        """Whether the caller should log this call."""
        second = int(monotonic())
        if second != self._second:
            if self._unlogged:
                self._log.info("calls", unlogged=self._unlogged, logged=self._taken)
            self._second, self._taken, self._unlogged = second, 0, 0
        if self._taken < self._most:
            self._taken += 1
            return True
        self._unlogged += 1
        return False
