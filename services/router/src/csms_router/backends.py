"""Who answers the CALLs of an account, the operator's endpoint or the built-in tables; what the relay is sent. Pure."""

from msgspec.structs import replace

from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import MAIN_ENDPOINT, lane
from csms_router.settings import Settings

_LATEST = 60.0  # seconds in which a relay must take what nobody waits for: without one the queue would grow for ever


class Backends:
    """Looks accounts up. `forwards`: whether there is any account that the webhook serves."""

    __slots__ = ("_accounts", "_others", "forwards")

    def __init__(self, settings: Settings) -> None:
        self._others = settings.backend == "webhook"
        self._accounts = {account: backend == "webhook" for account, backend in settings.accounts.items()}
        self.forwards = self._others or any(self._accounts.values())

    def webhook(self, account: str) -> bool:
        """Whether the operator's endpoint answers for this account ("": stations without one)."""
        return self._accounts.get(account, self._others)

    def lane(self, account: str, identity: str) -> str:
        """Where the station's letters wait that the endpoint could not take; for accounts that the webhook serves.

        An account that is named has an endpoint of its own.
        """
        return lane(account if account in self._accounts else MAIN_ENDPOINT, identity)


def to_endpoint(call: Envelope, now: float, *, settle: bool) -> Envelope:
    """What is forwarded; `settle`: its answer comes back here. `now` in seconds since 1970."""
    if settle:
        return replace(call, settle=True)
    if call.kind is Kind.SEND and not call.deadline:
        return replace(call, deadline=_latest(now))
    return call


def to_observers(call: Envelope, now: float) -> Envelope:
    """A copy of what the built-in tables answer: nobody waits for its answer. `now` in seconds since 1970."""
    return replace(call, backend="builtin", reply_to="", deadline=_latest(now))


def _latest(now: float) -> int:
    return int((now + _LATEST) * 1000)
