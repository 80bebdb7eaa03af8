"""The local authorization list: who may charge while the central system cannot be asked (OCPP 1.6 §3.5.2)."""

from csms_emulator.actions import Payload

MOST_ENTRIES = 10_000
MOST_SENT = 1_000


class LocalList:
    """`version` is 0 while there is no list. A station keeps it across restarts."""

    def __init__(self) -> None:
        self.version = 0
        self._statuses: dict[str, str] = {}

    def status(self, id_tag: str) -> str | None:
        """What the list says about this idTag; None when it says nothing."""
        return self._statuses.get(id_tag)

    def update(self, request: Payload) -> str:
        """What SendLocalList answers."""
        entries, full = request.get("localAuthorizationList", []), request["updateType"] == "Full"
        if not full and request["listVersion"] <= self.version:
            # OCPP 1.6 §7.43: "VersionMismatch: Version number in the request for a differential update is less or
            # equal then version number of current list."
            return "VersionMismatch"
        statuses = _updated({} if full else self._statuses, entries)
        if len(entries) > MOST_SENT or len(statuses) > MOST_ENTRIES:
            return "Failed"
        self._statuses, self.version = statuses, request["listVersion"]
        return "Accepted"


def _updated(statuses: dict[str, str], entries: list[Payload]) -> dict[str, str]:
    updated = dict(statuses)
    for entry in entries:
        # OCPP 1.6 §7.1: idTagInfo is left out of a differential update where the idTag is to be removed.
        if info := entry.get("idTagInfo"):
            updated[entry["idTag"]] = info["status"]
        else:
            updated.pop(entry["idTag"], None)
    return updated
