"""Configuration keys as a file gives them. Those that the station obeys are set in it; the others are only told.

They are set as a central system would: by ChangeConfiguration, before there is a connection.
"""

import msgspec
from msgspec import Raw

from csms_emulator.actions import Action, Answer, Payload
from csms_emulator.behaviour import Behaviour
from csms_emulator.files.specification import Key
from csms_emulator.files.wrapper import Wrapper, decode, encode
from csms_ocpp.session import CallReceived
from csms_ocpp.version import MessageId

_SETTING = MessageId("from the file")


class Station(Wrapper):
    """`inner`, a 1.x station, with `keys`. `told` are those that it would not take, by their name in lower case."""

    def __init__(self, inner: Behaviour, keys: tuple[Key, ...], now: float) -> None:
        super().__init__(inner)
        self.told: dict[str, Key] = {}
        self._locked = {key.name.lower() for key in keys if key.readonly}
        for key in keys:
            if not self._takes(key, now):
                self.told[key.name.lower()] = key

    def command(self, call: CallReceived, now: float) -> list[Action]:
        """The two commands about keys know the file's, too; everything else goes inside."""
        if call.action == "GetConfiguration":
            inside = super().command(call, now)
            wanted = decode(call.payload).get("key", [])
            return [
                Answer(a.unique_id, self._report(a.payload, wanted)) if isinstance(a, Answer) else a for a in inside
            ]
        if call.action == "ChangeConfiguration":
            request = decode(call.payload)
            status = self._change(request["key"].lower(), request["value"])
            return [Answer(call.unique_id, {"status": status})] if status else super().command(call, now)
        return super().command(call, now)

    def _change(self, name: str, value: str) -> str:
        """What ChangeConfiguration answers; "": that is the inner station's business."""
        if name in self._locked:
            return "Rejected"
        if name not in self.told:
            return ""
        self.told[name] = msgspec.structs.replace(self.told[name], value=value)
        return "Accepted"

    def _report(self, inside: Payload, wanted: list[str]) -> Payload:
        own = [k for k in inside.get("configurationKey", []) if k["key"].lower() not in self.told]
        asked = {name.lower() for name in wanted} or self.told.keys()
        ours = [key for name, key in self.told.items() if name in asked]
        known = [
            *({**key, "readonly": key["readonly"] or key["key"].lower() in self._locked} for key in own),
            *({"key": key.name, "readonly": key.readonly, "value": key.value} for key in ours),
        ]
        unknown = [name for name in inside.get("unknownKey", []) if name.lower() not in self.told]
        return {"configurationKey": known, **({"unknownKey": unknown} if unknown else {})}

    # --- the beginning ------------------------------------------------------------------------------------------------

    def _takes(self, key: Key, now: float) -> bool:
        """Whether the inner station has this key with this value from now on."""
        changed = self._ask("ChangeConfiguration", {"key": key.name, "value": key.value}, now)
        if changed.get("status") in ("Accepted", "RebootRequired"):
            return True
        told = self._ask("GetConfiguration", {"key": [key.name]}, now).get("configurationKey", [])
        return [k.get("value") for k in told] == [key.value]

    def _ask(self, action: str, payload: Payload, now: float) -> Payload:
        actions = self.inner.session_event(CallReceived(_SETTING, action, Raw(encode(payload))), now)
        return next((a.payload for a in actions if isinstance(a, Answer)), {})
