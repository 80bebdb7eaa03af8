"""What careful people build by hand: PyPI `ocpp` on `websockets` and uvloop, one process, no broker, nothing durable.

Schemas are validated both ways, without the thread pool that `ocpp` uses by default. The handlers do what the CSMS
does for the same actions: registration, last status, transactions with unique ids, last meter values.
"""

# `ocpp` is untyped.
# mypy: disable-error-code="import-untyped, untyped-decorator, misc"

import asyncio
import sys
from datetime import UTC, datetime
from itertools import count
from typing import Any

import ocpp.messages
import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

SUBPROTOCOLS = [Subprotocol("ocpp1.6")]
_ACCEPTED = IdTagInfo(status=AuthorizationStatus.accepted)
_transaction_ids = count(1)
_transactions: dict[int, dict[str, Any]] = {}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Station(ChargePoint):
    """One connected station, and the last that it said."""

    def __init__(self, identity: str, connection: ServerConnection) -> None:
        super().__init__(identity, connection)
        self.boot: dict[str, Any] = {}
        self.status: dict[int, dict[str, Any]] = {}
        self.meter_values: dict[int, list[Any]] = {}

    @on(Action.boot_notification)
    def on_boot_notification(self, **boot: Any) -> call_result.BootNotification:
        self.boot = boot
        return call_result.BootNotification(current_time=_now(), interval=300, status=RegistrationStatus.accepted)

    @on(Action.heartbeat)
    def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=_now())

    @on(Action.status_notification)
    def on_status_notification(self, connector_id: int, **status: Any) -> call_result.StatusNotification:
        self.status[connector_id] = status
        return call_result.StatusNotification()

    @on(Action.authorize)
    def on_authorize(self, id_tag: str) -> call_result.Authorize:
        return call_result.Authorize(id_tag_info=_ACCEPTED)

    @on(Action.start_transaction)
    def on_start_transaction(self, **start: Any) -> call_result.StartTransaction:
        transaction_id = next(_transaction_ids)
        _transactions[transaction_id] = start
        return call_result.StartTransaction(transaction_id=transaction_id, id_tag_info=_ACCEPTED)

    @on(Action.meter_values)
    def on_meter_values(self, connector_id: int, meter_value: list[Any], **_: Any) -> call_result.MeterValues:
        self.meter_values[connector_id] = meter_value
        return call_result.MeterValues()

    @on(Action.stop_transaction)
    def on_stop_transaction(self, transaction_id: int, **stop: Any) -> call_result.StopTransaction:
        _transactions.setdefault(transaction_id, {}).update(stop)
        return call_result.StopTransaction(id_tag_info=_ACCEPTED)


async def _station(connection: ServerConnection) -> None:
    assert connection.request is not None
    identity = connection.request.path.rpartition("/")[2]
    try:
        await Station(identity, connection).start()
    except ConnectionClosed:
        return


async def _serve(port: int) -> None:
    ocpp.messages.ASYNC_VALIDATION = False
    async with serve(_station, "127.0.0.1", port, subprotocols=SUBPROTOCOLS, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
