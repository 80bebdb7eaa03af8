"""What the router counts. Label values come from the catalog and from the words below, never from a peer."""

from typing import Protocol

from csms_platform.metrics import Stopwatches, counter


class Count(Protocol):
    """A counter of which the labels are settled."""

    def inc(self, amount: float = 1) -> None: ...


ANSWERED = "answered"  # CALLRESULT, or a SEND that was recorded
REPEATED = "repeated"  # a repeated transaction message, answered from the stored reply
REFUSED = "refused"  # CALLERROR
FORWARDED = "forwarded"  # to the operator's endpoint, which answers
UNANSWERED = "unanswered"  # the store stayed away until nobody waited any more

CALLS = counter(
    "router_calls", "Messages of charging stations by how they were answered", ("version", "action", "outcome")
)
UNKNOWN_CALLS = counter("router_unknown_calls", "CALLs of an action that the version does not have")
SETTLED = counter(
    "router_settled", "Answers of operators' endpoints that change what is known, by what became of it", ("outcome",)
)
NOTES_LOST = counter("router_notes_lost", "Facts about stations not written because the store stayed away")
EXPIRED = counter("router_expired", "Envelopes dropped because nobody waited for them any more")
UNEXPECTED = counter("router_unexpected", "Envelopes of a kind that the router does not take")
STORE_RETRIES = counter("router_store_retries", "Attempts repeated because the store was away")
CONNECTS = counter("router_connects", "Connection attempts by outcome: accepted or the HTTP status", ("outcome",))
VISITS = counter(
    "router_visits",
    "Calls of stations without a connection that were asked who they are, by outcome: opened or renewed a session, "
    "the status they were refused with, or unanswered",
    ("outcome",),
)
EVICTIONS = counter("router_evictions", "Sessions replaced by a newer connection of the same station")
RESUMES = counter("router_resumes", "Connections named again by a gateway whose lease had ended", ("outcome",))
DISCONNECTS = counter("router_disconnects", "Sessions ended, by who noticed", ("reason",))
PASS = Stopwatches("router_pass_seconds", "The one pass over a batch that answers what needs no store").child()
STORE = Stopwatches("router_store_seconds", "How long a CALL or command waited for the store, repeats included").child()
COMMANDS = counter("router_commands", "Commands to stations that ended, by outcome", ("action", "outcome"))
COMMAND_SECONDS = Stopwatches("router_command_seconds", "From taking a command in to its end", ("outcome",))
COMMANDS_REPEATED = counter("router_commands_repeated", "Commands given again under the same id, which were not sent")
COMMANDS_POSTPONED = counter("router_commands_postponed", "Commands sent to a gateway without their station; they wait")
COMMANDS_RETURNED = counter("router_commands_returned", "Commands sent to a gateway that is gone")
COMMANDS_UNSETTLED = counter(
    "router_commands_unsettled", "Outcomes that could not be kept: the store stayed away; they become time-outs"
)
