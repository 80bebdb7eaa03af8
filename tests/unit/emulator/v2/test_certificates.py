"""The certificates of a 2.x station, made by a real authority."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.ocsp import OCSPRequestBuilder

from csms_emulator.v2.device import Device
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.papers import Authority, text
from tests.unit.emulator.v2.asking import ACCEPTED, ISO_NOW, ask, device

CSMS, V2G, MAKER = "CSMSRootCertificate", "V2GRootCertificate", "ManufacturerRootCertificate"
UNREADABLE = {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCertificate"}}


def install(station: Device, kind: str, certificate: str) -> Payload:
    return ask(station, "InstallCertificate", {"certificateType": kind, "certificate": certificate})[0]


def ids(station: Device, *kinds: str) -> Payload:
    return ask(station, "GetInstalledCertificateIds", {"certificateType": [*kinds]} if kinds else {})[0]


def hash_data(certificate: x509.Certificate, issuer: x509.Certificate) -> Payload:
    """As OCSP has it, which is where OCPP took it from."""
    request = OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()).build()
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": request.issuer_name_hash.hex(),
        "issuerKeyHash": request.issuer_key_hash.hex(),
        "serialNumber": f"{request.serial_number:x}",
    }


def entry(kind: str, certificate: x509.Certificate, issuer: x509.Certificate) -> Payload:
    return {"certificateType": kind, "certificateHashData": hash_data(certificate, issuer)}


def test_an_installed_root_is_told_by_its_hashes_until_it_is_deleted() -> None:
    station, root = device(), Authority("root").root

    installed = install(station, V2G, text(root))
    told = ids(station)
    deleted = [ask(station, "DeleteCertificate", {"certificateHashData": hash_data(root, root)})[0] for _ in range(2)]

    assert installed == ACCEPTED
    assert told == {**ACCEPTED, "certificateHashDataChain": [entry(V2G, root, root)]}
    assert deleted == [ACCEPTED, {"status": "NotFound"}]
    assert ids(station) == {"status": "NotFound"}


def test_roots_are_told_by_their_kind() -> None:
    station, root = device(), Authority("root").root

    for kind in (CSMS, MAKER):
        install(station, kind, text(root))

    assert ids(station, MAKER, V2G)["certificateHashDataChain"] == [entry(MAKER, root, root)]
    assert ids(station, V2G) == {"status": "NotFound"}
    assert station.number("SecurityCtrlr", "CertificateEntries") == 2


@pytest.mark.parametrize("certificate", ["", "ü" * 300, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_not_installed(certificate: str) -> None:
    assert install(device(), CSMS, certificate) == UNREADABLE


def test_a_signed_certificate_must_fit_the_last_request() -> None:
    station, authority = device(), Authority("csms")
    csr = station.memory.keyring.station.request("EMU-1", "CSMS")

    good, none = ask(station, "CertificateSigned", {"certificateChain": authority.answer(csr)})
    station.memory.keyring.station.request("EMU-1", "CSMS")
    bad, event = ask(station, "CertificateSigned", {"certificateChain": authority.answer(csr)})

    assert (good, none) == (ACCEPTED, [])
    told = {"type": "InvalidChargingStationCertificate", "timestamp": ISO_NOW}
    assert (bad, event) == (UNREADABLE, [("SecurityEventNotification", told)])


def test_a_v2g_chain_is_told_with_its_issuer_found_among_the_roots() -> None:
    station, authority = device(), Authority("v2g")
    install(station, V2G, text(authority.root))
    signed = authority.answer(station.memory.keyring.v2g.request("EMU-1", "CSMS"))

    answer, _ = ask(station, "CertificateSigned", {"certificateChain": signed, "certificateType": "V2GCertificate"})

    leaf = x509.load_pem_x509_certificate(signed.encode())
    assert answer == ACCEPTED
    chain = [entry("V2GCertificateChain", leaf, authority.root)]
    assert ids(station, "V2GCertificateChain")["certificateHashDataChain"] == chain
    deletion = {"certificateHashData": hash_data(leaf, authority.root)}
    assert ask(station, "DeleteCertificate", deletion)[0] == ACCEPTED
    assert ids(station, "V2GCertificateChain") == {"status": "NotFound"}
