"""`health.py [PATH]`: exit code 0 when this container answers PATH (/healthz) with 200. Needs nothing of csms.

The port is that of CSMS_PORT, with TLS or without. A port given on the command line is not known here.
"""

import http.client
import os
import ssl
import sys
from collections.abc import Iterator

SECONDS = 3.0


def main(path: str = "/healthz") -> int:
    """The exit code."""
    for connection in _connections(int(os.environ.get("CSMS_PORT", "9220"))):
        try:
            connection.request("GET", path)
            return 0 if connection.getresponse().status == 200 else 1
        except (OSError, http.client.HTTPException):
            continue  # it may speak TLS
        finally:
            connection.close()
    return 1


def _connections(port: int) -> Iterator[http.client.HTTPConnection]:
    yield http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    # Whose certificate it is does not matter: it is this container's.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    yield http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=context)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
