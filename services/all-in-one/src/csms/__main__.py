"""`csms`: reads the command line, and runs one service or all of them. Errors are one sentence and exit code 2."""

import argparse
import os
import sys
from collections.abc import Sequence

import uvloop

from csms import arguments, client, load, scenario
from csms.compose import plan, renewable
from csms.renewal import renewal
from csms.settings import Configuration, read
from csms_ocpp.version import Version
from csms_platform.plan import Plan, Renewal
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
        if options.command == "scenario":
            return scenario.run(options)
        configuration = read(options.config, os.environ, arguments.overrides(options))
        # Those two print results.
        configuration.log.configure(sys.stderr if options.command in ("webhook", "check-config") else None)
        if options.command == "webhook":
            return _webhook_test(options, configuration)
        if options.command == "check-config":
            return _check(options, configuration)
        return run(_renewable(options, configuration))
    except (ValueError, OSError, ExceptionGroup) as error:
        print(f"csms: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _renewable(options: argparse.Namespace, configuration: Configuration) -> Plan:
    """What runs, and how it is told anew."""

    def renew() -> Renewal:
        found = read(options.config, os.environ, arguments.overrides(options))
        return renewal(configuration, found, renewable(options.command, found))

    return plan(options.command, configuration, options.emulate)._replace(renew=renew)


def _check(options: argparse.Namespace, configuration: Configuration) -> int:
    from csms_platform.tls import tls_context

    listen = configuration.listen
    tls_context(listen.tls_certificate, listen.tls_key, listen.tls_client_ca)
    made = plan(options.checked, configuration)
    source = options.config or "The environment and the options"
    print(f"{source}: good for csms {options.checked}, which runs {', '.join(part.name for part in made.parts)}.")
    return 0


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
