"""The quirks that a station's record may name: what is special about a station, and what gateway and router do then.

lenient           its messages are passed on though their schemas refuse them; what is wrong is logged
assume=<version>  it speaks this version when it offers no subprotocol, or none that we speak
"""

from csms_ocpp.version import SUBPROTOCOLS

QUIRKS = ("lenient", *(f"assume={subprotocol}" for subprotocol in SUBPROTOCOLS))
