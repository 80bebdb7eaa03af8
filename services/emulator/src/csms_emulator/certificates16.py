"""Certificates as the security extension of OCPP 1.6 has them: trusted roots, the station's own, and who signed what.

Pure, but for the key: that is the operating system's randomness. A key that follows from a fleet's seed would be
anybody's. What a peer sends is answered with False or a status, never with an exception.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from csms_emulator.actions import Payload

MOST_ROOTS = 20
LONGEST_SERIAL = 40  # OCPP 1.6 security §5.3: serialNumber is a string[40]

CENTRAL_SYSTEM, MAKER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
_FAULTS = (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature)


class Certificates(msgspec.Struct):
    """`key` belongs to the last CSR, `chain` to the certificate in use, which is the first of it."""

    roots: dict[str, list[x509.Certificate]] = msgspec.field(default_factory=lambda: {CENTRAL_SYSTEM: [], MAKER: []})
    key: ec.EllipticCurvePrivateKey | None = None
    chain: list[x509.Certificate] = msgspec.field(default_factory=list)

    def install(self, kind: str, pem: str, at: float) -> str:
        """What InstallCertificate answers, `at` seconds since 1970."""
        found = parsed(pem)
        if not found or not _is_valid(found[0], at) or len(_serial(found[0])) > LONGEST_SERIAL:
            return "Rejected"
        roots = self.roots[kind]
        if found[0] in roots:
            return "Accepted"
        if sum(map(len, self.roots.values())) >= MOST_ROOTS:
            return "Failed"
        roots.append(found[0])
        return "Accepted"

    def ids(self, kind: str) -> list[Payload]:
        """The hash data of the roots of this kind."""
        return [self._hash_data(root, "SHA256") for root in self.roots[kind]]

    def delete(self, wanted: Payload) -> str:
        """What DeleteCertificate answers. The station's own certificate is not deleted."""
        for certificate in self.chain:
            if self._is(certificate, wanted):
                return "Failed"
        for roots in self.roots.values():
            for root in roots:
                if self._is(root, wanted):
                    roots.remove(root)
                    return "Accepted"
        return "NotFound"

    def request(self, serial: str, organization: str) -> str:
        """A CSR in PEM, for a new key."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        names = [(NameOID.COMMON_NAME, serial[:64] or "-"), (NameOID.ORGANIZATION_NAME, organization[:64])]
        subject = x509.Name([x509.NameAttribute(name, value) for name, value in names if value])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.key, hashes.SHA256())
        return csr.public_bytes(serialization.Encoding.PEM).decode()

    def adopt(self, pem: str, at: float) -> bool:
        """Use this chain, the station's own certificate first; whether it fits the last CSR's key and holds."""
        chain = parsed(pem)
        if self.key is None or not chain or not _same_key(chain[0], self.key):
            return False
        anchors = [root for root in self.roots[CENTRAL_SYSTEM] if root.subject == chain[-1].issuer]
        whole = [*chain, *anchors[:1]]
        if not all(_is_valid(one, at) for one in chain) or not _is_chain(whole):
            return False
        self.chain = chain
        return True

    def trusts_maker(self, pem: str, at: float) -> bool:
        """Whether to install firmware signed with this certificate; without a maker's root any maker is trusted."""
        chain, makers = parsed(pem), self.roots[MAKER]
        if not chain or not _is_valid(chain[0], at) or not _is_chain(chain):
            return False
        return not makers or any(_is_chain([chain[-1], maker]) or chain[-1] == maker for maker in makers)

    def _hash_data(self, certificate: x509.Certificate, algorithm: str) -> Payload:
        return {
            "hashAlgorithm": algorithm,
            "issuerNameHash": _digest(algorithm, certificate.issuer.public_bytes()),
            "issuerKeyHash": _digest(algorithm, _key_bits(self._issuer(certificate))),
            "serialNumber": _serial(certificate),
        }

    def _issuer(self, certificate: x509.Certificate) -> x509.Certificate:
        # The issuer of a root is itself; of any other one it is known only when it is installed, too.
        known = (one for one in self._all() if _is_chain([certificate, one]))
        return next(known, certificate)

    def _all(self) -> Iterator[x509.Certificate]:
        for roots in self.roots.values():
            yield from roots
        yield from self.chain

    def _is(self, certificate: x509.Certificate, wanted: Payload) -> bool:
        known = self._hash_data(certificate, wanted["hashAlgorithm"])
        return all(known[name].lower() == str(wanted[name]).lower() for name in known)


def parsed(pem: str) -> list[x509.Certificate]:
    """The certificates in a PEM text; none when one of them cannot be read, or has a key that cannot be used."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        for certificate in found:
            _read(certificate)
    except _FAULTS:
        return []
    return found


def _read(certificate: x509.Certificate) -> None:
    """Raise now what some of its fields would raise when they are looked at."""
    _key_bits(certificate)
    for name in (certificate.issuer, certificate.subject):
        name.public_bytes()
    _is_valid(certificate, 0.0)


def has_signed(pem: str, signature: str, content: bytes) -> bool:
    """Whether the owner of the certificate has signed the content: SHA-256, with RSA-PSS or ECDSA."""
    chain = parsed(pem)
    try:
        key, given = chain[0].public_key(), b64decode(signature)
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            key.verify(given, content, pss, hashes.SHA256())
            return True
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(given, content, ec.ECDSA(hashes.SHA256()))
            return True
    except (*_FAULTS, IndexError):
        return False
    return False


def _is_valid(certificate: x509.Certificate, at: float) -> bool:
    return certificate.not_valid_before_utc <= datetime.fromtimestamp(at, UTC) <= certificate.not_valid_after_utc


def _is_chain(chain: list[x509.Certificate]) -> bool:
    with suppress(*_FAULTS):
        for one, issuer in pairwise(chain):
            one.verify_directly_issued_by(issuer)
        return True
    return False


def _same_key(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    return _spki(certificate) == key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    """What RFC 6960 §4.1.1 hashes: the BIT STRING of the public key, without tag, length and unused bits."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    raise UnsupportedAlgorithm("neither RSA nor EC")


def _serial(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"


def _digest(algorithm: str, content: bytes) -> str:
    digest = hashes.Hash(_HASHES[algorithm]())
    digest.update(content)
    return digest.finalize().hex()
