"""Passwords: slow digests to store, verified in equal time, and quickly when the same one comes again.

A digest describes itself: `scrypt$<log2 N>$<r>$<p>$<salt>$<hash>`, both base64. Passwords are bytes of any kind.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_COST, _BLOCK, _LANES = 14, 8, 1  # about 30 ms and 16 MiB; stations' passwords are 16 random characters and more
_AT_ONCE = 4  # slow hashes at a time, which bounds their memory
_HEX_LENGTH = 40


def digest(password: bytes | str) -> str:
    """The digest to store for `password`; slow on purpose, and different every time (the salt is random)."""
    salt = os.urandom(16)
    return _Digest(_COST, _BLOCK, _LANES, salt, b"").of(_canonical(_bytes(password)))


class _Digest(NamedTuple):
    cost: int
    block: int
    lanes: int
    salt: bytes
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> "_Digest":
        scheme, cost, block, lanes, salt, value = text.split("$")
        if scheme != "scrypt" or not 1 <= int(cost) <= 20:
            raise ValueError("not a scrypt digest")
        return cls(int(cost), int(block), int(lanes), _unbase(salt), _unbase(value))

    def compute(self, password: bytes) -> bytes:
        n = 1 << self.cost
        limit = 256 * n * self.block * self.lanes
        return hashlib.scrypt(password, salt=self.salt, n=n, r=self.block, p=self.lanes, maxmem=limit, dklen=32)

    def of(self, password: bytes) -> str:
        value = base64.b64encode(self.compute(password)).decode()
        return f"scrypt${self.cost}${self.block}${self.lanes}${base64.b64encode(self.salt).decode()}${value}"


_DUMMY = _Digest(_COST, _BLOCK, _LANES, bytes(16), bytes(32))


def matches(stored: str, password: bytes) -> bool:
    """Whether `password`, hex digits already read as bytes, is the one of the digest `stored`. Slow whatever it is."""
    try:
        known = _Digest.parse(stored)
        value = known.compute(password)
    except ValueError:
        _DUMMY.compute(password)
        return False
    return hmac.compare_digest(value, known.hash)


class Verifier:
    """Verifies passwords against digests, off the loop; `most` right ones are remembered.

    They are remembered by a hash, salted per process, of digest and password together: ten thousand stations that
    come back cost no slow hashes, and a changed record forgets the old password by itself. Wrong ones are not, so
    that nobody fills the memory with guesses. Not thread-safe.
    """

    def __init__(self, most: int, slow: Callable[[str, bytes], bool] = matches) -> None:
        self._most = most
        self._slow = slow
        self._key = os.urandom(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def verify(self, stored: str, password: bytes) -> bool:
        """Whether `password` is the one of the digest `stored`.

        Takes as long when `stored` is "" (nobody's) or no digest at all; then the answer is no.
        """
        password = _canonical(password)
        key = hashlib.blake2b(stored.encode() + b"\0" + password, key=self._key, digest_size=32).digest()
        if key in self._right:
            self._right.move_to_end(key)
            return True
        async with self._slots:
            right = await asyncio.to_thread(self._slow, stored, password)
        if right:
            self._right[key] = None
            if len(self._right) > self._most:
                self._right.popitem(last=False)
        return right


def _canonical(password: bytes) -> bytes:
    # OCPP 1.6 security white paper: the AuthorizationKey is set as 40 hexadecimal digits that stand for 20 bytes; some
    # stations send the bytes as the Basic password, some the digits.
    if len(password) != _HEX_LENGTH:
        return password
    try:
        return binascii.unhexlify(password)
    except binascii.Error:
        return password


def _bytes(password: bytes | str) -> bytes:
    return password.encode() if isinstance(password, str) else password


def _unbase(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
