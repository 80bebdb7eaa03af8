"""docs/bus.md says what the code does: every address, every envelope field and every kind stands in its tables."""

import re
from pathlib import Path

import msgspec

from csms_platform import ports
from csms_platform.bus import amqp_topology
from csms_platform.envelope import Capsule, Envelope, Kind

BUS = (Path(__file__).parents[3] / "docs" / "bus.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return BUS.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_cells(table_of: str, heading: str) -> list[str]:
    table = table_of.split(heading, 1)[1].split("\n\n", 1)[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|") and "---" not in line]
    return [name for cell in rows for name in re.findall(r"`([^`]+)`", cell)]


def test_every_address_of_the_code_is_documented_and_no_other() -> None:
    documented = first_cells(section("Addresses"), "| address | kind | RabbitMQ |")

    private = [ports.gateway_address(ports.GatewayId("<id>")), ports.api_address("<id>")]
    shared = {value.name for value in vars(ports).values() if isinstance(value, ports.Address)}
    assert sorted(documented) == sorted({*shared, *(address.name for address in private)})
    assert not any(address.shared for address in private)


def test_every_public_exchange_and_queue_is_documented_and_no_other() -> None:
    documented = first_cells(section("Addresses"), "| public | RabbitMQ | holds |")

    names = {name: value for name, value in vars(amqp_topology).items() if name.isupper() and not name.startswith("_")}
    assert sorted(documented) == sorted(
        value + "<endpoint>" if name == "SPOOL" else value for name, value in names.items()
    )


def test_every_field_of_the_envelope_is_documented_and_no_other() -> None:
    documented = first_cells(section("Envelope"), "| field | meaning |")

    assert sorted(documented) == sorted(field.encode_name for field in msgspec.structs.fields(Envelope))


def test_every_kind_of_envelope_is_documented_and_no_other() -> None:
    documented = first_cells(section("Envelope"), "| `type` | from → to | says |")

    assert sorted(set(documented)) == sorted(kind.value for kind in Kind)


def test_the_capsule_s_fields_are_documented() -> None:
    row = next(line for line in BUS.splitlines() if line.startswith("| `session` |"))

    assert sorted(re.findall(r"`(\w+)`", row)[1:]) == sorted(field.name for field in msgspec.structs.fields(Capsule))
