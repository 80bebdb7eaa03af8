"""Serves stations' messages: asks the endpoint while the station waits, and keeps the policy when it fails."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import msgspec

from csms_platform.envelope import Envelope, Kind, spent
from csms_platform.logging import CallLog, get_logger
from csms_platform.ports import ROUTER, Bus, Unavailable
from csms_webhook_relay import delivery, metrics, policies
from csms_webhook_relay.answers import UNAVAILABLE, to_router, to_station, with_backlog
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.holding import Holding
from csms_webhook_relay.policies import NEVER_REFUSED, Policy
from csms_webhook_relay.reply import Answered, Failed, Final, Refused, Reply
from csms_webhook_relay.settings import MAIN, Settings

_log = get_logger("webhook-relay")

_AFTER = 0.05  # seconds
_UNSERVED = Failed("no endpoint serves the account", sent=False)


class Spool(Protocol):
    """What the relay wants of the other half, which delivers later."""

    async def behind(self, call: Envelope) -> bool:
        """Whether letters of this station wait, which `call` may not overtake."""
        ...

    async def store(self, call: Envelope) -> bool:
        """Keep it, to be delivered later; False when that cannot be promised."""
        ...

    async def told(self, envelope: Envelope) -> None:
        """The router says what it answered in the endpoint's place; the endpoint learns of it later."""
        ...

    async def bury(self, call: Envelope, reason: str, attempts: int) -> None:
        """Keep a message that the endpoint refuses for ever; raises `Unavailable` when that cannot be promised."""
        ...


class Observers(Protocol):
    """Others who get copies."""

    def copy(self, call: Envelope) -> None:
        """Take note of `call`; never waits."""
        ...


class Relay:
    """Takes batches from the bus. `now` is in seconds since 1970."""

    def __init__(
        self,
        bus: Bus,
        settings: Settings,
        endpoints: Mapping[str, Endpoint],
        spool: Spool,
        observers: Observers,
        now: Callable[[], float],
    ) -> None:
        self._bus = bus
        self._settings = settings
        self._endpoints = endpoints
        self._spool = spool
        self._observers = observers
        self._now = now
        self._policies = policies.table(settings.policies, settings.default_policy)
        self._fallbacks = {policy: metrics.FALLBACKS.labels(policy) for policy in policies.POLICIES}
        self._troubles = CallLog(_log, settings.troubles_logged)
        self._holding = Holding(settings.held, self._surprised)

    async def handle(self, batch: list[Envelope]) -> None:
        """Serve a batch; returns when it is done, or when the bus needs the room for others (see `Holding`)."""
        work: list[Coroutine[Any, Any, None]] = []
        for envelope in batch:
            kind = envelope.kind
            if kind is Kind.CALL or kind is Kind.SEND:
                self._observers.copy(envelope)
                if not envelope.backend:  # with one the router has answered it: it is for observers only
                    work.append(self._serve(envelope))
            elif kind is Kind.RESULT and envelope.settle:
                work.append(self._spool.told(envelope))
            else:
                metrics.UNEXPECTED.inc()
        if work:
            await self._holding.until_done(work)

    async def drain(self, seconds: float) -> None:
        """Wait for what is under way, `seconds` at most."""
        await self._holding.drain(seconds)

    async def _serve(self, call: Envelope) -> None:
        policy = self._policies.get(call.action, "error")
        if policy == "spool" and (call.transport == "soap" or (call.session and call.session.backlog)):
            if await self._spool.behind(call):
                return await self._store(call)
            call = with_backlog(call, False)
        began = self._now()
        found, attempts = await self._ask(call)
        took = self._now() - began
        match found:
            case Answered():
                self._answer(call, found, took)
            case Refused(code, description) if call.action in NEVER_REFUSED:
                await self._bury(call, f"the endpoint answered {code}: {description}", attempts, policy)
            case Refused():
                self._answer(call, found, took)
            case Final(reason) if policy == "spool":
                await self._bury(call, reason, attempts, policy)
            case Final(reason) | Failed(reason):
                await self._fall_back(call, policy, reason, attempts)

    # --- asking -----------------------------------------------------------------------------------------------------

    async def _ask(self, call: Envelope) -> tuple[Reply, int]:
        """What the endpoint says in the end, and how often it was asked."""
        endpoint = self._endpoint_of(call.account)
        if endpoint is None:
            return _UNSERVED, 0
        settings, now = self._settings, self._now
        until = call.deadline / 1000 - settings.margin if call.deadline else now() + settings.timeout
        delivery_id, attempt, pause = delivery.identify(call), 1, settings.retry_delay
        while True:
            found = await endpoint.ask(call, attempt=attempt, seconds=until - now(), delivery_id=delivery_id)
            if not isinstance(found, Failed) or not found.sent or attempt == settings.attempts:
                return found, attempt
            # A pause that was asked for must be over: the breaker keeps it, too.
            wait = max(pause * random.uniform(0.5, 1.0), found.retry_after and found.retry_after + _AFTER)
            if now() + wait >= until:
                return found, attempt
            await asyncio.sleep(wait)
            attempt, pause = attempt + 1, pause * 2

    def _endpoint_of(self, account: str) -> Endpoint | None:
        return self._endpoints.get(account) if account in self._settings.accounts else self._endpoints.get(MAIN)

    def _answer(self, call: Envelope, answer: Answered | Refused, seconds: float = 0.0) -> None:
        if call.kind is Kind.CALL:
            address, envelope = to_station(call, answer)
            self._bus.send(address, spent(envelope, "endpoint", seconds))

    # --- when it gave none ------------------------------------------------------------------------------------------

    async def _fall_back(self, call: Envelope, policy: Policy, reason: str, attempts: int) -> None:
        self._fallbacks[policy].inc()
        self._tell(call, policy, reason)
        if policy == "spool":
            return await self._store(call, attempts)
        if call.kind is Kind.SEND:
            return metrics.UNANSWERED.inc()
        if policy == "error":
            return self._answer(call, UNAVAILABLE)
        tell = call.action == "StartTransaction" and policy != "reject"
        self._bus.send(ROUTER, to_router(call, policy, tell=tell))

    async def _store(self, call: Envelope, attempts: int = 0) -> None:
        """Answer positively what is stored; what is not is left without an answer, and the station repeats it."""
        if not await self._spool.store(msgspec.structs.replace(call, attempt=attempts)):
            return metrics.UNANSWERED.inc()
        if call.kind is Kind.CALL:
            self._bus.send(ROUTER, to_router(with_backlog(call, True), "accept"))

    async def _bury(self, call: Envelope, reason: str, attempts: int, policy: Policy) -> None:
        self._fallbacks[policy].inc()
        self._tell(call, policy, reason)
        try:
            await self._spool.bury(call, reason, attempts)
        except Unavailable:
            return metrics.UNANSWERED.inc()
        if call.kind is Kind.CALL:
            self._bus.send(ROUTER, to_router(call, "accept"))

    def _tell(self, call: Envelope, policy: Policy, reason: str) -> None:
        if self._troubles.take():
            _log.warning("endpoint gave no answer", reason=reason, policy=policy, **_about(call))

    def _surprised(self, problem: BaseException) -> None:
        metrics.UNANSWERED.inc()
        _log.error("a message could not be served", exc_info=problem)


def _about(call: Envelope) -> dict[str, str]:
    return {"station": call.identity, "action": call.action, "version": call.version, "id": call.unique_id[:36]}
