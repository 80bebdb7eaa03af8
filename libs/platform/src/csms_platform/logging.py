"""structlog, configured once: readable lines on a terminal, JSON otherwise. Every field is in docs/observability.md.

Calls are logged one line each while there are few; past a rate they are counted and told as one line a second, so that
a busy process does not spend itself on its log.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from hashlib import blake2s
from secrets import token_bytes
from time import monotonic
from typing import Any, TextIO, cast

import structlog
from structlog import DropEvent
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from csms_platform.envelope import Envelope
from csms_platform.tracing import trace_id

_SECRET = frozenset({"password", "authorization", "token", "secret"})
_ALWAYS = frozenset({"error", "critical", "exception"})
_TAGS = frozenset({"id_tag", "parent_id_tag", "id_token", "group_id_token"})
_KEY = token_bytes(16)  # of this process: whoever has its log only cannot try all tags until one fits


class _Logger:
    """What `get_logger` hands out: the real one is made at the first line, and again when the levels change."""

    __slots__ = ("_made", "_name", "_of", "_with")

    def __init__(self, name: str, **fields: Any) -> None:
        self._name = name
        self._with = fields
        self._of = -1
        self._made: Any = None

    def bind(self, **fields: Any) -> "_Logger":
        return _Logger(self._name, **{**self._with, **fields})

    def __getattr__(self, method: str) -> Any:
        if self._of != _levels.version:
            self._made, self._of = _levels.logger(self._name).bind(**self._with), _levels.version
        return getattr(self._made, method)


class _Levels:
    """The least level of each logger; a new `version` makes every logger look again."""

    def __init__(self) -> None:
        self.version = 0
        self._usual = logging.INFO
        self._named: Mapping[str, int] = {}

    def set(self, usual: int, named: Mapping[str, int]) -> None:
        self._usual, self._named = usual, named
        self.version += 1

    def logger(self, name: str) -> Any:
        level = self._named.get(name, self._usual)
        return structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(level)).bind(source=name)


_levels = _Levels()


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose lines carry `logger: name`; cheap, made at import."""
    return cast(FilteringBoundLogger, _Logger(name))


def configure(
    level: str = "info",
    form: str = "auto",
    levels: Mapping[str, str] | None = None,
    *,
    show_id_tags: bool = False,
    lines_a_second: int = 0,
    out: TextIO | None = None,
    clock: Callable[[], float] = monotonic,
) -> None:
    """Set up logging for the process, or anew while it runs.

    `form`: `json`, `text`, or `auto` (text when `out` is a terminal). `levels` are those of single loggers. Of lines
    below `error` each logger writes at most `lines_a_second` about the same event (0: all); the next one says how many
    were left out. Lines go to `out`, which is stdout unless something else is printed there.
    """
    out = out or sys.stdout
    text = form == "text" or (form == "auto" and out.isatty())
    numbers = logging.getLevelNamesMapping()
    number = numbers[level.upper()]
    processors: list[Any] = [
        *((_Ration(lines_a_second, clock),) if lines_a_second else ()),
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if text else "iso", utc=not text),
        _redact,
        *(() if show_id_tags else (_shorten,)),
        _name,
    ]
    if text:
        processors.append(structlog.dev.ConsoleRenderer(colors=out.isatty(), sort_keys=False, pad_event_to=20))
    else:
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    _levels.set(number, {name: numbers[one.upper()] for name, one in (levels or {}).items()})
    # Libraries log through the standard library: only what is wrong with them, in the same form.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_Forward()], force=True)
    for told_by_the_bus in ("aiormq", "aio_pika"):
        # Every loss of the broker, several times over and with tracebacks.
        logging.getLogger(told_by_the_bus).setLevel(logging.CRITICAL)


class _Ration:
    """Drops what is more than `most` a second of one event of one logger, and counts it."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._second = 0
        self._lines: dict[tuple[str, str], int] = {}
        self._unlogged: dict[tuple[str, str], int] = {}

    def __call__(self, _: WrappedLogger, level: str, event: EventDict) -> EventDict:
        if level in _ALWAYS:
            return event
        if (second := int(self._clock())) != self._second:
            self._second = second
            self._lines.clear()
        about = str(event.get("source")), str(event.get("event"))
        lines = self._lines[about] = self._lines.get(about, 0) + 1
        if lines > self._most:
            self._unlogged[about] = self._unlogged.get(about, 0) + 1
            raise DropEvent
        if self._unlogged and (unlogged := self._unlogged.pop(about, 0)):
            event["unlogged"] = unlogged
        return event


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key in _SECRET & event.keys():
        event[key] = "…"
    return event


def _shorten(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key in _TAGS & event.keys():
        event[key] = shortened(str(event[key]))
    return event


def shortened(tag: str) -> str:
    """An idTag as logs show it: the same tag looks the same as long as this process runs, and says no more."""
    return tag and f"{tag[:2]}…{blake2s(tag.encode(), key=_KEY, digest_size=3).hexdigest()}"


def _name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # `logger` cannot be bound from the start: structlog's own functions have a parameter of that name.
    event["logger"] = event.pop("source", "")
    return event


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger(record.name)
        log.log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)


def where(envelope: Envelope) -> dict[str, Any]:
    """What a message tells of its way, for its line: the id of its trace, and where its time went."""
    found: dict[str, Any] = {"hops": envelope.hops} if envelope.hops else {}
    if envelope.traceparent:
        found["trace"] = trace_id(envelope.traceparent)
    return found


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
