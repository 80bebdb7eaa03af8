"""`python -m bench.stored`: how many bytes of Redis a station, a session, a transaction and a command take.

Fills an empty Redis of its own through the stores that the router uses, and prints what `used_memory` grew by for each,
and how many were written a second. Records are such as the emulator's stations make: 20 characters of identity.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import uvloop
from msgspec import Raw
from redis.asyncio import Redis

from bench.children import redis
from csms_ocpp.version import StationId
from csms_platform.ports import Claim, Command, GatewayId, Note, Station, Transaction, Waiter
from csms_platform.state import Stores, open_stores

_AT_ONCE = 500
_DAY = 86_400_000  # ms
_BOOT = b'{"chargePointVendor":"Vendor","chargePointModel":"Model 22","firmwareVersion":"1.2.3"}'
_STATUS = b'{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-01-01T00:00:00Z"}'
_SECRET = "scrypt$" + "x" * 90  # as long as a stored password

Write = Callable[[Stores, int], Awaitable[object]]


def _identity(number: int) -> StationId:
    return StationId(f"DE*ABC*E{number:012}")


def _station(stores: Stores, number: int) -> Awaitable[object]:
    return stores.stations.put(Station(_identity(number), account="acme", password=_SECRET))


def _session(stores: Stores, number: int) -> Awaitable[object]:
    gateway = GatewayId(f"gateway-{number % 10}")
    return stores.sessions.open(Claim(_identity(number), gateway, "acme", "ocpp1.6", "192.0.2.7"))


def _notes(stores: Stores, number: int) -> Awaitable[object]:
    said = {"boot": _BOOT, "status/1": _STATUS, "status/2": _STATUS, "heard": b"1767225600000"}
    return stores.stations.note([Note(_identity(number), field, value) for field, value in said.items()])


def _transaction(stores: Stores, number: int) -> Awaitable[object]:
    started = "2026-01-01T00:00:00Z"
    return stores.transactions.begin(
        Transaction(
            _identity(number), str(number), key=f"1/DEADBEEF/{started}/{number}", version="ocpp1.6", connector=1,
            tag=f"TAG-{number}", meter_start=12, started=started, authorized=True,
            reply=b'{"transactionId":1001,"idTagInfo":{"status":"Accepted"}}',
        )
    )  # fmt: skip


def _command(stores: Stores, number: int) -> Awaitable[object]:
    now, identity = int(time.time() * 1000), _identity(number)
    return stores.commands.begin(
        Command(
            identity, f"c-{number}", "RemoteStartTransaction", Raw(b'{"connectorId":1,"idTag":"DEADBEEF"}'),
            created=now, deadline=now + _DAY, overdue=now + _DAY, waiters=(Waiter("ocpp.api.1"),),
        )
    )  # fmt: skip


KINDS: dict[str, Write] = {
    "a station's record": _station,
    "a session": _session,
    "what a station said last: 4 notes": _notes,
    "a transaction under way": _transaction,
    "a command under way": _command,
}


async def measure(url: str, count: int) -> dict[str, tuple[float, float]]:
    """By kind: bytes for each, and how many were written a second, `count` of every kind."""
    measured: dict[str, tuple[float, float]] = {}
    async with open_stores(url) as stores, Redis.from_url(url) as server:
        for gateway in range(10):
            await stores.sessions.renew(GatewayId(f"gateway-{gateway}"), 3600)
        for kind, write in KINDS.items():
            before, began = await _used(server), time.monotonic()
            for first in range(0, count, _AT_ONCE):
                await asyncio.gather(*(write(stores, number) for number in range(first, first + _AT_ONCE)))
            rate = count / (time.monotonic() - began)
            measured[kind] = ((await _used(server) - before) / count, rate)
    return measured


async def _used(server: Redis) -> int:
    return int((await server.info("memory"))["used_memory"])


def main() -> int:
    """Measure with 20,000 of each, and print."""
    with redis() as (url, _):
        for kind, (size, rate) in uvloop.run(measure(url, 20_000)).items():
            print(f"{kind:35} {size:7.0f} bytes {rate:9.0f}/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
