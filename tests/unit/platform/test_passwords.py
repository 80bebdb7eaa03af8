"""Passwords: digests, equality of the hex form, and what the cache may and may not do."""

from time import thread_time

import pytest

from csms_platform.passwords import Verifier, digest, matches

RAW = bytes(range(20))
HEX = RAW.hex().encode()


class Slow:
    """`matches`, counted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, stored: str, password: bytes) -> bool:
        self.count += 1
        return matches(stored, password)


def cost(stored: str) -> float:
    """Seconds of CPU for a wrong password."""
    begin = thread_time()
    assert not matches(stored, b"wrong")
    return thread_time() - begin


@pytest.mark.parametrize("password", [b"secret", b"", b"\x00\xff\xfe", "pässwörd".encode(), b"a:b:c", b"x" * 1000])
async def test_the_right_password_of_any_bytes_is_verified_and_another_is_not(password: bytes) -> None:
    verifier = Verifier(10)
    stored = digest(password)

    assert await verifier.verify(stored, password)
    assert not await verifier.verify(stored, password + b"!")


def test_a_digest_names_its_scheme_and_parameters_and_is_salted() -> None:
    one, other = digest("secret"), digest("secret")

    assert one.split("$")[:4] == ["scrypt", "14", "8", "1"]
    assert one != other


@pytest.mark.parametrize("told", [RAW, HEX, HEX.upper()])
@pytest.mark.parametrize("kept", [RAW, HEX, HEX.decode()])
async def test_forty_hex_digits_are_the_same_password_as_their_twenty_bytes(kept: bytes | str, told: bytes) -> None:
    assert await Verifier(10).verify(digest(kept), told)


@pytest.mark.parametrize("stored", ["", "scrypt", "plain$secret", "scrypt$x$8$1$AA==$AA==", "scrypt$14$8$1$?$?"])
def test_what_is_no_digest_matches_nothing_and_takes_as_long(stored: str) -> None:
    assert cost(stored) > cost(digest("secret")) / 4


async def test_the_same_right_password_is_hashed_slowly_once() -> None:
    slow = Slow()
    verifier, stored = Verifier(10, slow), digest("secret")

    answers = [await verifier.verify(stored, b"secret") for _ in range(5)]

    assert (answers, slow.count) == ([True] * 5, 1)


async def test_a_wrong_password_is_hashed_slowly_every_time() -> None:
    slow = Slow()
    verifier, stored = Verifier(10, slow), digest("secret")

    answers = [await verifier.verify(stored, b"guess") for _ in range(3)]

    assert (answers, slow.count) == ([False] * 3, 3)


async def test_after_the_record_changed_only_the_new_password_is_right() -> None:
    verifier, before, after = Verifier(10), digest("old"), digest("new")
    await verifier.verify(before, b"old")

    assert [await verifier.verify(after, b"old"), await verifier.verify(after, b"new")] == [False, True]


async def test_the_cache_forgets_the_least_recent_beyond_its_bound() -> None:
    slow = Slow()
    verifier, stored = Verifier(2, slow), [digest(name) for name in "abc"]
    for name, one in zip("abc", stored, strict=True):
        await verifier.verify(one, name.encode())

    await verifier.verify(stored[2], b"c")
    await verifier.verify(stored[1], b"b")
    remembered = slow.count - 3
    await verifier.verify(stored[0], b"a")

    assert (remembered, slow.count - 3) == (0, 1)
