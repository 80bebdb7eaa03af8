"""Answers of 2.0.1 and 2.1; transactions are in `transaction_event`.

What a central system would need more for (a certificate authority, ISO 15118 contracts, smart charging, a VAT register)
is answered with the message's own word for no.
"""

import msgspec
from msgspec import Raw, Struct

from csms_platform.envelope import EMPTY, Envelope
from csms_platform.times import iso_8601
from csms_router.answers import Table
from csms_router.answers.common import (
    boot,
    fixed,
    heartbeat,
    is_place,
    noted,
    nothing_to_say,
    unknown_vendor,
    worded,
)
from csms_router.answers.repeats import judge, repeatable
from csms_router.answers.transaction_event import IdToken, judge_token, transaction_event
from csms_router.authorize import ACCEPTED, INVALID, Decision, id_token_info
from csms_router.desk import Answer, Desk
from csms_router.replies import json

_DAY = 86_400.0
_ABSENT = Raw()


class _Place(Struct, rename="camel", gc=False):
    evse_id: int
    connector_id: int = 0


class _Stream(Struct, gc=False):
    id: int


class _Authorize(Struct, rename="camel"):
    id_token: IdToken
    certificate: Raw = _ABSENT
    iso15118_certificate_hash_data: Raw = msgspec.field(default=_ABSENT, name="iso15118CertificateHashData")


class _VatNumber(Struct, rename="camel", omit_defaults=True):
    vat_number: str
    evse_id: int | None = None


class _ChainLink(Struct, rename="camel"):
    source: str
    certificate_hash_data: Raw


class _Chain(Struct, rename="camel"):
    certificate_status_requests: list[_ChainLink]


_place = msgspec.json.Decoder(_Place).decode
_stream = msgspec.json.Decoder(_Stream).decode
_authorize = msgspec.json.Decoder(_Authorize).decode
_vat_number = msgspec.json.Decoder(_VatNumber).decode
_chain = msgspec.json.Decoder(_Chain).decode

_UNSUPPORTED = b'"statusInfo":{"reasonCode":"UnsupportedRequest"}'
_rejected = fixed(b'{"status":"Rejected",' + _UNSUPPORTED + b"}")
_accepted = worded(b'{"status":"Accepted"}', rejecting=b'{"status":"Rejected"}')


def status(envelope: Envelope, desk: Desk) -> Raw:
    """The last status of each connector."""
    told = _place(envelope.payload)
    if is_place(told.evse_id) and is_place(told.connector_id):
        desk.note(envelope, f"status/{told.evse_id}/{told.connector_id}")
    return EMPTY


def meter_values(envelope: Envelope, desk: Desk) -> Raw:
    """The last meter values of each EVSE; 0 is the charging station's main meter."""
    evse = _place(envelope.payload).evse_id
    if is_place(evse):
        desk.note(envelope, f"meter/{evse}")
    return EMPTY


def stream(envelope: Envelope, desk: Desk) -> Raw:
    """The last values of each periodic event stream. A SEND: what is returned goes nowhere."""
    number = _stream(envelope.payload).id
    if is_place(number):
        desk.note(envelope, f"stream/{number}")
    return EMPTY


async def authorize(envelope: Envelope, desk: Desk) -> Answer:
    """What the tag list says; on a contract certificate, which nobody here can check, Accepted by verdict only."""
    told = _authorize(envelope.payload)
    if told.certificate == _ABSENT and told.iso15118_certificate_hash_data == _ABSENT:
        return Answer(json({"idTokenInfo": id_token_info(await judge_token(told.id_token, desk, judge))}))
    if desk.verdict is not None and desk.verdict.accepted:
        return Answer(json({"idTokenInfo": id_token_info(desk.verdict), "certificateStatus": ACCEPTED}))
    # OCPP 2.0.1 C07: the status of the contract certificate decides with the token's.
    info = id_token_info(Decision(INVALID))
    return Answer(json({"idTokenInfo": info, "certificateStatus": "NoCertificateAvailable"}))


def chain_status(envelope: Envelope, desk: Desk) -> Raw:
    """Failed for each certificate asked about: there is no OCSP or CRL client."""
    return json(
        {
            "certificateStatus": [
                {
                    "certificateHashData": link.certificate_hash_data,
                    "source": link.source,
                    "status": "Failed",
                    "nextUpdate": iso_8601(desk.now + _DAY),
                }
                for link in _chain(envelope.payload).certificate_status_requests
            ]
        }
    )


def vat_number(envelope: Envelope, desk: Desk) -> Raw:
    """Rejected: there is no register to ask. Number and EVSE are echoed."""
    told = msgspec.to_builtins(_vat_number(envelope.payload))
    return json({**told, "status": "Rejected", "statusInfo": {"reasonCode": "UnsupportedRequest"}})


ANSWERS = Table(
    {
        "Authorize": authorize,
        "BatterySwap": noted("battery-swap"),
        "BootNotification": boot,
        "ClearedChargingLimit": nothing_to_say,
        "ClosePeriodicEventStream": nothing_to_say,
        "DataTransfer": unknown_vendor,
        "FirmwareStatusNotification": noted("firmware"),
        "Get15118EVCertificate": fixed(b'{"status":"Failed","exiResponse":"",' + _UNSUPPORTED + b"}"),
        "GetCertificateChainStatus": chain_status,
        "GetCertificateStatus": fixed(b'{"status":"Failed",' + _UNSUPPORTED + b"}"),
        "Heartbeat": heartbeat,
        "LogStatusNotification": noted("log"),
        "MeterValues": meter_values,
        "NotifyChargingLimit": nothing_to_say,
        "NotifyCustomerInformation": nothing_to_say,
        "NotifyDERAlarm": noted("der-alarm"),
        "NotifyDERStartStop": nothing_to_say,
        "NotifyDisplayMessages": nothing_to_say,
        "NotifyEVChargingNeeds": _rejected,
        "NotifyEVChargingSchedule": _accepted,
        "NotifyEvent": nothing_to_say,
        "NotifyMonitoringReport": nothing_to_say,
        "NotifyPeriodicEventStream": stream,
        "NotifyPriorityCharging": nothing_to_say,
        "NotifyReport": nothing_to_say,
        "NotifySettlement": nothing_to_say,
        "OpenPeriodicEventStream": _accepted,
        "PublishFirmwareStatusNotification": noted("publish-firmware"),
        "PullDynamicScheduleUpdate": _rejected,
        "ReportChargingProfiles": nothing_to_say,
        "ReportDERControl": nothing_to_say,
        "ReservationStatusUpdate": noted("reservation"),
        "SecurityEventNotification": noted("security"),
        # There is no certificate authority to sign with.
        "SignCertificate": _rejected,
        "StatusNotification": status,
        "TransactionEvent": repeatable(transaction_event),
        "VatNumberValidation": vat_number,
    }
)
