"""The signature, against a value computed elsewhere (`openssl dgst -sha256 -hmac`)."""

import pytest

from csms_webhook_relay.signature import is_genuine, sign

SECRET, BODY = b"shared-secret", b'{"identity":"CS-1"}'
SIGNATURE = "sha256=25638b36fefd99e894ebd8b2d573a83080ee6fa9fa12a6b05ca0d1cf25daa414"


def test_the_signature_is_what_openssl_says() -> None:
    assert sign(SECRET, "1767268800", BODY) == SIGNATURE


@pytest.mark.parametrize("late", [-300, 0, 300])
def test_a_fresh_signature_is_genuine(late: int) -> None:
    assert is_genuine(SIGNATURE, SECRET, "1767268800", BODY, now=1767268800.0 + late)


@pytest.mark.parametrize(
    ("signature", "timestamp", "body", "now"),
    [
        (SIGNATURE, "1767268800", BODY, 1767269101.0),
        (SIGNATURE, "1767268801", BODY, 1767268800.0),
        (SIGNATURE, "1767268800", BODY + b" ", 1767268800.0),
        (SIGNATURE[:-1], "1767268800", BODY, 1767268800.0),
        ("\udcff", "1767268800", BODY, 1767268800.0),
        (SIGNATURE, "", BODY, 1767268800.0),
        (SIGNATURE, "-1", BODY, 1767268800.0),
        (SIGNATURE, "²", BODY, 1767268800.0),
        (SIGNATURE, "9" * 400, BODY, 1767268800.0),
    ],
)
def test_what_is_old_or_altered_is_not(signature: str, timestamp: str, body: bytes, now: float) -> None:
    assert not is_genuine(signature, SECRET, timestamp, body, now=now)
