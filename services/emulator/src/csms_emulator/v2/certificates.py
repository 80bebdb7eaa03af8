"""Certificates of a 2.x station: the roots it trusts, and the chains that were signed for it.

What a certificate is and when it holds stands in `certificates16`.
"""

from csms_emulator.actions import Payload
from csms_emulator.certificates16 import CENTRAL_SYSTEM, MAKER, Certificates

CHARGING_STATION, V2G_CHAIN = "ChargingStationCertificate", "V2GCertificateChain"
# What 2.x calls a root, by its place in `certificates16`, which knows 1.6's two.
ROOTS = {
    "CSMSRootCertificate": CENTRAL_SYSTEM,
    "ManufacturerRootCertificate": MAKER,
    "MORootCertificate": "MORootCertificate",
    "OEMRootCertificate": "OEMRootCertificate",
    "V2GRootCertificate": "V2GRootCertificate",
}


class Keyring:
    """`station` holds the roots, and the station's own key and chain; `v2g` the key and chain for ISO 15118."""

    def __init__(self) -> None:
        self.station = Certificates(roots={place: [] for place in ROOTS.values()})
        self.v2g = Certificates(roots={place: [] for place in ROOTS.values()})

    def install(self, kind: str, pem: str, at: float) -> str:
        """What InstallCertificate answers, `at` seconds since 1970."""
        return self.station.install(ROOTS[kind], pem, at)

    def adopt(self, kind: str, pem: str, at: float) -> bool:
        """Use a signed chain; whether it fits the key of the last CSR of this kind, and holds."""
        if kind == CHARGING_STATION:
            return self.station.adopt(pem, at)
        trusted = self.station.roots
        self.v2g.roots = {**trusted, CENTRAL_SYSTEM: trusted[ROOTS["V2GRootCertificate"]]}
        return self.v2g.adopt(pem, at)

    def hashes(self, kinds: list[str]) -> list[Payload]:
        """The certificateHashDataChain entries of these kinds; of every kind without one."""
        wanted = kinds or [*ROOTS, V2G_CHAIN]
        roots = [
            {"certificateType": kind, "certificateHashData": data}
            for kind, place in ROOTS.items()
            if kind in wanted
            for data in self.station.ids(place)
        ]
        return roots + (self._v2g_chain() if V2G_CHAIN in wanted else [])

    def delete(self, wanted: Payload) -> str:
        """What DeleteCertificate answers. OCPP 2.0.1 M04: the station's own certificate is not deleted."""
        status = self.station.delete(wanted)
        if status == "NotFound" and wanted in self._v2g_hashes():
            self.v2g.chain = []
            return "Accepted"
        return status

    def _v2g_chain(self) -> list[Payload]:
        if not self.v2g.chain:
            return []
        first, *others = self._v2g_hashes()
        children = {"childCertificateHashData": others[:4]} if others else {}
        return [{"certificateType": V2G_CHAIN, "certificateHashData": first, **children}]

    def _v2g_hashes(self) -> list[Payload]:
        # Listed as if they were roots, beside the real ones, among which the last one's issuer is found.
        beside = Certificates(roots={**self.station.roots, V2G_CHAIN: self.v2g.chain})
        return beside.ids(V2G_CHAIN)
