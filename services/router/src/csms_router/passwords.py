"""Stations' passwords are digested and verified as all passwords are: see `csms_platform.passwords`."""

from csms_platform.passwords import Verifier, digest, matches

__all__ = ["Verifier", "digest", "matches"]
