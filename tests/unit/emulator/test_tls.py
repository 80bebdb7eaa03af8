"""What emulated stations connect with over TLS, and the sentence for each file that cannot be used."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from csms_emulator.settings import Settings
from csms_emulator.tls import contexts

TLS = Path(__file__).parents[2] / "support" / "tls"
STATION, CA = str(TLS / "station.pem"), str(TLS / "ca.pem")


def fleet(**fields: Any) -> Settings:
    return Settings(**{"count": 2, "identity": "CS-{n}", "url": "wss://localhost/ocpp", **fields})


def key_file(folder: Path, encryption: serialization.KeySerializationEncryption) -> str:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    file = folder / "key.pem"
    file.write_bytes(pem)
    return str(file)


@pytest.fixture
def other(tmp_path: Path) -> str:
    """A key of nobody."""
    return key_file(tmp_path, serialization.NoEncryption())


@pytest.fixture
def locked(tmp_path: Path) -> str:
    """A key that wants a password."""
    return key_file(tmp_path, serialization.BestAvailableEncryption(b"secret"))


def test_a_plain_connection_has_no_tls() -> None:
    assert contexts(fleet(url="ws://localhost/ocpp")) == {"CS-1": None, "CS-2": None}


def test_stations_that_show_the_same_certificate_share_their_context() -> None:
    found = contexts(fleet(certificate=STATION, ca=CA))

    assert found["CS-1"]
    assert found["CS-1"] is found["CS-2"]


def test_each_station_may_show_a_certificate_of_its_own(tmp_path: Path) -> None:
    for n in (1, 2):
        (tmp_path / f"{n}.pem").write_text((TLS / "station.pem").read_text(), encoding="utf-8")

    found = contexts(fleet(certificate=f"{tmp_path}/{{n}}.pem", ca=CA))

    assert found["CS-1"] is not found["CS-2"]


def test_a_station_trusts_only_its_ca_and_speaks_tls_1_2_at_least() -> None:
    context = contexts(fleet(ca=CA))["CS-1"]

    assert context
    assert [dict(one["subject"][0])["commonName"] for one in context.get_ca_certs()] == ["csms-test-authority"]  # type: ignore[index,misc]
    assert (context.minimum_version, context.verify_mode) == (ssl.TLSVersion.TLSv1_2, ssl.CERT_REQUIRED)
    assert context.check_hostname


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"ca": "{folder}/no.pem"}, "ca: {folder}/no.pem cannot be read: No such file or directory"),
        ({"ca": "{folder}"}, "ca: {folder} cannot be read: Is a directory"),
        ({"ca": "{locked}"}, "ca: {locked} holds no certificate in PEM form"),
        (
            {"certificate": "{folder}/{{n}}.pem"},
            "certificate: {folder}/1.pem cannot be read: No such file or directory",
        ),
        ({"certificate": "{locked}"}, "certificate: {locked} holds no certificate in PEM form"),
        ({"certificate": CA}, f"key: {CA} holds no unencrypted private key in PEM form"),
        ({"certificate": STATION, "key": CA}, f"key: {CA} holds no unencrypted private key in PEM form"),
        (
            {"certificate": STATION, "key": "{locked}"},
            "key: {locked} holds no unencrypted private key in PEM form",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    fields: dict[str, str], sentence: str, tmp_path: Path, locked: str
) -> None:
    places = {"folder": tmp_path, "locked": locked}
    settings = fleet(**{name: value.format(**places) for name, value in fields.items()})

    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared below
        contexts(settings)

    assert str(refused.value) == sentence.format(**places)


def test_a_key_of_another_certificate_is_one_sentence(other: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared below
        contexts(fleet(certificate=STATION, key=other, ca=CA))

    assert str(refused.value) == f"key: {other} is not the key of {STATION}"
