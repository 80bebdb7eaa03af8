"""The quirks that a record may name are those that gateway and router know."""

import re
from pathlib import Path

from csms_api.v2.quirks import QUIRKS

SERVICES = Path(__file__).parents[3] / "services"


def test_the_known_quirks_are_those_that_the_services_look_for() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in SERVICES.glob("*/src/**/*.py"))
    asked = set(re.findall(r'capsule\.has\("([^"]+)"\)', sources))
    prefixes = set(re.findall(r'_ASSUME = "([^"]+)"', sources))

    assert {quirk for quirk in QUIRKS if "=" not in quirk} == asked
    assert {quirk.partition("=")[0] + "=" for quirk in QUIRKS if "=" in quirk} == prefixes
