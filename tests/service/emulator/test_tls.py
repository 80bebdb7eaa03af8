"""Emulated stations over TLS: against central systems that want to see a certificate, and against our own."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from csms_ocpp.version import Version
from tests.service.emulator.fleet import emulated
from tests.service.emulator.foreign import foreign_central
from tests.service.emulator.soap_central import soap_central
from tests.service.emulator.test_park import parked, station
from tests.support.processes import Csms
from tests.support.system import all_in_one

TLS = Path(__file__).parents[2] / "support" / "tls"
STATION, STRANGER, CA = (str(TLS / f"{name}.pem") for name in ("station", "stranger", "ca"))


def server() -> ssl.SSLContext:
    """That of a central system which hangs up on whoever shows no certificate of its authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    context.load_verify_locations(CA)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@asynccontextmanager
async def said(*arguments: str) -> AsyncIterator[Csms]:
    """`csms emulate` of one station, which says what came of it."""
    process = Csms("emulate", "--count", "1", *arguments, env={"CSMS_LOG_FORMAT": "json"})
    try:
        yield process
    finally:
        process.close()


async def test_a_station_shows_its_certificate_where_one_is_demanded() -> None:
    async with foreign_central(tls=server()) as central, emulated(central.url, certificate=STATION, ca=CA):
        await central.hears("BootNotification", "StatusNotification")


@pytest.mark.parametrize("version", [Version.V1_5, Version.V1_6])
async def test_a_station_that_speaks_soap_does_too(version: Version) -> None:
    async with soap_central(version, tls=server()) as central:
        how: Any = {"transport": "soap", "version": version.removeprefix("ocpp")}
        async with emulated(central.url, certificate=STATION, ca=CA, **how):
            await central.hears("BootNotification", "StatusNotification")


def profile_3(folder: Path) -> Path:
    """Two stations, and the files with the certificate, the key and the authority that each of them names."""
    station(
        folder,
        'count = 2\nidentity = "CS-{n}"\nsecurity_profile = 3\n'
        'certificate = "{n}.crt"\nkey = "{n}.key"\nca = "ca.pem"\n',
    )
    certificate, start, key = Path(STATION).read_text(encoding="utf-8").partition("-----BEGIN PRIVATE KEY-----")
    for n in (1, 2):
        (folder / f"{n}.crt").write_text(certificate, encoding="utf-8")
        (folder / f"{n}.key").write_text(start + key, encoding="utf-8")
    (folder / "ca.pem").write_text(Path(CA).read_text(encoding="utf-8"), encoding="utf-8")
    return folder


async def test_a_file_names_them_from_its_own_folder_and_each_station_may_have_its_own(tmp_path: Path) -> None:
    folder = profile_3(tmp_path / "the {park}")
    async with foreign_central(tls=server()) as central, parked(folder, url=central.url):
        await central.hears("BootNotification", peer="CS-1")
        await central.hears("BootNotification", peer="CS-2")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "self-signed certificate in certificate chain"),
        (("--ca", CA), "did not receive a valid HTTP response"),
        (("--ca", CA, "--certificate", STRANGER), "did not receive a valid HTTP response"),
    ],
)
async def test_whom_nobody_trusts_does_not_connect_and_says_why(options: tuple[str, ...], reason: str) -> None:
    async with foreign_central(tls=server()) as central, said("--url", central.url, *options) as process:
        told = await process.logged("not connected")

    assert reason in told["reason"]
    assert central.heard == []


async def test_a_certificate_that_cannot_be_used_is_refused_before_anything_starts() -> None:
    async with said("--ca", CA, "--certificate", "nowhere.pem") as process:
        code = await process.exited()

    assert code == 2
    assert process.stderr == ("csms: emulator: certificate: nowhere.pem cannot be read: No such file or directory.\n")


REGISTERED = """
auth = "registered"

[[stations]]
identity = "CS-1"
security_profile = 3

[[stations]]
identity = "CS-2"
security_profile = 3
"""


async def test_our_own_central_system_accepts_the_station_whose_name_the_certificate_bears(tmp_path: Path) -> None:
    (tmp_path / "csms.toml").write_text(REGISTERED, encoding="utf-8")
    tls = {"CSMS_TLS_CERTIFICATE": str(TLS / "server.pem"), "CSMS_TLS_CLIENT_CA": CA}
    with closing(all_in_one("--config", str(tmp_path / "csms.toml"), env=tls)) as running:
        url = f"wss://localhost:{running.gateways[0].port}/ocpp"
        await running.gateways[0].process.logged("listening")
        options = ("--url", url, "--ca", CA, "--certificate", STATION, "--identity")
        async with said(*options, "CS-1") as own, said(*options, "CS-2") as other:
            await own.logged("accepted", station="CS-1")
            refused = await other.logged("not connected", station="CS-2")

    needs = "Security profile 3 needs a client certificate with this identity as its common name."
    assert refused["reason"] == f"HTTP 403 {needs}"
