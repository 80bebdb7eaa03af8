"""What an operator may set about the WebSocket gateway: `[ws_gateway]` in csms.toml, `CSMS_WS_GATEWAY_…`."""

from typing import Literal

import msgspec

from csms_ocpp.session import Validation


class Settings(msgspec.Struct, frozen=True):
    """Times are in seconds, sizes in bytes, rates per second; 0 switches a limit off.

    `account_position`: whether the account follows the identity in the URL (as documented) or comes before it (as the
    reference system's code read it). `subprotocol_mismatch`: refuse with 400, or complete the handshake without a
    subprotocol and close (OCPP-J 1.6 §3.2). `call_deadline` is how long a station's CALL may wait for its answer,
    `command_timeout` how long a station may take for ours. `log_calls` is how many calls a second get a line of their
    own in the log.
    """

    path: str = "/ocpp/"
    account_position: Literal["suffix", "prefix"] = "suffix"
    subprotocol_mismatch: Literal["refuse", "close"] = "refuse"
    validation: Validation = Validation.STRICT
    compression: bool = True
    max_message_size: int = 1024 * 1024
    max_connections: int = 20_000
    rate_limit: float = 100.0
    rate_burst: float = 200.0
    failed_handshakes_per_minute: int = 60
    handshake_deadline: float = 10.0
    ping_interval: float = 30.0
    pong_deadline: float = 20.0
    close_deadline: float = 5.0
    call_deadline: float = 30.0
    command_timeout: float = 30.0
    command_queue: int = 32
    lease: float = 15.0
    lease_renewal: float = 5.0
    drain_seconds: float = 20.0
    drain_wave: int = 200
    drain_pause: float = 0.5
    log_calls: int = 50
