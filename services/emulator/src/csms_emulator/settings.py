"""What an emulated fleet is told at its start. Knows no environment and no file: who starts the fleet fills it in."""

from urllib.parse import urlsplit

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A fleet of OCPP 1.6J charging stations.

    `url` is the central system's address without the identity. `identity` is a format string over `n` = 1…`count`.
    `password` turns HTTP Basic on ("" leaves it off). `pace` is how many emulated seconds drivers, cars and meters
    live in one real second; what the central system dictates (heartbeats, boot retries) stays in real time. The same
    `seed` gives the same drivers. The stations connect one by one within `ramp` seconds. Drivers present one of
    `id_tags`, or, when that is empty, a card of their own. Leaving gives running transactions `grace` seconds to end.

    Raises ValueError, with a sentence, for a value that cannot work.
    """

    url: str = "ws://localhost:9220/ocpp"
    count: int = 5
    identity: str = "EMU-{n:05}"
    password: str = ""
    connectors: int = 2
    pace: float = 1.0
    seed: int = 1
    ramp: float = 2.0
    id_tags: tuple[str, ...] = ()
    grace: float = 3.0

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        _require(address.scheme in ("ws", "wss") and bool(address.hostname), "url is a ws:// or wss:// address")
        _require(not address.query and not address.fragment, "url has no ? and no #: the identity is its last segment")
        _require(self.count >= 1, "count is at least 1")
        _require(1 <= self.connectors <= 100, "connectors is between 1 and 100")
        _require(self.pace > 0, "pace is greater than 0")
        _require(self.ramp >= 0, "ramp is not negative")
        _require(self.grace >= 0, "grace is not negative")
        # OCPP 1.6 §7.28: IdToken is a CiString20Type.
        _require(all(0 < len(tag) <= 20 for tag in self.id_tags), "an id tag has 1 to 20 characters")
        _require(self.count == 1 or _name(self.identity, 1) != _name(self.identity, 2), "identity contains {n}")

    def identities(self) -> list[str]:
        """The stations' identities, in the order in which they start."""
        return [_name(self.identity, n) for n in range(1, self.count + 1)]


def _name(pattern: str, n: int) -> str:
    try:
        return pattern.format(n=n)
    except (ValueError, LookupError) as error:
        raise ValueError(f"identity is a format string over n, such as EMU-{{n:05}}: {error!r}") from error


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
