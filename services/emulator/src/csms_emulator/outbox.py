"""What a station has to say and has not said yet.

Rule 1: one CALL is under way at a time; the others leave in the order in which they were written.
Rule 2: messages about transactions are kept until they are delivered, across disconnects and resets (OCPP 1.6 §3.7);
a failed one is repeated after a pause and holds up only its like. All others are lost with the connection.
"""

from collections import deque

import msgspec

from csms_emulator.actions import Payload

MOST_KEPT = 1000
UNKNOWN_TRANSACTION = -1


class Transaction(msgspec.Struct, eq=False):
    """A charging transaction. `id` is None until the central system has given one; times are on the caller's clock."""

    connector: int
    id_tag: str
    meter_start: int
    started: float
    id: int | None = None


class Message(msgspec.Struct, eq=False):
    """A CALL to be. With a `transaction` it is kept until delivered, and learns the transaction's id when it leaves."""

    number: int
    action: str
    body: Payload
    connector: int = 0
    transaction: Transaction | None = None
    triggered: bool = False
    attempts: int = 0

    @property
    def payload(self) -> Payload:
        """The payload as it is known now."""
        if self.transaction is None or self.action == "StartTransaction":
            return self.body
        if self.transaction.id is not None:
            return {**self.body, "transactionId": self.transaction.id}
        # The start was given up: a StopTransaction has to name a transaction, MeterValues need not.
        return self.body if self.action == "MeterValues" else {**self.body, "transactionId": UNKNOWN_TRANSACTION}


class Outbox:
    """The messages of one station."""

    def __init__(self) -> None:
        self._volatile: deque[Message] = deque()
        self._kept: deque[Message] = deque()
        self._numbers = 0
        self._not_before = 0.0
        self.under_way: Message | None = None

    def __len__(self) -> int:
        """How many messages are not delivered yet, the one under way included."""
        return len(self._volatile) + len(self._kept) + (self.under_way is not None)

    @property
    def timer(self) -> float | None:
        """When the pause before a repetition ends; None when there is nothing to repeat, or something is under way."""
        return self._not_before if self._kept and self._not_before and not self.under_way else None

    def post(self, action: str, body: Payload, *, connector: int = 0, triggered: bool = False) -> None:
        """Say it once, soon; `triggered`: even while the registration is pending."""
        self._volatile.append(self._write(action, body, connector, triggered=triggered))

    def keep(self, action: str, body: Payload, transaction: Transaction) -> None:
        """Say it until it is heard."""
        if len(self._kept) >= MOST_KEPT:
            self._make_room()
        self._kept.append(self._write(action, body, transaction.connector, transaction))

    def next(self, now: float, registration: str) -> Message | None:
        """The message to send now, which is then under way; None when one is already, or none may leave."""
        if self.under_way:
            return None
        if registration != "Accepted":
            message = next((m for m in self._volatile if _may_leave_early(m, registration)), None)
            if message:
                self._volatile.remove(message)
        elif self._kept and now >= self._not_before and not self._written_first(self._volatile, self._kept):
            message = self._kept.popleft()
        else:
            message = self._volatile.popleft() if self._volatile else None
        self.under_way = message
        return message

    def delivered(self) -> None:
        """The message under way was answered."""
        if self.under_way and self.under_way.transaction:
            self._not_before = 0.0
        self.under_way = None

    def failed(self, now: float, attempts: int, pause: float) -> Message | None:
        """The message under way failed: repeat it after `pause` × times tried, or give it up and answer it."""
        message, self.under_way = self.under_way, None
        if message is None or message.transaction is None:
            return message
        message.attempts += 1
        if message.attempts >= attempts:
            self._not_before = 0.0
            return message
        # OCPP 1.6 §3.7: the pause is TransactionMessageRetryInterval times the number of preceding transmissions.
        self._not_before = now + pause * message.attempts
        self._kept.appendleft(message)
        return None

    def postpone(self) -> None:
        """The message under way was not wanted yet: keep it for later when it is of the kind that is kept."""
        message, self.under_way = self.under_way, None
        if message and message.transaction:
            self._kept.appendleft(message)

    def disconnected(self) -> list[Message]:
        """The connection is gone. Answers the messages that are lost with it."""
        lost = [self.under_way] if self.under_way and not self.under_way.transaction else []
        self.postpone()
        lost += self._volatile
        self._volatile.clear()
        self._not_before = 0.0
        return lost

    def _write(
        self,
        action: str,
        body: Payload,
        connector: int,
        transaction: Transaction | None = None,
        triggered: bool = False,
    ) -> Message:
        self._numbers += 1
        return Message(self._numbers, action, body, connector, transaction, triggered)

    @staticmethod
    def _written_first(one: deque[Message], other: deque[Message]) -> bool:
        return bool(one) and one[0].number < other[0].number

    def _make_room(self) -> None:
        # A meter value in the middle of a transaction is the least loss: starts and stops say what is to be paid.
        oldest = next((m for m in self._kept if m.action == "MeterValues"), None)
        if oldest:
            self._kept.remove(oldest)


def _may_leave_early(message: Message, registration: str) -> bool:
    # OCPP 1.6 §4.2, while Pending: "The Charge Point SHALL NOT send request messages to the Central System unless it
    # has been instructed by the Central System to do so with a TriggerMessage.req request."
    return message.action == "BootNotification" or (message.triggered and registration == "Pending")
