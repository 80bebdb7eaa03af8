"""SOAP between one emulated station and its central system: joins the station, its conversation and HTTP.

There is no connection: a station is connected from its start until a POST of its own fails, and tries again after the
pause that it wants. It can be called all the while, except when it restarts. Decides nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from csms_emulator import link, tls
from csms_emulator.actions import Answer, Ask, Log, Refuse
from csms_emulator.behaviour import Behaviour
from csms_emulator.central import Central, central_system
from csms_emulator.conversation import Conversation, Lost, Reply
from csms_emulator.endpoint import endpoint
from csms_emulator.faults.answers import Answers
from csms_emulator.faults.envelope import spoilt
from csms_emulator.faults.speech import Lasting
from csms_emulator.faults.troubles import AnswerTrouble, Sentence, TwiceAnswered
from csms_emulator.link import CLOSE_WITHIN
from csms_emulator.logbook import Logbook
from csms_emulator.settings import Settings
from csms_ocpp.session import CallEnded, CallReceived, Outcome
from csms_ocpp.soap import Subcode


class Link(link.Link):
    """Keeps one station in touch with the central system."""

    transport = "soap"

    def __init__(
        self, station: Behaviour, identity: str, conversation: Conversation, central: Central, logbook: Logbook
    ) -> None:
        super().__init__(station, logbook, conversation.version)
        self._identity = identity
        self._conversation = conversation
        self._central = central
        self._asks: asyncio.Queue[Ask | None] = asyncio.Queue()  # None: leave
        self._replies: dict[str, Reply] = {}
        self._answers = Answers()
        self._visit: asyncio.Timeout | None = None
        self._away = True
        self._heard = False
        self._reason = ""
        self._untold: list[Log] = []

    async def run(self) -> None:
        """As any link; the station cannot be called any more afterwards."""
        try:
            await super().run()
        finally:
            self._away = True

    async def _converse(self) -> str:
        self._visit = visit = asyncio.timeout(None)
        self._away, self._online, self._reason = False, True, ""
        try:
            async with visit:
                return await self._serve()
        except TimeoutError:
            if not visit.expired():
                raise
            return self._reason or "the station left before the answer came"
        finally:
            self._visit, self._online = None, False
            self._leave_logbook()

    async def _serve(self) -> str:
        """Ask what the station wants to know until that fails, or until it leaves; answers why."""
        asks = self._asks = asyncio.Queue()
        actions = self._station.connected(self._loop.time())
        self._untold = [action for action in actions if isinstance(action, Log)]
        self._act([action for action in actions if not isinstance(action, Log)])
        while ask := await asks.get():
            ended = await self._post(ask)
            if isinstance(ended, Lost):
                return ended.reason
            self._enter_logbook(ended)
            self._tell([ended], self._loop.time())
        return "the station left"

    def _enter_logbook(self, ended: CallEnded) -> None:
        # Without an answer nobody knows whether anybody is there: only then is the station connected for the reader.
        if not self._heard and ended.outcome in (Outcome.RESULT, Outcome.ERROR):
            self._heard = True
            self._logbook.online(True)
            for entry in self._untold:
                self._logbook.write(entry)

    def _leave_logbook(self) -> None:
        if self._heard:
            self._heard = False
            self._logbook.online(False)

    async def _post(self, ask: Ask) -> CallEnded | Lost:
        question = self._conversation.question(ask)
        if isinstance(question, CallEnded):
            return question
        posted = await self._central.post(self._identity, ask.action, question)
        if posted is None:
            return self._conversation.unanswered(ask)
        return posted if isinstance(posted, Lost) else self._conversation.answer(ask, posted)

    def command(self, body: bytes, charset: str) -> Reply:
        """What the station answers to a POST at its own address."""
        call = self._conversation.command(body, charset)
        if isinstance(call, Reply):
            reply = call
        elif self._away:
            refusal = Refuse(call.unique_id, Subcode.URL_TEMPORARILY_UNAVAILABLE, "The station restarts.")
            reply = self._conversation.reply(refusal)
        else:
            reply = self._put(call)
        if reply.complaint:
            self._tell([reply.complaint], self._loop.time())
        return reply

    def _put(self, call: CallReceived) -> Reply:
        self._tell([call], self._loop.time())
        return spoilt(self._replies.pop(call.unique_id), self._answers.fate(call.action))

    # --- what the station wants ---------------------------------------------------------------------------------------

    def _ask(self, ask: Ask) -> None:
        self._asks.put_nowait(ask)

    def _reply(self, reply: Answer | Refuse) -> None:
        self._replies[reply.unique_id] = self._conversation.reply(reply)

    def _sever(self, reason: str) -> None:
        self._away, self._reason = True, reason
        if self._visit:
            self._visit.reschedule(self._loop.time())

    def _suffer(self, trouble: Lasting | Sentence) -> None:
        if not isinstance(trouble, AnswerTrouble) or isinstance(trouble, TwiceAnswered):
            raise ValueError(f"{type(trouble).__name__} is for WebSocket stations only.")
        self._answers.begin(trouble)

    def _recover(self) -> None:
        self._answers.end()

    def _disconnect(self) -> None:
        self._away = True
        self._asks.put_nowait(None)
        if self._visit:
            self._visit.reschedule(self._loop.time() + CLOSE_WITHIN)


@asynccontextmanager
async def links(settings: Settings) -> AsyncIterator[Callable[[Behaviour, str], Link]]:
    """What makes links that may run inside: of a station and its identity. They share an HTTP server and a client."""
    secured = tls.contexts(settings)
    async with endpoint(settings) as here, central_system(settings.url, settings.password, secured) as central:

        def made(station: Behaviour, identity: str) -> Link:
            conversation = Conversation(settings.dialect, identity, central.url, here.address(identity))
            link = Link(station, identity, conversation, central, Logbook(identity))
            here.open(identity, link.command)
            return link

        yield made
