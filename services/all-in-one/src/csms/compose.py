"""The composition root: which services a command runs, in which order, with which ports."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec

from csms.seed import seed
from csms.settings import Configuration
from csms_platform.ports import Ports
from csms_platform.runtime import Part, Plan
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
        "emulate": (_park if configuration.park.paths else _emulator,),
    }
    top, stores = configuration.top, command in ("up", "router", "webhook-relay", "api")
    if command not in ("up", "emulate"):
        _refuse_memory(command, configuration, state=stores)
    if command == "webhook-relay" and not _relays(configuration):
        raise SettingsError("csms webhook-relay has nobody to ask: give --webhook-url or CSMS_WEBHOOK_URL.")
    parts = [make(configuration) for make in everything[command]]
    if emulated:
        parts.append(_emulator(_visitors(configuration, emulated)))
    listen = configuration.listen if command != "emulate" else None
    data = Path(top.data) if top.data and stores else None
    return Plan(parts, listen, configuration.bus, configuration.state, data, stores)


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


def _emulator(configuration: Configuration) -> Part:
    from csms_emulator.service import service

    def start(ports: Ports) -> AbstractAsyncContextManager[None]:
        return service(configuration.emulator, spawn=ports.spawn)

    return Part("emulator", start, after_listening=True)


def _park(configuration: Configuration) -> Part:
    from csms_emulator.files.reading import load
    from csms_emulator.service import park

    stations = load(map(Path, configuration.park.paths), configuration.park.url)  # refuse before anything has started
    return Part("emulator", lambda ports: park(stations, spawn=ports.spawn), after_listening=True)


def _visitors(configuration: Configuration, count: int) -> Configuration:
    """The same configuration with `count` stations that call this very process and live fast."""
    listen, path = configuration.listen, "/ocpp"
    scheme = "wss" if listen.tls_certificate else "ws"
    if configuration.emulator.transport == "soap":
        scheme, path = scheme.replace("ws", "http"), configuration.soap_gateway.path
    url = f"{scheme}://{'127.0.0.1' if listen.host in ('0.0.0.0', '') else listen.host}:{listen.port}{path}"
    emulator = msgspec.structs.replace(configuration.emulator, url=url, count=count, pace=20.0)
    return msgspec.structs.replace(configuration, emulator=emulator)


def _refuse_memory(command: str, configuration: Configuration, *, state: bool) -> None:
    # One service by itself on memory would talk to nobody, and look healthy.
    if configuration.bus.url.startswith("memory:"):
        raise SettingsError(f"csms {command} needs RabbitMQ: give --bus amqp://… or CSMS_BUS_URL.")
    if state and configuration.state.url.startswith("memory:"):
        raise SettingsError(f"csms {command} needs Redis: give --state redis://… or CSMS_STATE_URL.")
