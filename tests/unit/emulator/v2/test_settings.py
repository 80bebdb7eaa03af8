"""Settings of fleets that speak 2.x."""

from typing import Any

import pytest

from csms_emulator.settings import Settings
from csms_ocpp.version import Version


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"version": "2.0.1", "transport": "soap"}, "version 2.0.1 needs the transport json"),
        ({"version": "2.1", "transport": "soap"}, "version 2.1 needs the transport json"),
        ({"version": "2.0.1", "id_tags": ("x" * 37,)}, "an id tag has 1 to 36 characters"),
        ({"version": "2.1", "id_tags": ("x" * 256,)}, "an id tag has 1 to 255 characters"),
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared below
        Settings(**fields)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(("version", "dialect"), [("2.0.1", Version.V2_0_1), ("2.1", Version.V2_1)])
def test_a_fleet_of_2_x_has_its_dialect(version: Any, dialect: Version) -> None:
    assert Settings(version=version).dialect is dialect
