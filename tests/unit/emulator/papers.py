"""Certificates for tests, valid for decades around the station's time, and what their keys sign."""

from base64 import b64encode
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

BEFORE, AFTER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


class Authority:
    """Issues certificates; `root` is its own."""

    def __init__(self, name: str, key: Key | None = None) -> None:
        self.name = named(name)
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.root = self.issue(self.name, self.key.public_key())

    def issue(self, subject: x509.Name, key: PublicKey, *, until: datetime = AFTER) -> x509.Certificate:
        """A certificate of this authority; its own root is one that it issues to itself."""
        builder = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number(), BEFORE, until)
        return builder.sign(self.key, hashes.SHA256())

    def answer(self, csr: str, *, until: datetime = AFTER) -> str:
        """The certificate that a CSR asks for."""
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        assert request.is_signature_valid
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return text(self.issue(request.subject, key, until=until))

    def sign(self, content: bytes) -> str:
        """The signature that belongs to SignedUpdateFirmware."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
            return b64encode(self.key.sign(content, pss, hashes.SHA256())).decode()
        return b64encode(self.key.sign(content, ec.ECDSA(hashes.SHA256()))).decode()
