"""The command line: its parsers, and which settings its options overrule."""

import argparse
from pathlib import Path
from typing import Any

from csms import __doc__ as summary
from csms import client, load, scenario
from csms_platform.settings import SettingsError

CHECKED = ("up", "ws-gateway", "soap-gateway", "router", "webhook-relay", "api", "emulate")

_EPILOG = """\
Every option is also a key in csms.toml and an environment variable: --port is `port` and CSMS_PORT,
--bus is `[bus] url` and CSMS_BUS_URL. The command line wins over the environment, the environment over the file.

Try it:    csms up --emulate 5
"""


def parser() -> argparse.ArgumentParser:
    """The parser of `csms`; `command` is the chosen one."""
    made = argparse.ArgumentParser("csms", description=summary, epilog=_EPILOG, formatter_class=_formatter)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = _add(commands, "up", "everything in one process on one port")
    _listening(up)
    _brokers(up, state=True)
    _deciding(up)
    _webhook(up)
    _api(up)
    up.add_argument("--data", metavar="DIR", help="keep state in this directory (default: only in memory)")
    up.add_argument("--emulate", type=int, default=0, metavar="N", help="start N emulated charging stations, too")
    up.add_argument(
        "--park",
        dest="paths",
        nargs="+",
        action="extend",
        type=Path,
        metavar="PATH",
        help="start the stations of these files and folders, too, as csms emulate PATH does",
    )

    gateway = _add(commands, "ws-gateway", "only the WebSocket gateway (needs RabbitMQ)")
    _listening(gateway)
    _brokers(gateway, state=False)

    soap = _add(commands, "soap-gateway", "only the SOAP gateway (needs RabbitMQ)")
    _listening(soap)
    _brokers(soap, state=False)

    router = _add(commands, "router", "only the router (needs RabbitMQ and Redis)")
    _listening(router)
    _brokers(router, state=True)
    _deciding(router)
    _webhook(router)

    relay = _add(commands, "webhook-relay", "only the webhook relay (needs RabbitMQ and Redis)")
    _listening(relay)
    _brokers(relay, state=True)
    _webhook(relay)

    api = _add(commands, "api", "only the REST API (needs RabbitMQ and Redis)")
    _listening(api)
    _brokers(api, state=True)
    _api(api)

    _emulate(commands)
    _webhook_test(commands)
    load.add_parser(commands, _formatter)
    scenario.add_parser(commands, _formatter)
    client.add_parsers(commands, _formatter)
    _check_config(commands)
    commands.add_parser("password", help="read a password from standard input, print its digest for csms.toml")
    return made


def overrides(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The settings that the command line gives, by section."""
    given: dict[str, Any] = {key: value for key, value in vars(options).items() if value is not None}
    top = _pick(given, "host", "port", "data", "auth")
    log = {key.removeprefix("log_"): given[key] for key in ("log_level", "log_format") if key in given}
    files = ("certificate", "key", "ca")
    emulator = _pick(given, "url", "count", "identity", "password", "pace", "transport", *files)
    if "emulated_version" in given:
        emulator["version"] = given["emulated_version"]
    urls: dict[str, dict[str, Any]] = {name: {"url": given[name]} for name in ("bus", "state") if name in given}
    webhook = {"url": given["webhook_url"]} if "webhook_url" in given else {}
    park = _park(given, emulator)
    emulator = {**({} if "paths" in park else emulator), **_pick(given, "control")}
    sections = {"log": log, "emulator": emulator, "park": park, "webhook": webhook}
    return {"": top, **sections, "api": _pick(given, "insecure"), **urls}


def _park(given: dict[str, Any], emulator: dict[str, Any]) -> dict[str, Any]:
    """What `csms emulate PATH` gives; the files say everything that the other options would."""
    if not given.get("paths"):
        return _pick(emulator, "url")
    if others := sorted(emulator.keys() - {"url"}):
        raise SettingsError(f"--{others[0]} goes without PATH: with it, the files say so.")
    return {"paths": [str(path) for path in given["paths"]], **_pick(emulator, "url")}


def _add(commands: Any, name: str, help: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=help, formatter_class=_formatter)
    return made


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=34, width=110)


def _emulate(commands: Any) -> None:
    emulate = _add(commands, "emulate", "charging stations that are not there")
    _common(emulate)
    emulate.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="stations as files describe them: a station.toml, a configuration.json, or a folder of them; "
        "of the options below only --url and --control go with it",
    )
    emulate.add_argument(
        "--url",
        help="the central system, without the identity (ws://localhost:9220/ocpp; http://localhost:9220/Ocpp for SOAP)",
    )
    emulate.add_argument(
        "--version",
        dest="emulated_version",
        choices=["1.5", "1.6", "2.0.1", "2.1"],
        help="the OCPP version that they speak (1.6)",
    )
    emulate.add_argument("--transport", choices=["json", "soap"], help="over WebSocket or over SOAP (json)")
    emulate.add_argument("--count", type=int, help="how many stations (5)")
    emulate.add_argument("--identity", metavar="PATTERN", help="their identities (EMU-{n:05})")
    emulate.add_argument("--password", help="HTTP Basic password of all of them (none)")
    emulate.add_argument("--certificate", metavar="FILE", help="what they show of themselves over TLS (nothing)")
    emulate.add_argument("--key", metavar="FILE", help="the certificate's private key (in the same file)")
    emulate.add_argument("--ca", metavar="FILE", help="whom they trust over TLS (the authorities of this machine)")
    emulate.add_argument(
        "--control",
        metavar="HOST:PORT",
        help="where they are operated over HTTP, under /emulator (nowhere; beyond loopback it needs a control_token)",
    )
    emulate.add_argument("--pace", type=float, help="how much faster than life drivers and cars are (1)")


def _webhook_test(commands: Any) -> None:
    webhook = _add(commands, "webhook", "try the operator's endpoint")
    verbs = webhook.add_subparsers(dest="verb", required=True, metavar="VERB")
    test = _add(verbs, "test", "send a sample of every action to the endpoint, and explain what comes back")
    _common(test)
    _webhook(test)
    test.add_argument("--action", action="append", help="only this action; may be repeated (all)")
    test.add_argument("--version", action="append", help="only this version; may be repeated (ocpp1.6, ocpp2.0.1)")


def _check_config(commands: Any) -> None:
    check = _add(commands, "check-config", "say whether csms.toml, the environment and the options can be used")
    _listening(check)
    _brokers(check, state=True)
    _deciding(check)
    _webhook(check)
    _api(check)
    check.add_argument(
        "--for", dest="checked", metavar="COMMAND", choices=CHECKED, default="up", help="the one that is to run (up)"
    )


def _common(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(emulate=0)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (csms.toml; none unless given)")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], help="least level to log (info)")
    parser.add_argument(
        "--log-format", choices=["auto", "json", "text"], help="form of the log (auto: text on a terminal, else JSON)"
    )


def _listening(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (9220)")


def _brokers(parser: argparse.ArgumentParser, *, state: bool) -> None:
    parser.add_argument("--bus", metavar="URL", help="memory:// or amqp://user:password@host/vhost")
    if state:
        parser.add_argument("--state", metavar="URL", help="memory:// or redis://host:6379/0")


def _deciding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--auth", choices=["open", "registered"], help="who may connect (open)")


def _webhook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--webhook-url", metavar="URL", help="ask this endpoint for the answers to stations (none)")


def _api(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--insecure",
        action="store_true",
        default=None,
        help="let anybody who reaches the port use the REST API (only on loopback)",
    )


def _pick(given: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: given[key] for key in keys if key in given}
