"""Who answers for which account, and where the letters of a station wait."""

import pytest

from csms_router.backends import Backends
from csms_router.settings import Settings


@pytest.mark.parametrize(
    ("settings", "served"),
    [
        (Settings(), set()),
        (Settings(backend="webhook"), {"", "acme", "volt"}),
        (Settings(backend="webhook", accounts={"acme": "builtin"}), {"", "volt"}),
        (Settings(accounts={"acme": "webhook", "volt": "builtin"}), {"acme"}),
        (Settings(accounts={"acme": "builtin"}), set()),
    ],
)
def test_an_account_is_served_as_it_is_listed_and_the_others_by_default(settings: Settings, served: set[str]) -> None:
    backends = Backends(settings)

    assert {account for account in ("", "acme", "volt") if backends.webhook(account)} == served
    assert backends.forwards is bool(served)


def test_the_letters_of_an_account_with_an_endpoint_of_its_own_wait_there() -> None:
    backends = Backends(Settings(backend="webhook", accounts={"acme": "webhook"}))

    lanes = [backends.lane(account, "CS-1") for account in ("acme", "volt", "")]

    assert lanes == ["acme/CS-1", "default/CS-1", "default/CS-1"]
