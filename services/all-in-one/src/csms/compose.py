"""The composition root: which services a command runs, in which order, with which ports."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from csms.seed import seed
from csms.settings import Configuration
from csms_platform.plan import ListenSettings, Part, Plan
from csms_platform.ports import Ports
from csms_platform.settings import SettingsError


def plan(command: str, configuration: Configuration, emulated: int = 0) -> Plan:
    """What `csms <command>` runs. Raises `SettingsError` when the configuration does not fit the command."""
    everything = {
        "up": (_seed, _router, *_optional(configuration)),
        "router": (_seed, _router),
        "webhook-relay": (_webhook_relay,),
        "api": (_api,),
        "ws-gateway": (_ws_gateway,),
        "soap-gateway": (_soap_gateway,),
        "emulate": (),
    }
    top, stores = configuration.top, command in ("up", "router", "webhook-relay", "api")
    if command not in ("up", "emulate"):
        _refuse_memory(command, configuration, state=stores)
    if command == "webhook-relay" and not _relays(configuration):
        raise SettingsError("csms webhook-relay has nobody to ask: give --webhook-url or CSMS_WEBHOOK_URL.")
    parts = [make(configuration) for make in everything[command]]
    listen = configuration.listen if command != "emulate" else _control(configuration)
    parts += _operated(_stations(command, configuration, emulated), configuration, listen)
    data = Path(top.data) if top.data and stores else None
    return Plan(parts, listen, configuration.bus, configuration.state, data, stores)._replace(
        tracing=configuration.tracing, name="csms" if command == "up" else f"csms-{command}"
    )


def renewable(command: str, configuration: Configuration) -> tuple[Part, ...]:
    """The parts of `csms <command>` that a reload enters and leaves again."""
    return (_seed(configuration),) if command in ("up", "router") else ()


def _optional(configuration: Configuration) -> list[Callable[[Configuration], Part]]:
    """What all-in-one has besides router and seed. The API leaves first: commands under way need the others."""
    relay = [_webhook_relay] if _relays(configuration) else []
    soap = [_soap_gateway] if configuration.soap_gateway.enable else []
    return [*relay, _ws_gateway, *soap, *([_api] if configuration.api.enable else [])]


def _relays(configuration: Configuration) -> bool:
    """Whether there is anybody to ask or to tell."""
    webhook = configuration.webhook
    return webhook.enable is not False and bool(webhook.endpoints() or webhook.observers)


def _seed(configuration: Configuration) -> Part:
    return Part("configuration", lambda ports: seed(ports, configuration.top))


def _router(configuration: Configuration) -> Part:
    from csms_router.service import service

    return Part("router", lambda ports: service(ports, configuration.router))


def _webhook_relay(configuration: Configuration) -> Part:
    from csms_webhook_relay.service import service

    return Part("webhook-relay", lambda ports: service(ports, configuration.webhook))


def _api(configuration: Configuration) -> Part:
    from csms_api.auth import openness
    from csms_api.service import service

    openness(configuration.api, configuration.listen.host)  # refuse before anything has started
    return Part("api", lambda ports: service(ports, configuration.api, listen_host=configuration.listen.host))


def _ws_gateway(configuration: Configuration) -> Part:
    from csms_ws_gateway.service import service

    return Part("ws-gateway", lambda ports: service(ports, configuration.ws_gateway))


def _soap_gateway(configuration: Configuration) -> Part:
    from csms_soap_gateway.service import service

    listen_host = configuration.listen.host
    return Part("soap-gateway", lambda ports: service(ports, configuration.soap_gateway, listen_host=listen_host))


def _stations(command: str, configuration: Configuration, emulated: int) -> list[Callable[..., Part]]:
    """What makes the emulated stations, with or without the keyword `started`."""
    found: list[Callable[..., Part]] = []
    if emulated:
        found.append(partial(_emulator, _visitors(configuration, emulated)))
    if command == "up" and configuration.park.paths:
        found.append(partial(_park, configuration, *_here(configuration).values()))
    if command == "emulate":
        found.append(partial(_park if configuration.park.paths else _emulator, configuration))
    return found


def _operated(
    stations: list[Callable[..., Part]], configuration: Configuration, listen: ListenSettings | None
) -> list[Part]:
    """The emulated stations, and what operates them over HTTP where the process listens."""
    if not stations or listen is None:
        return [make() for make in stations]
    from csms_emulator.rest.register import Register
    from csms_emulator.rest.service import control

    register, token, host = Register(), configuration.emulator.control_token, listen.host
    door = Part("emulator-control", lambda ports: control(register, serve=ports.serve, token=token, listen_host=host))
    return [door, *(make(started=register.started) for make in stations)]


def _control(configuration: Configuration) -> ListenSettings | None:
    """Where `csms emulate` listens: only where it is told to, and only where that is safe."""
    address = configuration.emulator.control_address
    if address is None:
        return None
    from csms_emulator.rest.service import may_serve

    if not may_serve(configuration.emulator.control_token, address[0]):
        raise SettingsError(
            f"Others than this machine reach {configuration.emulator.control}: give control_token, too."
        )
    return msgspec.structs.replace(configuration.listen, host=address[0], port=address[1])


def _emulator(configuration: Configuration, **options: Any) -> Part:
    from csms_emulator.service import service
    from csms_emulator.tls import contexts

    try:
        contexts(configuration.emulator)  # refuse before anything has started
    except ValueError as error:
        raise SettingsError(f"emulator: {error}.") from None

    def start(ports: Ports) -> AbstractAsyncContextManager[None]:
        return service(configuration.emulator, spawn=ports.spawn, **options)

    return Part("emulator", start, after_listening=True)


def _park(configuration: Configuration, *here: str, **options: Any) -> Part:
    """The stations of `[park]`; they call `here`, unless it says where they call."""
    from csms_emulator.files.reading import load
    from csms_emulator.service import park

    urls = (configuration.park.url,) if configuration.park.url else here
    stations = load(map(Path, configuration.park.paths), *urls)  # refuse before anything has started
    return Part("emulator", lambda ports: park(stations, spawn=ports.spawn, **options), after_listening=True)


def _visitors(configuration: Configuration, count: int) -> Configuration:
    """The same configuration with `count` stations that call this very process and live fast."""
    url = _here(configuration)[configuration.emulator.transport]
    emulator = msgspec.structs.replace(configuration.emulator, url=url, count=count, pace=20.0)
    return msgspec.structs.replace(configuration, emulator=emulator)


def _here(configuration: Configuration) -> dict[str, str]:
    """Where stations find this very process, by transport."""
    listen = configuration.listen
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)
    at = f"{'s' if listen.tls_certificate else ''}://{f'[{host}]' if ':' in host else host}:{listen.port}"
    return {"json": f"ws{at}{configuration.ws_gateway.path}", "soap": f"http{at}{configuration.soap_gateway.path}"}


def _refuse_memory(command: str, configuration: Configuration, *, state: bool) -> None:
    # One service by itself on memory would talk to nobody, and look healthy.
    if configuration.bus.url.startswith("memory:"):
        raise SettingsError(f"csms {command} needs RabbitMQ: give --bus amqp://… or CSMS_BUS_URL.")
    if state and configuration.state.url.startswith("memory:"):
        raise SettingsError(f"csms {command} needs Redis: give --state redis://… or CSMS_STATE_URL.")
