"""The security extension: certificates, triggers, and events."""

from datetime import UTC, datetime
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.ocsp import OCSPRequestBuilder
from cryptography.x509.oid import NameOID

from csms_emulator.station import Station
from tests.unit.emulator.driving import Central, Payload, booted
from tests.unit.emulator.papers import Authority, text

ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}
NOT_FOUND = {"status": "NotFound"}
ROOTS = "CentralSystemRootCertificate"
EXPIRED = datetime(2021, 1, 1, tzinfo=UTC)


def install(central: Central, certificate: str) -> object:
    return central.command("InstallCertificate", {"certificateType": ROOTS, "certificate": certificate})


def installed(central: Central, kind: str = ROOTS) -> object:
    return central.command("GetInstalledCertificateIds", {"certificateType": kind})


def hash_data(root: x509.Certificate, algorithm: hashes.HashAlgorithm) -> Payload:
    """As OCSP has it, which is where OCPP took it from."""
    request = OCSPRequestBuilder().add_certificate(root, root, algorithm).build()
    return {
        "hashAlgorithm": algorithm.name.upper(),
        "issuerNameHash": request.issuer_name_hash.hex(),
        "issuerKeyHash": request.issuer_key_hash.hex(),
        "serialNumber": f"{request.serial_number:x}",
    }


def asked_to_sign(central: Central) -> str:
    answer = central.command("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
    central.replies["SignCertificate"] = ACCEPTED
    central.settle()
    csr = central.payloads("SignCertificate")[-1]["csr"]
    assert answer == ACCEPTED
    assert isinstance(csr, str)
    return csr


def sign(central: Central, chain: str) -> object:
    answer = central.command("CertificateSigned", {"certificateChain": chain})
    central.settle()
    return answer


def events(central: Central) -> list[str]:
    return [payload["type"] for payload in central.payloads("SecurityEventNotification")]


def test_an_installed_root_is_listed_by_its_hashes() -> None:
    central, authority = booted(), Authority("Root")

    answers = [installed(central), install(central, text(authority.root)), installed(central)]

    found = {"status": "Accepted", "certificateHashData": [hash_data(authority.root, hashes.SHA256())]}
    assert answers == [NOT_FOUND, ACCEPTED, found]
    assert installed(central, "ManufacturerRootCertificate") == NOT_FOUND


def test_a_root_that_is_installed_twice_is_there_once() -> None:
    central, root = booted(), text(Authority("Root").root)

    answers = [install(central, root), install(central, root)]

    found = installed(central)
    assert answers == [ACCEPTED, ACCEPTED]
    assert isinstance(found, dict)
    assert len(found["certificateHashData"]) == 1


def test_what_is_no_valid_certificate_is_rejected() -> None:
    central, authority = booted(), Authority("Root")
    expired = authority.issue(authority.name, authority.key.public_key(), until=EXPIRED)

    answers = [install(central, one) for one in ("", "x", text(authority.root)[:200], text(expired))]

    assert answers == [REJECTED] * 4


def test_there_is_room_for_twenty_roots() -> None:
    central = booted()

    answers = [install(central, text(Authority(f"Root {n}").root)) for n in range(21)]

    assert answers == [ACCEPTED] * 20 + [{"status": "Failed"}]


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_a_root_is_deleted_by_any_of_its_hashes(algorithm: hashes.HashAlgorithm) -> None:
    central, authority = booted(), Authority("Root")
    install(central, text(authority.root))
    wanted = {"certificateHashData": hash_data(authority.root, algorithm)}

    answers = [central.command("DeleteCertificate", wanted), central.command("DeleteCertificate", wanted)]

    assert [*answers, installed(central)] == [ACCEPTED, NOT_FOUND, NOT_FOUND]


def test_a_trigger_asks_for_a_certificate_in_the_stations_name() -> None:
    csr = x509.load_pem_x509_csr(asked_to_sign(booted()).encode())

    names = [
        str(csr.subject.get_attributes_for_oid(oid)[0].value)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    ]
    assert (csr.is_signature_valid, names) == (True, ["EMU-00001", "CSMS"])


def test_the_certificate_that_was_asked_for_is_used() -> None:
    central, authority = booted(), Authority("Root")
    install(central, text(authority.root))

    answer = sign(central, authority.answer(asked_to_sign(central)))

    assert (answer, len(central.station.board.upkeep.certificates.chain)) == (ACCEPTED, 1)
    assert events(central) == ["ReconfigurationOfSecurityParameters"]


def test_the_stations_own_certificate_is_not_deleted() -> None:
    central, authority = booted(), Authority("Root")
    install(central, text(authority.root))
    sign(central, authority.answer(asked_to_sign(central)))
    own = central.station.board.upkeep.certificates.chain[0]
    wanted = {**hash_data(authority.root, hashes.SHA256()), "serialNumber": f"{own.serial_number:X}"}

    answer = central.command("DeleteCertificate", {"certificateHashData": wanted})

    assert answer == {"status": "Failed"}


@pytest.mark.parametrize("fault", ["nothing was asked for", "another key", "expired", "another root", "no certificate"])
def test_a_certificate_that_does_not_fit_is_rejected(fault: str) -> None:
    central, authority = booted(), Authority("Root")
    csr = asked_to_sign(booted() if fault == "nothing was asked for" else central)
    stranger = Authority("Root")
    install(central, text(stranger.root if fault == "another root" else authority.root))
    chains = {
        "another key": text(authority.root),
        "expired": authority.answer(csr, until=EXPIRED),
        "no certificate": "x",
    }

    answer = sign(central, chains.get(fault) or authority.answer(csr))

    assert (answer, events(central)) == (REJECTED, ["InvalidChargePointCertificate"])


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("FirmwareStatusNotification", ("SignedFirmwareStatusNotification", {"status": "Idle"})),
        ("LogStatusNotification", ("LogStatusNotification", {"status": "Idle"})),
        ("Heartbeat", ("Heartbeat", {})),
    ],
)
def test_an_extended_trigger_is_obeyed(message: str, asked: object) -> None:
    central = booted()

    answer = central.command("ExtendedTriggerMessage", {"requestedMessage": message})

    assert (answer, central.take()) == (ACCEPTED, [asked])


@pytest.mark.parametrize("message", ["BootNotification", "MeterValues", "StatusNotification"])
def test_an_extended_trigger_sends_what_a_trigger_does(message: str) -> None:
    one, other = booted(), booted()

    one.command("ExtendedTriggerMessage", {"requestedMessage": message, "connectorId": 1})
    other.command("TriggerMessage", {"requestedMessage": message, "connectorId": 1})

    assert one.asked
    assert one.asked == other.asked


def test_an_extended_trigger_for_an_unknown_connector_is_rejected() -> None:
    central = booted()

    answer = central.command("ExtendedTriggerMessage", {"requestedMessage": "Heartbeat", "connectorId": 9})

    assert (answer, central.asked) == (REJECTED, [])


def test_a_reset_is_told_after_the_next_boot() -> None:
    central = booted()
    central.command("Reset", {"type": "Hard"})
    central.disconnect()
    central.connect()
    central.settle()

    told = central.payloads("SecurityEventNotification")

    assert told == [{"type": "ResetOrReboot", "timestamp": "2023-11-14T22:15:00.000Z"}]


def test_a_station_without_words_for_them_keeps_security_events_to_itself() -> None:
    station = Station("EMU-00001", random=Random(1), epoch=0.0, security=False)

    station.board.upkeep.event(station.board, "FirmwareUpdated", 1.0, "2.0")

    upkeep = station.board.upkeep
    assert ([*upkeep.security_log], [*upkeep.untold]) == ([(1.0, "FirmwareUpdated 2.0")], [])


def test_a_new_name_of_the_operator_is_told_and_in_the_next_request() -> None:
    central = booted()

    answer = central.command("ChangeConfiguration", {"key": "CpoName", "value": "Acme"})
    central.settle()
    csr = x509.load_pem_x509_csr(asked_to_sign(central).encode())

    (name,) = csr.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert (answer, name.value, events(central)) == (ACCEPTED, "Acme", ["ReconfigurationOfSecurityParameters"])


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_what_cannot_be_an_operators_name_is_rejected(name: str) -> None:
    assert booted().command("ChangeConfiguration", {"key": "CpoName", "value": name}) == REJECTED
