"""`csms`: reads the command line, and runs one service or all of them. Errors are one sentence and exit code 2."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from csms import __doc__ as summary
from csms.compose import plan
from csms.settings import Configuration, read
from csms_platform import logging
from csms_platform.runtime import run

_EPILOG = """\
Every option is also a key in csms.toml and an environment variable: --port is `port` and CSMS_PORT,
--bus is `[bus] url` and CSMS_BUS_URL. The command line wins over the environment, the environment over the file.

Try it:    csms up --emulate 5
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the `csms` command; answers the exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "password":
        return _password()
    try:
        configuration = read(options.config, os.environ, _overrides(options))
        logging.configure(configuration.log.level, configuration.log.format)
        return run(plan(options.command, configuration, options.emulate))
    except (ValueError, OSError, ExceptionGroup) as error:
        print(f"csms: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("csms", description=summary, epilog=_EPILOG, formatter_class=_formatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="everything in one process on one port", formatter_class=_formatter)
    _listening(up)
    _brokers(up, state=True)
    _deciding(up)
    up.add_argument("--data", metavar="DIR", help="keep state in this directory (default: only in memory)")
    up.add_argument("--emulate", type=int, default=0, metavar="N", help="start N emulated charging stations, too")

    gateway = commands.add_parser(
        "ws-gateway", help="only the WebSocket gateway (needs RabbitMQ)", formatter_class=_formatter
    )
    _listening(gateway)
    _brokers(gateway, state=False)

    router = commands.add_parser(
        "router", help="only the router (needs RabbitMQ and Redis)", formatter_class=_formatter
    )
    _listening(router)
    _brokers(router, state=True)
    _deciding(router)

    emulate = commands.add_parser("emulate", help="charging stations that are not there", formatter_class=_formatter)
    _common(emulate)
    emulate.add_argument("--url", help="the central system, without the identity (ws://localhost:9220/ocpp)")
    emulate.add_argument("--count", type=int, help="how many stations (5)")
    emulate.add_argument("--identity", metavar="PATTERN", help="their identities (EMU-{n:05})")
    emulate.add_argument("--password", help="HTTP Basic password of all of them (none)")
    emulate.add_argument("--pace", type=float, help="how much faster than life drivers and cars are (1)")

    commands.add_parser("password", help="read a password from standard input, print its digest for csms.toml")
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=34, width=110)


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


def _overrides(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    given: dict[str, Any] = {key: value for key, value in vars(options).items() if value is not None}
    top = _pick(given, "host", "port", "data", "auth")
    log = {key.removeprefix("log_"): given[key] for key in ("log_level", "log_format") if key in given}
    emulator = _pick(given, "url", "count", "identity", "password", "pace")
    urls: dict[str, dict[str, Any]] = {name: {"url": given[name]} for name in ("bus", "state") if name in given}
    return {"": top, "log": log, "emulator": emulator, **urls}


def _pick(given: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: given[key] for key in keys if key in given}


def _password() -> int:
    from csms_router.passwords import digest

    print(digest(sys.stdin.buffer.readline().rstrip(b"\r\n")))
    return 0


def _sentence(error: BaseException) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return str(error) or type(error).__name__


__all__ = ["Configuration", "main"]

if __name__ == "__main__":
    sys.exit(main())
