"""The certificates of the port: a server context from PEM files, which can be renewed while the port listens."""

import ssl
from typing import NamedTuple


class TlsFiles(NamedTuple):
    """Paths of PEM files; without a certificate there is no TLS."""

    certificate: str
    key: str
    client_ca: str


class ServerTls:
    """`context` is for the listening port; what `renew` reads is for connections that come afterwards."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises `ValueError`, with a sentence, for files that cannot be used, or for none."""
        made = tls_context(*files)
        if made is None:
            raise ValueError("TLS needs a certificate.")
        self.context = self._now = made
        # OpenSSL asks this for every handshake, whether the client names a server or not.
        self.context.sni_callback = self._choose

    def renew(self, files: TlsFiles) -> None:
        """Raises `ValueError` as `__init__` does, and then nothing has changed."""
        made = tls_context(*files)
        if made is None:
            raise ValueError("TLS cannot be turned off while the port listens.")
        self.context.verify_mode = made.verify_mode
        self._now = made

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._now


def tls_context(certificate: str, key: str, client_ca: str) -> ssl.SSLContext | None:
    """A server context for PEM files, None without a certificate. Raises `ValueError` with a sentence.

    OCPP 2.0.1 part 2 §A00.FR.314: TLS 1.2 or newer.
    """
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
        if client_ca:
            context.load_verify_locations(client_ca)
            # Optional: stations of profile 2 have none. Who needs one is decided per station.
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(file for file in (certificate, key, client_ca) if file)
        raise ValueError(f"TLS cannot be set up with {files}: {error}.") from None
    return context
