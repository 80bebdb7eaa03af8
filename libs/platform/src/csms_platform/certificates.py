"""What a connection's TLS says about whoever is at its other end."""

import asyncio
from typing import NamedTuple


class Secured(NamedTuple):
    """Whether the connection is TLS, and the common name of the verified client certificate ("": there is none)."""

    tls: bool = False
    subject: str = ""


def secured(transport: asyncio.BaseTransport) -> Secured:
    """What is known of this connection."""
    if transport.get_extra_info("ssl_object") is None:
        return Secured()
    # The ssl module tells the certificate's fields only when it was verified.
    certificate = transport.get_extra_info("peercert") or {}
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return Secured(True, names[-1] if names else "")
