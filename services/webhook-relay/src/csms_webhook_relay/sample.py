"""`csms webhook test`: asks the operator's endpoint what stations would, and says what they would be told.

Nothing is spooled, retried or kept: one request for each action, as a station called `specimens.IDENTITY` sends it.
"""

import time
from collections.abc import Iterable, Sequence
from typing import TextIO, assert_never

import msgspec

from csms_ocpp.version import Version
from csms_platform.envelope import Envelope, Kind
from csms_webhook_relay import policies
from csms_webhook_relay.delivery import identify
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.reply import Answered, Failed, Final, Refused, Reply
from csms_webhook_relay.settings import Settings
from csms_webhook_relay.specimens import IDENTITY, asked, specimen

_TITLES = ("ENDPOINT", "VERSION", "ACTION", "REPLY", "THE STATION IS TOLD")
_WIDEST = 90
_KEPT = {
    "spool": "its message is stored, and delivered later",
    "builtin": "what the router answers by itself",
    "accept": "yes, whatever the tag",
    "reject": "no",
    "error": "CALLERROR InternalError",
}


class Finding(msgspec.Struct, frozen=True):
    """What one request showed: what came, and what the station would be told; `fine`: just that."""

    endpoint: str
    version: str
    action: str
    reply: str
    told: str
    fine: bool


async def probe(settings: Settings, *, versions: Sequence[Version], actions: Sequence[str], out: TextIO) -> int:
    """Ask every endpoint of `settings` about these actions (none: about all), and print a table to `out`.

    Answers the exit code: 0 when stations would hear the endpoint's own words each time, 1 when not. Raises
    `ValueError`, with a sentence, when there is nobody to ask or nothing to ask about.
    """
    wanted = [(version, action) for version in versions for action in _chosen(version, actions)]
    _check(settings, actions, {action for _, action in wanted}, versions)
    findings = [
        await _ask(Endpoint(name, target, settings), settings, version, action)
        for name, target in settings.endpoints().items()
        for version, action in wanted
    ]
    out.write(explain(findings))
    return 0 if all(finding.fine for finding in findings) else 1


def _chosen(version: Version, actions: Sequence[str]) -> Iterable[str]:
    return (action for action in asked(version) if not actions or action in actions)


def _check(settings: Settings, actions: Sequence[str], found: set[str], versions: Sequence[Version]) -> None:
    if not settings.endpoints():
        raise ValueError("webhook: there is no endpoint to test: give --webhook-url or CSMS_WEBHOOK_URL.")
    for action in actions:
        if action not in found:
            raise ValueError(f"{action} is nothing that stations ask in {', '.join(versions)}.")


# A new endpoint each time: a breaker would leave out the actions after those that failed.
async def _ask(endpoint: Endpoint, settings: Settings, version: Version, action: str) -> Finding:
    call = Envelope(
        Kind.CALL,
        IDENTITY,
        version=version,
        transport="soap" if version is Version.V1_5 else "json",
        unique_id=f"test-{time.time_ns()}",
        action=action,
        payload=specimen(version, action),
    )
    async with endpoint:
        found = await endpoint.ask(call, attempt=1, seconds=settings.timeout, delivery_id=identify(call))
    policy = policies.table(settings.policies, settings.default_policy)[action]
    return finding(endpoint.name, call, found, policy)


def finding(endpoint: str, call: Envelope, found: Reply, policy: str) -> Finding:
    """What `found` means for the station. Pure."""
    match found:
        case Answered(payload):
            reply, told, fine = "CALLRESULT", bytes(payload).decode(), True
        case Refused(code, description):
            told = f"{code}: {description}" if description else code
            reply, told, fine = "CALLERROR", told, call.action not in policies.NEVER_REFUSED
            if not fine:
                told = "yes; its message becomes a dead letter"
        case Final(reason) if policy == "spool":
            reply, told, fine = reason, "yes; its message becomes a dead letter", False
        case Final(reason) | Failed(reason):
            reply, told, fine = reason, f"policy {policy}: {_KEPT[policy]}", False
        case _ as never:
            assert_never(never)
    return Finding(endpoint, call.version, call.action, reply, told, fine)


def explain(findings: Sequence[Finding]) -> str:
    """The findings as a table, failures marked, and a last line that counts them. Pure."""
    rows = [_TITLES, *((f.endpoint, f.version, f.action, _short(f.reply), _short(f.told)) for f in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    marks = ["  ", *("  " if f.fine else "! " for f in findings)]
    lines = [
        mark + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for mark, row in zip(marks, rows, strict=True)
    ]
    failed = sum(not f.fine for f in findings)
    lines.append(f"{len(findings) - failed} of {len(findings)} are answered by the endpoint.")
    return "\n".join(lines) + "\n"


def _short(text: str) -> str:
    # What the endpoint says goes to a terminal: nothing that could move its cursor.
    printable = "".join(letter if letter.isprintable() else "�" for letter in text)
    return printable if len(printable) <= _WIDEST else printable[: _WIDEST - 1] + "…"
