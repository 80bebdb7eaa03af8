"""The router copies for observers what nobody else gets to see, and only when there are any."""

import pytest

from csms.settings import read

OBSERVERS = {"CSMS_WEBHOOK_OBSERVERS": '[{"name": "audit", "url": "http://audit.example/"}]'}


@pytest.mark.parametrize(
    ("environment", "observed"),
    [
        ({}, False),
        ({"CSMS_WEBHOOK_URL": "http://operator.example/"}, False),
        (OBSERVERS, True),
        (OBSERVERS | {"CSMS_WEBHOOK_ENABLE": "false"}, False),
    ],
)
def test_what_the_router_answers_is_observed_when_there_are_observers(
    environment: dict[str, str], observed: bool
) -> None:
    assert read(None, environment).router.observed is observed
