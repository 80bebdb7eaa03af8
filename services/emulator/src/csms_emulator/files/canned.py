"""Canned answers: commands that are answered with what a file says, and with nothing else. The rest goes inside."""

from pathlib import Path

import msgspec

from csms_emulator.actions import Action, Answer, Payload
from csms_emulator.behaviour import Behaviour
from csms_emulator.files.specification import refused
from csms_emulator.files.wrapper import Wrapper, decode
from csms_ocpp import schemas
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.session import CallReceived
from csms_ocpp.version import DIALECTS, Version


class Station(Wrapper):
    """`inner`, which never hears of the commands in `answers`."""

    def __init__(self, inner: Behaviour, answers: dict[str, Payload]) -> None:
        super().__init__(inner)
        self._answers = answers

    def command(self, call: CallReceived, now: float) -> list[Action]:
        """As the file says, or as the inner station does."""
        if call.action in self._answers:
            return [Answer(call.unique_id, self._answers[call.action])]
        return super().command(call, now)


def read_answers(folder: Path, version: Version) -> dict[str, Payload]:
    """The payloads of the folder's `<Action>.json`, by action; a `ValueError` for one that `version` would refuse."""
    files = sorted(file for file in folder.glob("*.json") if file.name != "configuration.json")
    return {file.stem: _read(file, version) for file in files}


def _read(file: Path, version: Version) -> Payload:
    known = asked_by(Role.CSMS, version)
    if file.stem not in known or known[file.stem].send:
        raise refused(file, f"OCPP {DIALECTS[version].number} has no command {file.stem}")
    text = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    violation = schemas.table(version)[file.stem, schemas.RESPONSE].check(text)
    if violation:
        raise refused(file, violation.description.rstrip("."))
    return decode(msgspec.Raw(text))
