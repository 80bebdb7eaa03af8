"""Settings of the webhook: what is understood, and the sentence for everything that cannot be."""

import re
from pathlib import Path
from typing import Any

import pytest

from csms_platform.settings import SettingsError, Source
from csms_webhook_relay.settings import Account, Observer, Settings

URL = "https://operator.example/ocpp"


def test_without_a_url_nobody_is_asked() -> None:
    settings = Settings()

    assert (settings.endpoints(), settings.endpoint_of("acme")) == ({}, "")


def test_a_url_is_enough_to_serve_every_account() -> None:
    settings = Settings(url=URL)

    assert settings.endpoints() == {"default": settings}
    assert [settings.endpoint_of(account) for account in ("", "acme")] == ["default", "default"]


def test_enable_switches_it_off() -> None:
    settings = Settings(url=URL, enable=False, accounts={"acme": Account(url=URL)})

    assert (settings.endpoints(), settings.endpoint_of("acme")) == ({}, "")


def test_an_account_has_an_endpoint_of_its_own_or_is_left_to_the_router() -> None:
    acme = Account(url="http://acme.example/")
    settings = Settings(url=URL, accounts={"acme": acme, "own": Account(backend="builtin")})

    assert settings.endpoints() == {"default": settings, "acme": acme}
    assert [settings.endpoint_of(account) for account in ("acme", "own", "other")] == ["acme", "", "default"]


def test_with_backend_builtin_only_listed_accounts_are_served() -> None:
    settings = Settings(url=URL, backend="builtin", accounts={"acme": Account(url=URL)})

    assert [settings.endpoint_of(account) for account in ("acme", "")] == ["acme", ""]


@pytest.mark.parametrize("word", ["Off", "off", "BASIC", "bearer"])
def test_authorization_is_understood_in_any_case(word: str) -> None:
    assert Settings(url=URL, authorization=word, username="u", password="p", token="t").authorization == word


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "operator.example"}, "url is an http:// or https:// address, not 'operator.example'"),
        ({"url": "ftp://operator.example"}, "url is an http:// or https:// address, not 'ftp://operator.example'"),
        ({"url": "http://[::1"}, "url is an http:// or https:// address, not 'http://[::1'"),
        ({"url": "http://a b/"}, "url is an http:// or https:// address, not 'http://a b/'"),
        ({"url": "http://a:99999/"}, "url is an http:// or https:// address, not 'http://a:99999/'"),
        ({"url": URL + "#here"}, "url has a #fragment, which is never sent"),
        (
            {"url": "https://u:p@operator.example"},
            "url contains credentials: use authorization, username and password",
        ),
        ({"url": URL, "authorization": "Digest"}, "authorization is Off, Basic or Bearer, not 'Digest'"),
        ({"url": URL, "authorization": "Basic"}, "username is missing: authorization is Basic"),
        ({"url": URL, "password": "p"}, "username is missing: there is a password"),
        (
            {"url": URL, "authorization": "Basic", "username": "a:b"},
            "username contains a colon, which Basic cannot carry",
        ),
        ({"url": URL, "authorization": "Bearer"}, "token is missing: authorization is Bearer"),
        (
            {"url": URL, "authorization": "Bearer", "token": "a\nb"},
            "token contains characters that no header can carry",
        ),
        ({"enable": True}, "url is missing: without one nobody can be asked"),
        ({"backend": "webhook"}, "url is missing: backend = webhook needs one"),
        ({"client_key": "key.pem"}, "client_certificate is missing: there is a key"),
        ({"accounts": {"acme": Account()}}, "accounts.acme.url is missing"),
        (
            {"accounts": {"a/b": Account(backend="builtin")}},
            "'a/b': an account or observer is named by [A-Za-z0-9_.-]+",
        ),
        (
            {"accounts": {"default": Account(url=URL)}},
            "'default' is the name of the endpoint at the top: choose another one",
        ),
        (
            {"accounts": {"x": Account(url=URL)}, "observers": (Observer(name="x", url=URL),)},
            "two accounts or observers are called 'x'",
        ),
        ({"observers": (Observer(name="x", url=URL, actions=("Reset",)),)}, "observers.x: no station sends 'Reset'"),
        ({"policies": {"Autorize": "spool"}}, "policies: no station sends 'Autorize'"),
        (
            {"policies": {"Authorize": "maybe"}},
            "policies.Authorize is one of spool, builtin, accept, reject, error, not 'maybe'",
        ),
        (
            {"policies": {"StopTransaction": "error"}},
            "policies.StopTransaction cannot be error: a station repeats it until it is answered positively",
        ),
        ({"default_policy": "x"}, "default_policy is one of spool, builtin, accept, reject, error, not 'x'"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Settings(**fields)


def test_the_file_and_the_environment_are_read(tmp_path: Path) -> None:
    file = tmp_path / "csms.toml"
    file.write_text(
        f"""
        [webhook]
        url = "{URL}"
        timeout = 4
        [webhook.policies]
        Authorize = "reject"
        [webhook.accounts.acme]
        url = "http://acme.example/"
        [[webhook.observers]]
        name = "billing"
        url = "http://billing.example/"
        actions = ["StopTransaction"]
        """,
        encoding="utf-8",
    )

    found = Source(file, {"CSMS_WEBHOOK_AUTHORIZATION": "Bearer", "CSMS_WEBHOOK_TOKEN": "abc"}).section(
        "webhook", Settings
    )

    assert found == Settings(
        url=URL,
        timeout=4.0,
        authorization="Bearer",
        token="abc",
        policies={"Authorize": "reject"},
        accounts={"acme": Account(url="http://acme.example/")},
        observers=(Observer(name="billing", url="http://billing.example/", actions=("StopTransaction",)),),
    )


def test_a_misspelt_key_of_an_account_is_refused() -> None:
    environ = {"CSMS_WEBHOOK_ACCOUNTS": '{"acme": {"ulr": "http://acme.example/"}}'}

    with pytest.raises(SettingsError, match="CSMS_WEBHOOK_ACCOUNTS: Object contains unknown field `ulr`"):
        Source(None, environ).section("webhook", Settings)
