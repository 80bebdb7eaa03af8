"""`csms`: reads the command line, and runs one service or all of them. Errors are one sentence and exit code 2."""

import argparse
import os
import sys
from collections.abc import Sequence

import uvloop

from csms import arguments, client, load
from csms.compose import plan
from csms.settings import Configuration, read
from csms_ocpp.version import Version
from csms_platform import logging
from csms_platform.runtime import run


def main(given: Sequence[str] | None = None) -> int:
    """Entry point of the `csms` command; answers the exit code."""
    options = arguments.parser().parse_args(given)
    try:
        if options.command == "password":
            return _password()
        if options.command in client.COMMANDS:
            return client.run(options)
        if options.command == "load":
            return load.run(options)
        configuration = read(options.config, os.environ, arguments.overrides(options))
        logging.configure(configuration.log.level, configuration.log.format)
        if options.command == "webhook":
            return _webhook_test(options, configuration)
        return run(plan(options.command, configuration, options.emulate))
    except (ValueError, OSError, ExceptionGroup) as error:
        print(f"csms: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _password() -> int:
    from csms_platform.passwords import digest

    print(digest(sys.stdin.buffer.readline().rstrip(b"\r\n")))
    return 0


def _webhook_test(options: argparse.Namespace, configuration: Configuration) -> int:
    from csms_webhook_relay.sample import probe

    versions = [Version(version) for version in options.version or ("ocpp1.6", "ocpp2.0.1")]
    return uvloop.run(probe(configuration.webhook, versions=versions, actions=options.action or [], out=sys.stdout))


def _sentence(error: BaseException) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return str(error) or type(error).__name__


__all__ = ["Configuration", "main"]

if __name__ == "__main__":
    sys.exit(main())
