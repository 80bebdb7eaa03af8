"""What the SOAP gateway counts about stations' calls. Label values come from the catalog and from enumerations."""

from csms_platform.metrics import Stopwatch, Stopwatches, counter, gauge

under_way = gauge("soap_calls_under_way", "Stations' requests that are being served")
unanswered = counter("soap_unanswered_calls", "Stations' calls that nobody answered in time")
late = counter("soap_late_answers", "Answers that came too late, or twice")
outdated = counter("soap_outdated_sessions", "Calls that were asked again because what was known of the station is old")
bad_callbacks = counter("soap_bad_callbacks", "Addresses of stations that are none, and were left out")

_calls = Stopwatches("soap_call_seconds", "From a station's call to its answer", ("version", "action", "outcome"))
_refused = counter("soap_refused_requests", "Requests that were not answered, by reason", ("reason",))
_complaints = counter("soap_complaints", "CALLs passed on, and answers, that something was wrong with", ("kind",))

_answers: dict[tuple[str, str, bool], Stopwatch] = {}


def answered(version: str, action: str, result: bool, seconds: float) -> None:
    """Count an answer. `action` comes from the catalog: the reader let it through."""
    key = version, action, result
    stopwatch = _answers.get(key)
    if stopwatch is None:
        stopwatch = _answers[key] = _calls.child(version, action, "result" if result else "error")
    stopwatch.observe(seconds)


def refused(why: str) -> None:
    """Count a request that was not answered; `why` is one of `faults`' words."""
    _refused.labels(why).inc()


def complaint(kind: str) -> None:
    """Count a complaint."""
    _complaints.labels(kind).inc()
