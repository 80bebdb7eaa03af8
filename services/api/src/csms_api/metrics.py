"""What the API counts. Label values are route templates, methods, statuses and outcomes, never what a client sent."""

from collections.abc import Callable

from csms_platform.metrics import Stopwatches, counter, gauge

REQUESTS = counter("api_requests", "HTTP requests by route, method and status", ("route", "method", "status"))
COMMANDS = counter("api_commands", "Commands sent for clients, by outcome", ("outcome",))
WAITING = gauge("api_commands_waiting", "Commands whose outcome a client waits for")
LIMITED = counter("api_limited", "Requests refused because a client asked too often", ("limit",))
LOGINS = counter("api_failed_logins", "Credentials that were refused", ("scheme",))
LISTENERS = gauge("api_listeners", "Clients that listen to the event stream")
OVERRUNS = counter("api_event_overruns", "Listeners that were cut off because they read too slowly")
UNREADABLE = counter("api_unreadable_events", "What came as an event, and was none")
UNAWAITED = counter("api_unawaited_outcomes", "Outcomes of commands that no request waited for any more")
_DURATIONS = Stopwatches("api_request_seconds", "Duration of HTTP requests", ("route", "method"))

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_children: dict[tuple[str, str, int], tuple[Callable[[], None], Callable[[float], None]]] = {}


def request(route: str, method: str, status: int, seconds: float) -> None:
    """Count one request."""
    key = (route, method if method in _METHODS else "other", status)
    children = _children.get(key)
    if children is None:
        labels = REQUESTS.labels(key[0], key[1], str(status))
        children = _children[key] = (labels.inc, _DURATIONS.child(key[0], key[1]).observe)
    children[0]()
    children[1](seconds)
