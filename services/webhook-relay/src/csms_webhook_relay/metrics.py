"""What the relay counts. `endpoint` is a configured name, never a URL. Children are kept where calls are many."""

from csms_platform.metrics import Stopwatches, counter, gauge

RESULT = "result"  # a CALLRESULT
ERROR = "error"  # a CALLERROR, the endpoint's own
FAILED = "failed"  # no reply, 5xx, or a reply that cannot be used
REJECTED = "rejected"  # 3xx, 4xx
OPEN = "open"  # not sent: the breaker is open
BUSY = "busy"  # not sent: too many wait

REQUESTS = counter("webhook_requests", "Requests to the operator's endpoints by outcome", ("endpoint", "outcome"))
SECONDS = Stopwatches("webhook_seconds", "How long endpoints took to reply", ("endpoint",))
BREAKER = gauge("webhook_breaker", "0: closed, 1: open, 2: half-open", ("endpoint",))
IN_FLIGHT = gauge("webhook_in_flight", "Requests under way", ("endpoint",))
FALLBACKS = counter("webhook_fallbacks", "Messages that a policy decided, because the endpoint did not", ("policy",))
UNANSWERED = counter("webhook_unanswered", "Messages left without an answer by a policy that could not be kept")
UNEXPECTED = counter("webhook_unexpected", "Envelopes of a kind that the relay does not take")
