"""Firmware that a 2.x station is to publish for others, and how far that is."""

import msgspec

from csms_emulator.actions import Payload
from csms_emulator.diagnostics import IDLE, Tries


class Publication(msgspec.Struct):
    """As PublishFirmwareStatusNotification tells it. `number` is the Transfer's, 0 between two tries."""

    status: str = IDLE
    request_id: int | None = None
    location: str = ""
    checksum: str = ""
    tries: Tries = msgspec.field(default_factory=Tries)
    number: int = 0

    @property
    def told(self) -> Payload:
        """The payload of PublishFirmwareStatusNotification."""
        known = {} if self.request_id is None else {"requestId": self.request_id}
        # OCPP 2.0.1 L03: where it is to be had is told with Published.
        where = {"location": [self.location]} if self.status == "Published" else {}
        return {"status": self.status, **known, **where}
