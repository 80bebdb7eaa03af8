"""Addresses at which stations without a connection are called."""

from urllib.parse import urlsplit

LONGEST = 2048


def is_callback(url: str) -> bool:
    """Whether this may be where a station can be called: an http or https URL. Never raises.

    Whether it may be called there (our own network, say) is decided when it is.
    """
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def has_user(url: str) -> bool:
    """Whether a callback holds a user name or password, which everybody would see who sees the callback."""
    return "@" in urlsplit(url).netloc
