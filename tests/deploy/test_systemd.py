"""deploy/systemd against the services and, where it is installed, systemd: what the units run, set and load exists.

How a process and systemd talk to each other is in `tests/e2e/test_supervised.py`.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from csms import arguments
from csms.compose import plan
from csms.settings import Configuration, read
from csms_platform.plan import ListenSettings, Plan
from csms_ws_gateway.settings import Settings as GatewaySettings
from tests.support.variables import known_variables

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = ("ws-gateway", "soap-gateway", "router", "webhook-relay", "api")
UNITS = ("csms.service", *(f"csms@{name}.service" for name in SERVICES))
SECRETS = {
    "bus_url": "amqp://csms:secret@localhost/",
    "state_url": "redis://localhost:6379/0",
    "api_keys": '[{"name": "operator", "key": "5f1c0a9e7b2d44c1"}]',
}
# systemd-analyze security: from 0 (locked up) to 10 (may do anything).
EXPOSURE = 2.0

Setting = tuple[str, str]


def written(unit: str) -> list[Setting]:
    """What the unit says in [Service], its drop-ins after it, in order."""
    template = FOLDER / re.sub("@[^.]*", "@", unit)
    return [
        setting
        for file in (template, *sorted((FOLDER / f"{unit}.d").glob("*.conf")))
        for setting in _service(file.read_text(encoding="utf-8"))
    ]


def _service(text: str) -> list[Setting]:
    section = text.partition("[Service]\n")[2].partition("\n[")[0]
    lines = [line for line in section.splitlines() if line and not line.startswith("#")]
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def one(unit: str, name: str) -> str:
    """The setting that counts, when there is one to count."""
    return [value for key, value in written(unit) if key == name][-1]


def environment(unit: str, credentials: Path) -> dict[str, str]:
    """The variables, with the folder that systemd would make for credentials."""
    instance = unit.partition("@")[2].removesuffix(".service")
    pairs = [value.replace("%i", instance) for key, value in written(unit) if key == "Environment"]
    return {name: value.replace("%d", str(credentials)) for name, _, value in (pair.partition("=") for pair in pairs)}


def credentials(unit: str) -> dict[str, str]:
    """What is loaded: the name → the file."""
    return dict(value.split(":", 1) for key, value in written(unit) if key == "LoadCredential")


def started(unit: str, tmp_path: Path) -> Plan:
    """What the unit's command would run, with the secrets that it loads and an empty csms.toml."""
    for name in credentials(unit):
        (tmp_path / name).write_text(f"{SECRETS[name]}\n", encoding="utf-8")
    environ = environment(unit, tmp_path)
    (tmp_path / "csms.toml").write_text("", encoding="utf-8")
    command = one(unit, "ExecStart").replace("${SERVICE}", environ.get("SERVICE", "")).replace("%S", str(tmp_path))
    options = arguments.parser().parse_args(shlex.split(command)[1:])
    options.config = tmp_path / "csms.toml"
    if options.command == "webhook-relay":
        environ["CSMS_WEBHOOK_URL"] = "https://operator.example/ocpp"
    return plan(options.command, read(options.config, environ, arguments.overrides(options)), 0)


# --- against the services ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_the_service_of_its_name_with_what_it_loads(unit: str, tmp_path: Path) -> None:
    made = started(unit, tmp_path)

    service = unit.partition("@")[2].removesuffix(".service")
    assert made.name == (f"csms-{service}" if service else "csms")
    assert made.bus.url == (SECRETS["bus_url"] if service else "memory://")
    assert made.state.url == (SECRETS["state_url"] if "state_url" in credentials(unit) else "memory://")


def test_the_one_process_keeps_its_state_in_the_directory_that_systemd_makes(tmp_path: Path) -> None:
    made = started("csms.service", tmp_path)

    assert made.data == tmp_path / one("csms.service", "StateDirectory")


def test_services_on_one_machine_have_ports_of_their_own(tmp_path: Path) -> None:
    listening = [started(unit, tmp_path).listen for unit in UNITS]

    ports = [listen.port for listen in listening if listen]
    assert len(set(ports)) == len(UNITS)


@pytest.mark.parametrize("unit", UNITS)
def test_every_variable_is_one_that_the_services_read(unit: str, tmp_path: Path) -> None:
    assert environment(unit, tmp_path).keys() - known_variables() - {"SERVICE"} == set()


@pytest.mark.parametrize("unit", UNITS)
def test_every_credential_is_loaded_for_a_variable_and_every_file_is_a_credential(unit: str, tmp_path: Path) -> None:
    files = {Path(value).name for name, value in environment(unit, tmp_path).items() if name.endswith("_FILE")}

    assert files == credentials(unit).keys()
    assert credentials(unit) == {name: f"/etc/csms/credentials/{name}" for name in files}


def test_gateways_do_not_know_where_the_store_is() -> None:
    loaded = {name: set(credentials(f"csms@{name}.service")) for name in SERVICES}

    assert loaded["ws-gateway"] == loaded["soap-gateway"] == {"bus_url"}


# --- times and sizes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_waits_longer_than_a_process_drains_and_a_process_longer_than_its_services(unit: str) -> None:
    sections = [field.type() for field in msgspec.structs.fields(Configuration) if field.name != "listen"]
    services = max(section.drain_seconds for section in sections if hasattr(section, "drain_seconds"))

    assert int(one(unit, "TimeoutStopSec")) > ListenSettings().drain_seconds > services
    assert [one(unit, key) for key in ("KillSignal", "KillMode", "Restart")] == ["SIGTERM", "mixed", "on-failure"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_process_may_open_a_file_for_each_of_a_hundred_thousand_stations(unit: str) -> None:
    assert int(one(unit, "LimitNOFILE")) > 100_000 > GatewaySettings().max_connections


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_told_how_the_process_is_and_tells_it_to_reload(unit: str) -> None:
    told = {key: one(unit, key) for key in ("Type", "NotifyAccess", "ExecReload", "WatchdogSec")}

    # notify-reload came with systemd 253; Debian 12 has 252.
    assert told == {"Type": "notify", "NotifyAccess": "main", "ExecReload": "kill -HUP $MAINPID", "WatchdogSec": "30"}


# --- against systemd --------------------------------------------------------------------------------------------------


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("NOT RUN: there is no systemd-analyze here, so systemd has not looked at deploy/systemd.")
    return found


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The units, with this environment's `csms` for /opt/csms/bin/csms."""
    folder = tmp_path / "units"
    shutil.copytree(FOLDER, folder)
    command = Path(sys.executable).parent / "csms"
    for file in folder.glob("*.service"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("/opt/csms/bin/csms", str(command)), encoding="utf-8")
    return folder


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_no_complaint_about_a_unit(analyze: str, copied: Path, unit: str) -> None:
    environ = {"SYSTEMD_UNIT_PATH": f"{copied}:"}
    done = subprocess.run([analyze, "verify", "--man=no", unit], env=environ, capture_output=True, text=True)

    assert [line for line in done.stderr.splitlines() if "csms" in line] == []
    assert done.returncode == 0


@pytest.mark.parametrize("unit", ["csms.service", "csms@router.service"])
def test_systemd_finds_little_that_a_unit_may_do(analyze: str, copied: Path, unit: str) -> None:
    text = (copied / re.sub("@[^.]*", "@", unit)).read_text(encoding="utf-8")
    file = copied / "judged.service"
    file.write_text(text.replace("%i", "router"), encoding="utf-8")

    command = [analyze, "security", "--offline=yes", f"--threshold={EXPOSURE * 10:.0f}", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_account_of_the_units_is_made() -> None:
    accounts = re.findall(r"^u (\w+) ", (FOLDER / "sysusers.conf").read_text(encoding="utf-8"), re.MULTILINE)

    assert {one(unit, "User") for unit in UNITS} == {one(unit, "Group") for unit in UNITS} == set(accounts)
