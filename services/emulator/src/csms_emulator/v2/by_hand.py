"""What a person does at an EVSE of 2.x: each deed, and when it is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csms_emulator.deeds import PlaceDeed

if TYPE_CHECKING:
    from csms_emulator.v2.evse import Evse


def do(evse: Evse, deed: PlaceDeed, now: float) -> bool:
    """Do it; False, and nothing has changed, when that is not possible now."""
    return False
