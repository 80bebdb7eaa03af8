"""Every environment variable that the services read, from their own settings."""

import msgspec

from csms.settings import Configuration
from csms_webhook_relay.settings import REFERENCE_VARIABLES


def known_variables() -> set[str]:
    """With `_FILE` and without."""
    names = set(REFERENCE_VARIABLES)
    for section in msgspec.structs.fields(Configuration):
        prefix = "CSMS" if section.name in ("top", "listen") else f"CSMS_{section.name.upper()}"
        names |= {f"{prefix}_{key.name.upper()}" for key in msgspec.structs.fields(section.type)}
    return names | {f"{name}_FILE" for name in names}
