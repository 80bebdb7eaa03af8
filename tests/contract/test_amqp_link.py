"""What happens to the link itself: lost in the worst moment."""

import asyncio

import pytest

from csms_platform.bus import BusSettings, open_doors
from csms_platform.ports import ROUTER
from tests.contract.cable import cable
from tests.contract.test_bus import Inbox, call
from tests.contract.test_events import Diary, event
from tests.contract.test_spool import letter
from tests.support.brokers import RabbitMQ

pytestmark = pytest.mark.timeout(60)


async def test_a_connection_that_is_lost_while_it_is_blocked_keeps_nothing_back(private_rabbitmq: RabbitMQ) -> None:
    """RabbitMQ's memory alarm blocks publishers; one whose connection then goes must not wait for its unblocking."""
    inbox, diary, url = Inbox(), Diary(), private_rabbitmq.fresh_vhost()
    async with (
        cable(url) as line,
        open_doors(BusSettings(url=line.url)) as sender,
        open_doors(BusSettings(url=url)) as receiver,
    ):
        await receiver.bus.subscribe(ROUTER, inbox)
        await receiver.events.follow(diary)
        await asyncio.to_thread(private_rabbitmq.control, "set_vm_memory_high_watermark", "absolute", "1")
        try:
            sender.bus.send(ROUTER, call("into the alarm"))
            await asyncio.sleep(0.5)
            sender.bus.send(ROUTER, call("while blocked"))
            sender.events.emit("ocpp1.6.connected", event("while blocked"))
            storing = asyncio.ensure_future(sender.spool.store(letter("while blocked"), seconds=30))
            await asyncio.sleep(0.2)
            line.cut()
        finally:
            await asyncio.to_thread(private_rabbitmq.control, "set_vm_memory_high_watermark", "0.95")
        await storing
        await diary.wait_for("while blocked")
        async with asyncio.timeout(20):
            while not {"into the alarm", "while blocked"} <= set(inbox.ids):
                await asyncio.sleep(0.01)

        assert await sender.spool.waiting("operator") >= 1
