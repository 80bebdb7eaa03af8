"""Routing keys and the patterns that are bound to them, as a topic exchange reads both. Pure."""

from functools import lru_cache


@lru_cache(maxsize=4096)
def matches(pattern: str, key: str) -> bool:
    """Whether the pattern takes this key: words are separated by dots, `*` is one word, `#` any number of them."""
    return _match(tuple(pattern.split(".")), tuple(key.split(".")))


def _match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    # One row for each word of the pattern: the numbers of words that the pattern up to here can have taken.
    taken = {0}
    for part in pattern:
        if part == "#":
            taken = set(range(min(taken), len(words) + 1))
        else:
            taken = {count + 1 for count in taken if count < len(words) and part in ("*", words[count])}
        if not taken:
            return False
    return len(words) in taken
