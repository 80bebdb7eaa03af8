"""The HTTP client's exceptions, and those of networks, as sentences."""

import os
import ssl

import aiohttp

TROUBLES = (aiohttp.ClientError, OSError, UnicodeError)
"""What the client raises for what networks and servers do; `UnicodeError` for a name that DNS cannot even be asked."""


def sentence(error: Exception, sent: bool) -> str:
    """Why there is no answer; `sent` tells whether the station may have heard us. No URL: it may hold secrets."""
    match error:
        case _ if sent:
            return "The connection closed before the station answered."
        case aiohttp.ClientConnectorCertificateError():
            told = getattr(error.certificate_error, "verify_message", "") or "it cannot be verified"
            return f"The certificate of {error.host} is not trusted: {first_line(told)}."
        case aiohttp.ClientConnectorDNSError():
            return f"The name {error.host} cannot be resolved."
        case aiohttp.ClientConnectorError():
            return f"No connection to {error.host}:{error.port}: {_reason(error.os_error)}."
        case aiohttp.InvalidURL() | UnicodeError():
            return "The station's address has no host that could be called."
        case _:
            return f"No connection to the station: {first_line(error)}."


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({first_line(error.reason)})"
    # What the event loop says begins with what it was doing.
    return os.strerror(error.errno) if error.errno else first_line(error)


def first_line(told: object) -> str:
    """The beginning of what a library says, without its full stop."""
    return (str(told).splitlines() or [""])[0][:200].rstrip(".: ")
