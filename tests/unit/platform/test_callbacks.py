"""Which addresses may be those of stations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_platform.callbacks import LONGEST, has_user, is_callback


@pytest.mark.parametrize(
    "url",
    ["http://192.0.2.8", "https://cs-1.example:8443/ocpp?x=1", "http://[2001:db8::1]:80/", "HTTP://x", "http://u:p@x/"],
)
def test_http_and_https_urls_are(url: str) -> None:
    assert is_callback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "192.0.2.8:80",
        "ftp://x/",
        "http://",
        "http:///x",
        "http://x:0/",
        "http://x:99999/",
        "http://x:y/",
        "http://[::1/",
        "http://x/ y",
        "http://x/\n",
        "http://ü/",
        "http://x/" + "y" * LONGEST,
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not is_callback(url)


def test_a_user_in_it_is_seen() -> None:
    assert [has_user(url) for url in ("http://u@x/", "http://u:p@x/", "http://x/@", "http://x/?u@y")] == [
        True,
        True,
        False,
        False,
    ]


@given(st.text())
def test_any_text_is_one_or_none(url: str) -> None:
    assert is_callback("http://" + url) in (True, False)
