"""What a transfer decides without a server; with one: tests/service/emulator/test_transfers.py."""

from urllib.parse import urlsplit

import pytest

from csms_emulator.actions import Failure, Transfer
from csms_emulator.transfers import carry_out, destination


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://example.org", "https://example.org/a%20b.log"),
        ("https://example.org/logs", "https://example.org/logs/a%20b.log"),
        ("https://example.org/logs/#top", "https://example.org/logs/a%20b.log"),
        ("https://example.org/logs?signature=x", "https://example.org/logs?signature=x"),
        ("ftp://me:secret@example.org:2121/logs/", "ftp://me:secret@example.org:2121/logs/a%20b.log"),
    ],
)
def test_a_file_goes_into_the_directory_unless_the_place_is_for_one_file(url: str, place: str) -> None:
    assert destination(urlsplit(url), "a b.log") == place


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("file:///etc/passwd", "unsupported"),
        ("sftp://example.org/", "unsupported"),
        ("/etc/passwd", "unsupported"),
        ("", "unsupported"),
        ("http://", "malformed"),
        ("ftp:///file", "malformed"),
        ("http://[::1/", "malformed"),
        ("http://example.org:port/", "malformed"),
        ("ftp://127.0.0.1:1/a\r\nDELE b", "failed"),
        ("http://127.0.0.1:1/", "failed"),
        ("ftp://127.0.0.1:1/", "failed"),
    ],
)
@pytest.mark.parametrize("content", [None, b"log"])
async def test_what_cannot_be_carried_out_is_a_failure_with_a_reason(
    url: str, failure: Failure, content: bytes | None
) -> None:
    outcome = await carry_out(Transfer(url, 1, content, "a.log"))

    assert (outcome.failure, outcome.content, bool(outcome.reason)) == (failure, b"", True)


async def test_a_reason_has_no_password_in_it() -> None:
    urls = [f"{scheme}://me:secret@127.0.0.1:1/" for scheme in ("http", "ftp", "sftp")]

    reasons = [(await carry_out(Transfer(url, 1))).reason for url in urls]

    assert [reason for reason in reasons if "secret" in reason] == []
