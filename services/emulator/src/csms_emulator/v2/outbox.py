"""What a 2.x station has to say: the 1.6 outbox's order and repetitions, over messages that are complete when written.

A TransactionEvent carries the station's own transactionId, so nothing has to be filled in before it leaves.
"""

from csms_emulator import outbox
from csms_emulator.actions import Payload


class Message(outbox.Message, eq=False):
    """A CALL to be; `connector` is the EVSE it speaks of."""

    @property
    def payload(self) -> Payload:
        """The payload as it was written."""
        return self.body


class Outbox(outbox.Outbox):
    """The messages of one station."""

    def speaks_of(self, transaction_id: str | None) -> bool:
        """Whether a TransactionEvent waits: of this transaction, or of any."""
        waiting = [*self._kept, *([self.under_way] if self.under_way else [])]
        told = [m.body["transactionInfo"]["transactionId"] for m in waiting if m.action == "TransactionEvent"]
        return bool(told) if transaction_id is None else transaction_id in told

    def _write(
        self,
        action: str,
        body: Payload,
        connector: int,
        transaction: outbox.Transaction | None = None,
        triggered: bool = False,
    ) -> Message:
        self._numbers += 1
        return Message(self._numbers, action, body, connector, transaction, triggered)

    def _make_room(self) -> None:
        # An update in the middle of a transaction is the least loss: its gap in seqNo tells that it is missing.
        oldest = next((m for m in self._kept if m.body["eventType"] == "Updated"), None)
        if oldest:
            self._kept.remove(oldest)
