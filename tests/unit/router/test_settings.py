"""The router's settings refuse what makes no sense."""

from typing import Any

import msgspec
import pytest

from csms_router.settings import Settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"auth": "closed"},
        {"heartbeat_interval": 0},
        {"heartbeat_interval": 1.5},
        {"sweep_interval": 0},
        {"reply_memory": -1},
        {"registration": "Maybe"},
        {"password_cache": 0},
        {"presence_intervals": 1},
        {"soap_fresh": 0},
        {"backend": "accept"},
        {"accounts": {"acme": "elsewhere"}},
    ],
)
def test_a_value_out_of_range_names_its_setting(wrong: dict[str, Any]) -> None:
    (name,) = wrong

    with pytest.raises(msgspec.ValidationError, match=name):
        msgspec.convert(wrong, Settings)


@pytest.mark.parametrize(
    ("settings", "accepts"),
    [
        (Settings(), True),
        (Settings(auth="registered"), False),
        (Settings(auth="registered", unknown_tags="accept"), True),
        (Settings(unknown_tags="invalid"), False),
    ],
)
def test_unknown_tags_follow_the_policy_unless_set(settings: Settings, accepts: bool) -> None:
    assert settings.accepts_unknown_tags is accepts
