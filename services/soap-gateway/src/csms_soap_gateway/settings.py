"""What an operator may set about the SOAP gateway: `[soap_gateway]` in csms.toml, `CSMS_SOAP_GATEWAY_…`."""

from typing import Annotated

import msgspec

from csms_ocpp.session import Validation

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True):
    """Times are in seconds, sizes in bytes.

    - `enable`: whether all-in-one serves SOAP stations. `path`: where they call, in any case, with anything after it.
    - `url`: where stations reach us, the From of what we ask them; "" when it is not known.
    - `call_deadline`: how long a station's call may wait for its answer; `most_calls`: how many may wait at once.
    - `command_timeout`: how long a station may take to answer ours; `connect_timeout`: to be reached.
    - `private_networks`: whether stations may be called at private addresses (10.0.0.0/8 and the like, and loopback);
      by default only where the gateway itself listens on loopback. Link-local addresses are never called.
    - `station_ca`: a PEM file with the authorities that sign the certificates of stations at https addresses; those of
      the system by default.
    - `failed_calls_per_minute`: of one station from one address, with wrong credentials or none; what is more is not
      looked at. 0: no limit.
    - `log_calls`: how many calls a second get a line of their own in the log.
    """

    enable: bool = True
    path: str = "/Ocpp"
    url: str = ""
    validation: Validation = Validation.STRICT
    max_message_size: Count = 1024 * 1024
    call_deadline: Seconds = 30.0
    most_calls: Count = 10_000
    stations_remembered: Count = 50_000
    command_timeout: Seconds = 30.0
    connect_timeout: Seconds = 10.0
    private_networks: bool | None = None
    station_ca: str = ""
    failed_calls_per_minute: int = 60
    drain_seconds: Seconds = 20.0
    log_calls: int = 50
