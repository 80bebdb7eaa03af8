"""The whole configuration of a process, read once from the command line, the environment and `csms.toml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from csms_api.settings import Settings as ApiSettings
from csms_emulator.settings import Settings as EmulatorSettings
from csms_platform.bus import BusSettings
from csms_platform.otel import TracingSettings
from csms_platform.plan import ListenSettings, LogSettings, StateSettings
from csms_platform.settings import SettingsError, Source
from csms_router.settings import Settings as RouterSettings
from csms_soap_gateway.settings import Settings as SoapGatewaySettings
from csms_webhook_relay.settings import MAIN, REFERENCE_VARIABLES
from csms_webhook_relay.settings import Settings as WebhookSettings
from csms_ws_gateway.settings import Settings as GatewaySettings


class StationEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[stations]]`: inserted or updated in the store at start.

    `password` is the text itself or a digest made by `csms password`. `security_profile` defaults to 1 with a
    password and 0 without. `callback` is the address of a SOAP station that does not say it itself.
    """

    identity: str
    password: str = ""
    account: str = ""
    security_profile: int | None = None
    quirks: tuple[str, ...] = ()
    registration: Literal["Accepted", "Pending", "Rejected"] = "Accepted"
    disabled: bool = False
    callback: str = ""


class TagEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[tags]]`: inserted or updated in the store at start. `limit`: transactions at once, 0 for any number."""

    id: str
    status: Literal["Accepted", "Blocked", "Expired", "Invalid"] = "Accepted"
    expires: str = ""
    parent: str = ""
    limit: int = 1


class Settings(msgspec.Struct, frozen=True):
    """The top level of `csms.toml`. `auth` is short for `[router] auth`; `data` is a directory, "" for none."""

    auth: Literal["", "open", "registered"] = ""
    data: str = ""
    stations: tuple[StationEntry, ...] = ()
    tags: tuple[TagEntry, ...] = ()


class ParkSettings(msgspec.Struct, frozen=True):
    """`[park]`: the files and folders of `csms emulate PATH`; `url` is the central system instead of the files' own."""

    paths: tuple[str, ...] = ()
    url: str = ""


class Configuration(msgspec.Struct, frozen=True):
    """Every section."""

    top: Settings
    listen: ListenSettings
    log: LogSettings
    bus: BusSettings
    state: StateSettings
    ws_gateway: GatewaySettings
    soap_gateway: SoapGatewaySettings
    router: RouterSettings
    webhook: WebhookSettings
    api: ApiSettings
    emulator: EmulatorSettings
    park: ParkSettings
    tracing: TracingSettings


def read(
    file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> Configuration:
    """The configuration. Raises `SettingsError`, whose text is a sentence for the operator."""
    source = Source(file, _known_names(environ), overrides)
    names = {
        "log",
        "bus",
        "state",
        "ws_gateway",
        "soap_gateway",
        "router",
        "webhook",
        "api",
        "emulator",
        "park",
        "tracing",
    }
    source.check_top_level(names, [Settings, ListenSettings])
    webhook = _webhook(source)
    try:
        top, listen = source.section("", Settings), source.section("", ListenSettings)
        return Configuration(
            top=top,
            listen=listen,
            log=source.section("log", LogSettings),
            bus=source.section("bus", BusSettings),
            state=source.section("state", StateSettings),
            ws_gateway=source.section("ws_gateway", GatewaySettings),
            soap_gateway=source.section("soap_gateway", SoapGatewaySettings),
            router=_router(source, top, webhook),
            webhook=webhook,
            api=source.section("api", ApiSettings),
            emulator=source.section("emulator", EmulatorSettings),
            park=source.section("park", ParkSettings),
            tracing=source.section("tracing", TracingSettings),
        )
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(f"{error}.") from None


def _known_names(environ: Mapping[str, str]) -> Mapping[str, str]:
    """`environ`, and what it holds under the reference system's names for the webhook; ours win."""
    translated: dict[str, str] = {}
    for known, key in REFERENCE_VARIABLES.items():
        ours = f"CSMS_WEBHOOK_{key.upper()}"
        if not {ours, f"{ours}_FILE"} & environ.keys():
            translated |= {ours + end: environ[known + end] for end in ("", "_FILE") if environ.get(known + end)}
    return {**environ, **translated}


def _webhook(source: Source) -> WebhookSettings:
    try:
        return source.section("webhook", WebhookSettings)
    except SettingsError:
        raise
    except ValueError as error:
        raise SettingsError(f"webhook: {error}.") from None


def _router(source: Source, top: Settings, webhook: WebhookSettings) -> RouterSettings:
    """The router's section; who answers which account is said once, in `[webhook]`."""
    asked = webhook.endpoints()
    router = source.section("router", RouterSettings)
    return msgspec.structs.replace(
        router,
        auth=top.auth or router.auth,
        backend="webhook" if MAIN in asked else "builtin",
        accounts={name: "webhook" if name in asked else "builtin" for name in webhook.accounts},
        observed=bool(webhook.observers) and webhook.enable is not False,
    )
