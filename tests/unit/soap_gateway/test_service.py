"""What the service decides before it starts."""

import pytest

from csms_soap_gateway.service import may_be_private
from csms_soap_gateway.settings import Settings


@pytest.mark.parametrize(
    ("listen_host", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.0.2", False),
        ("csms.example", False),
    ],
)
def test_private_stations_are_called_where_only_this_machine_calls_us(listen_host: str, allowed: bool) -> None:
    assert may_be_private(Settings(), listen_host) is allowed
    assert may_be_private(Settings(private_networks=True), listen_host)
    assert not may_be_private(Settings(private_networks=False), listen_host)
