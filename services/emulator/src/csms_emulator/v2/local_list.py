"""The local authorization list of 2.x: who may charge while the central system cannot be asked."""

from csms_emulator.actions import Payload

# As LocalAuthListCtrlr tells them: the limit of Entries, and ItemsPerMessage.
MOST_ENTRIES = 1_000
MOST_SENT = 100


def key(id_token: Payload) -> str:
    """What makes two idTokens the same one. OCPP 2.0.1 IdTokenType: idToken is case insensitive."""
    return f"{id_token['type']} {id_token['idToken'].lower()}"


class LocalList:
    """A station keeps it across restarts."""

    def __init__(self) -> None:
        self._version = 0
        self._statuses: dict[str, str] = {}

    @property
    def version(self) -> int:
        """What GetLocalListVersion answers: 0 while the list is empty."""
        return self._version if self._statuses else 0

    def __len__(self) -> int:
        """How many idTokens are on it."""
        return len(self._statuses)

    def status(self, id_token: Payload) -> str | None:
        """What the list says about this idToken; None when it says nothing."""
        return self._statuses.get(key(id_token))

    def forget(self, id_token: Payload) -> bool:
        """Take it off; whether it was there. The version stays: nobody has sent another one."""
        return self._statuses.pop(key(id_token), None) is not None

    def update(self, request: Payload) -> str:
        """What SendLocalList answers."""
        entries, full = request.get("localAuthorizationList", []), request["updateType"] == "Full"
        if not full and request["versionNumber"] <= self._version:
            # OCPP 2.0.1 SendLocalListStatusEnumType: "VersionMismatch: Version number in the request for a
            # differential update is less or equal then version number of current list."
            return "VersionMismatch"
        statuses = _updated({} if full else self._statuses, entries)
        if len(entries) > MOST_SENT or len(statuses) > MOST_ENTRIES:
            return "Failed"
        self._statuses, self._version = statuses, request["versionNumber"]
        return "Accepted"


def _updated(statuses: dict[str, str], entries: list[Payload]) -> dict[str, str]:
    updated = dict(statuses)
    for entry in entries:
        # OCPP 2.0.1 AuthorizationData: idTokenInfo is left out of a differential update where the idToken is removed.
        if info := entry.get("idTokenInfo"):
            updated[key(entry["idToken"])] = info["status"]
        else:
            updated.pop(key(entry["idToken"]), None)
    return updated
