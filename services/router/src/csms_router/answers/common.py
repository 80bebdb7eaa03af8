"""Answers that 1.x and 2.x share: boot and registration, the time, facts to note, and fixed words."""

import msgspec
from msgspec import Raw

from csms_ocpp.version import StationId, Version
from csms_platform.envelope import EMPTY, Envelope
from csms_platform.ports import Note, Station
from csms_platform.times import iso_8601
from csms_router import presence
from csms_router.answers import Plain
from csms_router.desk import MOST_PLACES, Answer, Desk
from csms_router.replies import json
from csms_router.settings import Settings

ACCEPTED = "Accepted"
REJECTED = "Rejected"
BOOT = "boot"
REGISTRATION = "registration"


def fixed(payload: bytes) -> Plain:
    """A handler that always answers `payload`."""
    answer = Raw(payload)
    return lambda envelope, desk: answer


def worded(payload: bytes, *, accepting: bytes | None = None, rejecting: bytes | None = None) -> Plain:
    """A handler that answers `payload`, but for a desk whose verdict is yes or no: then what is given for that."""
    own, yes, no = (Raw(payload if words is None else words) for words in (None, accepting, rejecting))

    def answer(envelope: Envelope, desk: Desk) -> Raw:
        verdict = desk.verdict
        return own if verdict is None else yes if verdict.accepted else no

    return answer


nothing_to_say = fixed(b"{}")
unknown_vendor = worded(
    b'{"status":"UnknownVendorId"}', accepting=b'{"status":"Accepted"}', rejecting=b'{"status":"Rejected"}'
)


def noted(about: str) -> Plain:
    """A handler that remembers the payload as the last one about `about`, and answers `{}`."""

    def note(envelope: Envelope, desk: Desk) -> Raw:
        desk.note(envelope, about)
        return EMPTY

    return note


def is_place(number: int) -> bool:
    """Whether a station can have an EVSE or connector of this number; others are answered but not noted."""
    return 0 <= number < MOST_PLACES


def heartbeat(envelope: Envelope, desk: Desk) -> Raw:
    """The time."""
    return Raw(b'{"currentTime":"%b"}' % desk.time)


async def boot(envelope: Envelope, desk: Desk) -> Answer:
    """Registration as the station's record or the settings say; noted, and in the connection's new capsule."""
    status = await _status(envelope, desk)
    payload = json(_boot_answer(envelope.version, status, desk))
    await note_boot(envelope, status, payload, desk)
    return booted(envelope, payload, status, desk)


async def note_boot(envelope: Envelope, status: str, payload: Raw, desk: Desk) -> None:
    """Remember the BootNotification, and what it is answered: `status`, and the heartbeat interval in `payload`."""
    notes = [
        Note(envelope.identity, BOOT, bytes(envelope.payload)),
        Note(envelope.identity, REGISTRATION, b'"%b"' % status.encode()),
    ]
    if status == ACCEPTED:
        notes.append(Note(envelope.identity, presence.INTERVAL, b"%d" % presence.told(payload)))
    await desk.stations.note(notes)


def booted(envelope: Envelope, payload: Raw, status: str, desk: Desk) -> Answer:
    """The answer `payload` to a BootNotification, with the status that it holds in the connection's capsule."""
    session, accepted = envelope.session, status == ACCEPTED
    if session is not None and session.registration != status:
        session = msgspec.structs.replace(session, registration=status)
    if session is not None and envelope.transport == presence.SOAP:
        fresh = presence.fresh_until(desk.settings, accepted, presence.told(payload), desk.clock())
        session = msgspec.structs.replace(session, fresh_until=fresh)
    return Answer(payload, session, booted=accepted)


async def _status(envelope: Envelope, desk: Desk) -> str:
    if desk.verdict is not None:
        return ACCEPTED if desk.verdict.accepted else REJECTED
    status = registration(await desk.stations.get(StationId(envelope.identity)), desk.settings)
    # OCPP 1.5 RegistrationStatus: Accepted or Rejected
    return REJECTED if status == "Pending" and envelope.version == Version.V1_5 else status


def registration(station: Station | None, settings: Settings) -> str:
    """What BootNotification is answered to a station with this record, or without one."""
    if station is not None:
        return REJECTED if station.disabled else station.registration
    return REJECTED if settings.auth == "registered" else settings.registration


def _boot_answer(version: str, status: str, desk: Desk) -> dict[str, str | int]:
    settings = desk.settings
    # OCPP 1.6 §6.4 (BootNotification.conf), interval: the heartbeat's, or the wait before the next boot.
    interval = settings.heartbeat_interval if status == ACCEPTED else settings.retry_interval
    named = "heartbeatInterval" if version == Version.V1_5 else "interval"
    return {"currentTime": iso_8601(desk.clock()), named: interval, "status": status}
