"""docs/webhook.md is true: its tables are those of the code, its snippets work."""

import re
import time
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from csms_platform import metrics
from csms_webhook_relay import metrics as _live  # noqa: F401 - registers them
from csms_webhook_relay import spool_metrics as _late  # noqa: F401
from csms_webhook_relay.delivery import Stationery, body
from csms_webhook_relay.policies import POLICIES, defaults
from csms_webhook_relay.reply import Answered, Refused, read
from csms_webhook_relay.settings import Settings, Target
from tests.unit.webhook_relay.calls import call

TEXT = (Path(__file__).parents[3] / "docs" / "webhook.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    """The cells of the table below this header, row by row."""
    table = TEXT.split(header + "\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_table_of_default_policies_is_that_of_the_code() -> None:
    told = {action: names(cells[0])[0] for cells in rows("| default | actions |") for action in cells[1].split(", ")}

    assert told == defaults()


def test_every_policy_is_explained() -> None:
    told = [names(cells[0])[0] for cells in rows("| policy | the station is told | and the endpoint |")]

    assert told == list(POLICIES)


def test_every_setting_is_told_with_its_default() -> None:
    table = rows("| key | default | meaning |")
    told = [name for cells in table for name in names(cells[0])]
    defaults_told = {
        name: value.strip()
        for cells in table
        for name, value in zip(names(cells[0]), cells[1].replace("`", "").split(","), strict=False)
        if value.strip()
    }

    fields = msgspec.structs.fields(Settings)
    shown = {field.name: _shown(field.default) for field in fields if field.name in defaults_told}
    assert sorted(told) == sorted(field.name for field in fields)
    assert defaults_told == shown


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def test_the_configuration_can_be_used_as_it_stands() -> None:
    (toml,) = snippets("toml")

    settings = msgspec.convert(tomllib.loads(toml)["webhook"], Settings)

    assert sorted(settings.endpoints()) == ["acme", "default"]
    assert settings.policies == {"Authorize": "reject"}
    assert [observer.name for observer in settings.observers] == ["audit"]


def test_the_snippet_recognises_our_signature_and_nothing_else() -> None:
    (code,) = snippets("python")
    scope: dict[str, Any] = {}
    exec(code, scope)
    is_genuine, now, sent = scope["is_genuine"], time.time(), body(call())
    headers = Stationery(Target(url="http://a", secret="s3cret")).headers(sent, delivery_id="1", attempt=1, now=now)
    timestamp, signature = headers["X-OCPP-Timestamp"], headers["X-OCPP-Signature"]

    assert is_genuine("s3cret", timestamp, signature, sent)
    assert not is_genuine("other", timestamp, signature, sent)
    assert not is_genuine("s3cret", timestamp, signature, sent + b" ")
    assert not is_genuine("s3cret", str(int(now) - 301), signature, sent)
    assert not is_genuine("s3cret", "", "", sent)


def test_the_replies_mean_what_is_said_of_them() -> None:
    result, error = snippets("json")
    started = call("StartTransaction")

    found = read(200, result.encode(), started)
    assert isinstance(found, Answered)
    assert msgspec.json.decode(found.payload)["transactionId"] == 4711
    assert read(200, error.encode(), started) == Refused("NotSupported", "We do not do that.", msgspec.Raw(b"{}"))


def test_the_request_s_keys_and_headers_are_told() -> None:
    keys = {name for cells in rows("| key | |") for name in names(cells[0])}
    headers = {cells[0].strip("`").lower() for cells in rows("| header | |")}
    late = body(call(account="acme"), msgspec.Raw(b"{}"), 1)
    sent = Stationery(Target(url="http://a", secret="s")).headers(
        late, delivery_id="1", attempt=1, now=0, traceparent="t", stored=1
    )

    assert keys == set(msgspec.json.decode(late))
    assert headers == {name.lower() for name in sent} - {"content-type", "user-agent", "authorization"}


def test_every_metric_of_the_webhook_is_told() -> None:
    told = {name for cells in rows("| metric | |") for name in re.findall(r"`(csms_\w+)", cells[0])}

    families = re.findall(r"^# TYPE (csms_webhook_\w+) ", metrics.render().decode(), re.MULTILINE)
    assert told == {name for name in families if not name.endswith("_created")}
