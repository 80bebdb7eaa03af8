"""One station in the hands of a person or of a test: deeds, calls, and waiting for what comes of them.

It decides nothing: deeds are the station's inputs, and everything here watches its link.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from csms_emulator import deeds
from csms_emulator.actions import Payload
from csms_emulator.expectations import Heard, UnmetError, Where
from csms_emulator.faults.troubles import Trouble
from csms_emulator.life import decode
from csms_emulator.link import Link
from csms_emulator.messages import Kind, Message, Sender
from csms_emulator.view import ConnectorView, View
from csms_ocpp.session import Outcome

WITHIN = 10.0  # seconds
LOOK_EVERY = 0.1  # seconds; meters run without anybody saying so


class CallError(Exception):
    """The central system did not answer a `call` with a result. `code` is the CALLERROR's, or "Timeout", say."""

    def __init__(self, action: str, code: str, description: str) -> None:
        super().__init__(f"{action}: {code}{f', {description}' if description else ''}")
        self.action = action
        self.code = code
        self.description = description


class Player:
    """Plays the station `identity`, once it has begun (`attach`)."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self._heard = Heard()
        self._attached: Link | None = None

    def attach(self, link: Link) -> Callable[[], None]:
        """This is the station's link, and everything said on it is heard from now on; answers what ends that."""
        self._attached = link
        return link.watch(self._heard.hear)

    @property
    def _link(self) -> Link:
        if self._attached is None:
            raise RuntimeError(f"{self.identity} does not run yet: enter it first, with `async with`.")
        return self._attached

    # --- what there is ------------------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """What can be seen of the station now."""
        return self._link.view()

    @property
    def online(self) -> bool:
        """Whether there is a connection."""
        return self._link.online

    @property
    def messages(self) -> list[Message]:
        """What was said, oldest first; calls and answers of both sides. The newest 10,000."""
        return [*self._heard.messages]

    def told(self, most: int = 20) -> str:
        """The last messages and what can be seen now, for a reader."""
        seen = f"\nSeen: {self.view}" if self._attached else ""
        return f"Said last:\n{self._heard.told(most)}{seen}"

    def connector(self, number: int = 1) -> ConnectorView:
        """What can be seen of one connector, or of one EVSE. Raises `LookupError`."""
        return self.view.connector(number)

    # --- deeds: they answer whether it was possible -------------------------------------------------------------------

    async def park(self, connector: int = 1) -> bool:
        """A car drives into the bay."""
        return not await self.do(deeds.Park(connector))

    async def depart(self, connector: int = 1) -> bool:
        """The car leaves the bay, and the cable before it."""
        return not await self.do(deeds.Depart(connector))

    async def plug(self, connector: int = 1, *, vehicle: str = "") -> bool:
        """A car comes and plugs in; with `vehicle` (EVCCID, MAC address or eMAID) it asks to charge by itself."""
        return not await self.do(deeds.Plug(connector, vehicle))

    async def unplug(self, connector: int = 1) -> bool:
        """The cable is pulled."""
        return not await self.do(deeds.Unplug(connector))

    async def swipe(self, id_tag: str, connector: int = 1, *, kind: str = "ISO14443") -> bool:
        """A card is presented, to begin or to end; `kind` is 2.x's type of the idToken."""
        return not await self.do(deeds.Swipe(connector, id_tag, kind))

    async def fault(self, error: str = "OtherError", connector: int = 1) -> bool:
        """Something breaks; `error` is an errorCode of OCPP 1.6."""
        return not await self.do(deeds.Fault(connector, error))

    async def clear_fault(self, connector: int = 1) -> bool:
        """It is mended."""
        return not await self.do(deeds.Clear(connector))

    async def power_cycle(self) -> bool:
        """The power fails, and comes back."""
        return not await self.do(deeds.PowerCycle())

    async def skew(self, seconds: float) -> bool:
        """The clock goes wrong by so much."""
        return not await self.do(deeds.Skew(seconds))

    async def do(self, deed: deeds.Deed) -> str:
        """Any deed; answers "", or a sentence why it is impossible now: nothing has changed.

        Raises `ValueError`, with a sentence, for what always is.
        """
        self._heard.deed()
        refusal = self._link.by_hand(deed)
        if isinstance(deed, deeds.PowerCycle):
            await self._until(lambda: not self._link.online, WITHIN, "the connection ended")
        await asyncio.sleep(0)
        return refusal

    def done_elsewhere(self) -> None:
        """Something was done that is no deed here, a command say: expectations are about what is said from now on."""
        self._heard.deed()

    # --- the network --------------------------------------------------------------------------------------------------

    async def offline(self) -> None:
        """The network cable is pulled."""
        self._heard.deed()
        self._link.go_offline()
        await self._until(lambda: not self._link.online, WITHIN, "the connection ended")

    async def go_online(self) -> None:
        """It is plugged in again; the station connects at once."""
        self._heard.deed()
        self._link.go_online()

    async def trouble(self, trouble: Trouble) -> None:
        """Something goes wrong at the connection; `faults.troubles` has what. Raises as `Link.trouble` does."""
        self._heard.deed()
        self._link.trouble(trouble)

    async def heal(self) -> None:
        """Nothing goes wrong there any more."""
        self._heard.deed()
        self._link.heal()

    async def call(self, action: str, payload: Payload | None = None, *, within: float = 30.0) -> Payload:
        """Send any CALL, and answer the CALLRESULT's payload.

        Raises `ValueError` for a payload that the schema refuses, `CallError` when the answer is an error or does not
        come, `ConnectionError` without a connection.
        """
        self._heard.deed()
        try:
            async with asyncio.timeout(within):
                ended = await self._link.call(action, payload or {})
        except TimeoutError:
            raise CallError(action, Outcome.TIMEOUT.value, f"no answer within {within:g} s") from None
        if ended.outcome is Outcome.RESULT:
            return decode(ended.payload)
        if ended.outcome is Outcome.INVALID:
            raise ValueError(f"{action}: {ended.description}")
        raise CallError(action, ended.code or ended.outcome.value, ended.description)

    async def send(self, action: str, payload: Payload) -> None:
        """Send a SEND of OCPP 2.1, which nobody answers. Raises as `call` does, but for `CallError`."""
        self._heard.deed()
        self._link.send(action, payload)

    # --- what comes of it ---------------------------------------------------------------------------------------------

    async def booted(self, within: float = WITHIN) -> None:
        """Wait until the central system has accepted the station."""
        await self.until(lambda view: view.connected and view.registration == "Accepted", within, "accepted")

    async def status(self, wanted: str, connector: int = 1, within: float = WITHIN) -> ConnectorView:
        """Wait until the connector has this status (or, in 2.x, its transaction this chargingState)."""
        __tracebackhide__ = True

        def seen(view: View) -> bool:
            return wanted in (view.connector(connector).status, view.connector(connector).state)

        return (await self.until(seen, within, f"connector {connector} {wanted}")).connector(connector)

    async def until(self, condition: Callable[[View], Any], within: float = WITHIN, what: str = "") -> View:
        """Wait until the condition holds. Raises `UnmetError` (an AssertionError) after `within` seconds."""
        __tracebackhide__ = True
        await self._until(lambda: bool(condition(self.view)), within, what or "the condition held")
        return self.view

    async def expect(
        self,
        action: str,
        within: float = WITHIN,
        *,
        where: Where | None = None,
        sender: Sender | None = None,
        kind: Kind = "call",
    ) -> Message:
        """Wait for a message; each is given once. Raises `UnmetError` (an AssertionError) after `within` seconds.

        It may have been said before: all count that were said since the deeds just before the last expectations.
        """
        __tracebackhide__ = True
        found: list[Message] = []

        def is_there() -> bool:
            found.extend(m for m in [self._heard.take(action, sender, kind, where)] if m)
            return bool(found)

        await self._until(is_there, within, f"{action} ({kind}) was said")
        return found[0]

    async def _until(self, holds: Callable[[], bool], within: float, what: str) -> None:
        __tracebackhide__ = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not holds():
            left = deadline - loop.time()
            if left <= 0:
                raise UnmetError(f"{self.identity}: not within {within:g} s: {what}.\n{self.told()}")
            await self._news(min(left, LOOK_EVERY))

    async def _news(self, within: float) -> None:
        self._heard.news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._heard.news.wait()
