import pytest

from csms_platform.patience import FIRST_PAUSE, LONGEST_PAUSE, patiently
from csms_platform.ports import Unavailable


async def test_what_cannot_be_done_now_is_done_later_with_growing_pauses() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def work() -> str:
        if len(pauses) < 12:
            raise Unavailable("away")
        return "done"

    assert await patiently(work, sleep=sleep) == "done"
    bounds = [min(FIRST_PAUSE * 2**rung, LONGEST_PAUSE) for rung in range(12)]
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(pauses, bounds, strict=True))


async def test_another_error_is_not_waited_out() -> None:
    async def work() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await patiently(work)
