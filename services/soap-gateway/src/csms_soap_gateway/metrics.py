"""What the SOAP gateway counts about stations' calls. Label values come from the catalog and from enumerations."""

from csms_platform.metrics import CallStopwatches, counter, gauge

under_way = gauge("soap_calls_under_way", "Stations' requests that are being served")
unanswered = counter("soap_unanswered_calls", "Stations' calls that nobody answered in time")
late = counter("soap_late_answers", "Answers that came too late, or twice")
outdated = counter("soap_outdated_sessions", "Calls that were asked again because what was known of the station is old")
bad_callbacks = counter("soap_bad_callbacks", "Addresses of stations that are none, and were left out")

# Actions come from the catalog: the reader let it through.
answered = CallStopwatches("soap_call_seconds", "From a station's call to its answer").answered
_refused = counter("soap_refused_requests", "Requests that were not answered, by reason", ("reason",))
_complaints = counter("soap_complaints", "CALLs passed on, and answers, that something was wrong with", ("kind",))
_violations = counter("soap_violations", "Payloads that their schema refuses, by its keyword", ("version", "rule"))


def refused(why: str) -> None:
    """Count a request that was not answered; `why` is one of `faults`' words."""
    _refused.labels(why).inc()


def violation(version: str, rule: str) -> None:
    """Count a payload that is not what its schema says; `rule` is the schema's keyword."""
    _complaints.labels("violation").inc()
    _violations.labels(version, rule).inc()
