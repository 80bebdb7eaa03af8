"""TLS as emulated stations speak it: which certificate each of them shows, and whose certificates they trust."""

import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from csms_emulator.settings import Settings, named

T = TypeVar("T")


def contexts(settings: Settings) -> dict[str, ssl.SSLContext | None]:
    """What each station of the fleet connects with, by identity; None where it does not connect over TLS.

    Raises `ValueError`, a sentence with setting, file and reason, for a file that cannot be used.
    """
    identities = settings.identities()
    if not settings.encrypted:
        return dict.fromkeys(identities)
    made = lru_cache(_context)  # stations that show the same share it: a context holds a whole list of authorities
    files = [_files(settings, n) for n in range(1, settings.count + 1)]
    return {identity: made(*pair, settings.ca) for identity, pair in zip(identities, files, strict=True)}


def _files(settings: Settings, n: int) -> tuple[str, str]:
    """The certificate and the key of the fleet's station `n`; "" where it has none."""
    certificate = named("certificate", settings.certificate, n)
    return certificate, named("key", settings.key, n) or certificate


def _context(certificate: str, key: str, ca: str) -> ssl.SSLContext:
    if ca:
        _read("ca", ca, load_pem_x509_certificates, "holds no certificate in PEM form")
    context = ssl.create_default_context(cafile=ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # OCPP 2.0.1 part 2 §A00.FR.314
    if certificate:
        _show(context, certificate, key)
    return context


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    _read("certificate", certificate, load_pem_x509_certificates, "holds no certificate in PEM form")
    _read("key", key, lambda pem: load_pem_private_key(pem, None), "holds no unencrypted private key in PEM form")
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        why = f"is not the key of {certificate}" if mismatch else f"cannot be used with {certificate}: {error.reason}"
        raise ValueError(f"key: {key} {why}") from None


def _read(setting: str, file: str, load: Callable[[bytes], T], otherwise: str) -> T:
    try:
        return load(Path(file).read_bytes())
    except OSError as error:
        raise ValueError(f"{setting}: {file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"{setting}: {file} {otherwise}") from None
