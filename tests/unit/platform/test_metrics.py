"""What the process tells about itself, and histograms of other things than seconds."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from csms_platform.metrics import NUMBERS, REGISTRY, Stopwatches
from csms_platform.vitals import EVERY, watch


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def watched() -> AsyncIterator[None]:
    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_loop_that_is_held_up_shows(watched: None) -> None:
    before = value("csms_loop_lag_seconds_sum")
    time.sleep(EVERY + 0.1)  # noqa: ASYNC251 - that is the point
    await asyncio.sleep(0.02)

    assert value("csms_loop_lag_seconds_sum") - before >= 0.09


def test_a_histogram_may_count_how_many_instead_of_how_long() -> None:
    sizes = Stopwatches("test_batch_sizes", "Of this test", ("address",), NUMBERS).child("router")
    for size in (1, 3, 300):
        sizes.observe(size)

    found = [value("csms_test_batch_sizes_bucket", address="router", le=le) for le in ("1.0", "4.0", "256.0", "+Inf")]
    assert found == [1, 2, 2, 3]
    assert value("csms_test_batch_sizes_sum", address="router") == 304


def test_the_process_is_measured() -> None:
    names = {family.name for family in REGISTRY.collect()}

    assert {"process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds", "python_info"} <= names
