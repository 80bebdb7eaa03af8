"""What a sound session of ours makes of every kind of malformed text."""

import pytest

from csms_emulator.faults.wrong import MALFORMED, Layer, Piece
from csms_ocpp.catalog import Role
from csms_ocpp.session import CallReceived, Session
from csms_ocpp.version import DIALECTS, Version

VERSIONS = [Version.V1_6, Version.V2_0_1, Version.V2_1]
TEXTS = {kind: piece for kind, piece in MALFORMED.items() if piece.layer is Layer.TEXT}
SERVED = {
    "payload-null": [Version.V1_6],  # OCPP-J 1.6 §4.2.1: "it can be null"
    "id-empty": VERSIONS,  # odd, and no rule against it
    "id-null-character": VERSIONS,
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", TEXTS)
def test_no_session_falls_over_what_is_malformed_nor_serves_it(kind: str, version: Version) -> None:
    events = Session(DIALECTS[version], Role.CSMS).receive(TEXTS[kind].data, 0.0)
    served = any(isinstance(event, CallReceived) for event in events)

    assert events != []
    assert served == (version in SERVED.get(kind, []))


def test_no_kind_is_there_twice() -> None:
    pieces: list[Piece] = [*MALFORMED.values()]

    assert len(set(pieces)) == len(pieces)
