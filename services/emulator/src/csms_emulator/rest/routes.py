"""What there is under `/emulator`: stations to look at, deeds, the network, calls, and what goes wrong."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from csms_emulator.deeds import Deed
from csms_emulator.faults.troubles import Storm, Trouble
from csms_emulator.rest import chapters, reading, shapes
from csms_emulator.rest.errors import ApiError
from csms_emulator.rest.register import MOST_KEPT, Register, Watched
from csms_emulator.rest.resource import Endpoint, Operation, Resource, answer, nothing
from csms_emulator.rest.stream import frames
from csms_ocpp.session import CallEnded, Outcome

_trouble: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Trouble)
_storm = msgspec.json.Decoder(Storm)
_away = msgspec.json.Decoder(shapes.Away)
_call = msgspec.json.Decoder(shapes.Call)
_STATUSES = {Outcome.INVALID: 400, Outcome.NOT_CONNECTED: 409, Outcome.REFUSED: 429}


class Routes:
    """The handlers. `epoch` is what the loop's clock lacks of the seconds since 1970."""

    def __init__(self, register: Register, epoch: float) -> None:
        self._register = register
        self._epoch = epoch

    def resources(self) -> list[Resource]:
        """All of them, with their descriptions."""
        one = "/stations/{identity}"
        return [
            Resource("/stations", GET=Operation(self._page, chapters.PAGE)),
            Resource(one, GET=Operation(self._show, chapters.SHOW)),
            Resource(f"{one}/messages", GET=Operation(self._messages, chapters.MESSAGES)),
            Resource(f"{one}/events", GET=Operation(self._events, chapters.EVENTS)),
            *(
                Resource(f"{one}/{deed.path}", POST=Operation(self._deed(deed.kind), deed.described))
                for deed in chapters.DEEDS
            ),
            Resource(f"{one}/offline", POST=Operation(self._offline, chapters.OFFLINE)),
            Resource(f"{one}/online", POST=Operation(self._online, chapters.ONLINE)),
            Resource(f"{one}/send", POST=Operation(self._send, chapters.SEND)),
            Resource(f"{one}/trouble", POST=Operation(self._trouble, chapters.TROUBLE)),
            Resource(f"{one}/heal", POST=Operation(self._heal, chapters.HEAL)),
            Resource("/storm", POST=Operation(self._storm, chapters.STORM)),
        ]

    # --- what there is ------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        found, following = self._register.page(request.query_params.get("after", ""), reading.limit(request))
        return answer(shapes.StationPage([shapes.station(watched) for watched in found], following))

    async def _show(self, request: Request) -> Response:
        return answer(shapes.station(self._named(request)))

    async def _messages(self, request: Request) -> Response:
        watched, limit = self._named(request), reading.limit(request, MOST_KEPT, MOST_KEPT)
        last = [*watched.messages][-limit:]
        return answer(shapes.Conversation([shapes.said(message, self._epoch) for message in last]))

    async def _events(self, request: Request) -> Response:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = frames(self._named(request), self._epoch)
        return StreamingResponse(stream, headers=headers, media_type="text/event-stream")

    # --- what is done -------------------------------------------------------------------------------------------------

    def _deed(self, kind: type[Deed]) -> Endpoint:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)

        async def done(request: Request) -> Response:
            watched, deed = self._named(request), await reading.body(request, decoder)
            if refusal := _tried(lambda: watched.link.by_hand(deed)):
                raise ApiError(409, refusal)
            return answer(shapes.station(watched))

        return done

    async def _offline(self, request: Request) -> Response:
        watched = self._named(request)
        watched.go_offline((await reading.body(request, _away)).seconds)
        return nothing()

    async def _online(self, request: Request) -> Response:
        self._named(request).go_online()
        return nothing()

    async def _send(self, request: Request) -> Response:
        watched, call = self._named(request), await reading.body(request, _call)
        if call.kind == "send":
            _tried(lambda: watched.link.send(call.action, call.payload))
            return nothing()
        try:
            return _answered(await watched.link.call(call.action, call.payload))
        except ConnectionError as error:
            raise ApiError(409, str(error)) from None

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    async def _trouble(self, request: Request) -> Response:
        watched, trouble = self._named(request), await reading.body(request, _trouble)
        _tried(lambda: watched.link.trouble(trouble))
        return nothing()

    async def _heal(self, request: Request) -> Response:
        self._named(request).link.heal()
        return nothing()

    async def _storm(self, request: Request) -> Response:
        storm, struck = await reading.body(request, _storm), self._register.all()
        for watched in struck:
            watched.link.trouble(storm)
        return answer(shapes.Struck(len(struck)))

    def _named(self, request: Request) -> Watched:
        identity = request.path_params["identity"]
        try:
            return self._register[identity]
        except KeyError:
            raise ApiError(404, f"There is no station {identity[:50]}.") from None


def _tried(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except ValueError as error:
        raise ApiError(400, f"Invalid request: {error}") from None
    except ConnectionError as error:
        raise ApiError(409, str(error)) from None


def _answered(ended: CallEnded) -> Response:
    """200 with the CALLRESULT's payload; everything else raises the `ApiError` that tells it."""
    outcome, sentence = ended.outcome.value, ended.description
    if ended.outcome is Outcome.RESULT:
        return Response(bytes(ended.payload), media_type="application/json")
    if ended.outcome is Outcome.ERROR:
        told = f"The central system answered {ended.code}{f': {sentence}' if sentence else ''}."
        raise ApiError(502, told, outcome=outcome, errorCode=ended.code, errorDescription=sentence)
    status = _STATUSES.get(ended.outcome, 504)
    raise ApiError(status, sentence or "The central system did not answer in time.", outcome=outcome)
