"""What an operator may set about the router: `[router]` in csms.toml, or `CSMS_ROUTER_…` in the environment."""

from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
WholeSeconds = Annotated[int, msgspec.Meta(ge=1)]
Backend = Literal["builtin", "webhook"]


class Settings(msgspec.Struct, frozen=True):
    """Everything has a default. Durations are in seconds.

    - `auth`: "open" lets any identity connect, "registered" only stations on record; a station on record is held to
      its record either way.
    - `registration`: what stations without a record are answered at boot (when `auth` is "open"); `retry_interval`: how
      long a station that was not Accepted waits before it boots again.
    - `boot_required`: CALLs of a station that was never accepted get SecurityError.
    - `unknown_tags`: whether an idTag that is not on the list may charge; "auto": yes when `auth` is "open".
    - `reply_memory`: how long answers to transaction messages are kept for repeats.
    - `drain_seconds`: how long batches under way may hold up leaving; what they hold then goes to another router.
    - `patience`: how long a store that is away is asked again, for envelopes without a deadline.
    - `command_patience`: how long a command may wait to be sent, unless it says so itself. `command_grace`: how long
      after that nobody hears any more how it ended; longer than gateways wait for a station's answer (30).
    - `presence_intervals`: how many heartbeat intervals a station without a connection (SOAP) counts as online after it
      was heard of. `soap_fresh`: how long a gateway may let such a station's calls pass without asking who it is.
    - `troubles_logged`: how many refused or unanswered CALLs a second are logged one by one; more are counted.
    - `password_cache`: how many verified passwords are remembered.
    - `backend`: who answers the CALLs: the built-in tables, or the operator's endpoint through the webhook relay.
      `accounts` says it for single accounts; those with "webhook" have an endpoint of their own.
    - `observed`: whether the relay wants copies of what the built-in tables answer, for the webhook's observers.
    """

    auth: Literal["open", "registered"] = "open"
    heartbeat_interval: WholeSeconds = 300
    retry_interval: WholeSeconds = 60
    registration: Literal["Accepted", "Pending", "Rejected"] = "Accepted"
    boot_required: bool = True
    unknown_tags: Literal["auto", "accept", "invalid"] = "auto"
    reply_memory: Seconds = 900.0
    sweep_interval: Seconds = 2.0
    patience: Seconds = 30.0
    command_patience: Seconds = 60.0
    command_grace: Seconds = 60.0
    presence_intervals: Annotated[float, msgspec.Meta(gt=1)] = 2.5
    soap_fresh: Seconds = 5.0
    drain_seconds: Seconds = 15.0
    troubles_logged: Annotated[int, msgspec.Meta(ge=0)] = 20
    password_cache: Annotated[int, msgspec.Meta(ge=1)] = 20_000
    backend: Backend = "builtin"
    accounts: dict[str, Backend] = {}
    observed: bool = False

    @property
    def accepts_unknown_tags(self) -> bool:
        """Whether an idTag that is not on the list may charge."""
        return self.unknown_tags == "accept" or (self.unknown_tags == "auto" and self.auth == "open")
