"""Shows an endpoint that a request is ours, and fresh: HMAC-SHA256 of time and body under a shared secret. Pure."""

import hmac

_PREFIX = "sha256="


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of `X-OCPP-Signature`: "sha256=" and the hexadecimal HMAC of `<timestamp>.<body>`."""
    return _PREFIX + hmac.digest(secret, b"%b.%b" % (timestamp.encode(), body), "sha256").hex()


def is_genuine(
    signature: str, secret: bytes, timestamp: str, body: bytes, *, now: float, tolerance: float = 300.0
) -> bool:
    """What an endpoint should ask: whether we signed this, at most `tolerance` seconds from `now` (since 1970)."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 15:
        return False
    fresh = abs(now - int(timestamp)) <= tolerance
    return fresh and hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode("utf-8", "replace"))
