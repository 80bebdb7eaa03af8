"""The chapter of the OpenAPI document about what is not a command in `/api/v1`."""

from typing import Any

from csms_api.openapi_parts import REFUSALS, content, error, reference
from csms_platform.resources import Document

_TEXT: Document = {"type": "string"}
_TEXT_OR_NULL: Document = {"type": ["string", "null"]}
_INTEGER_OR_NULL: Document = {"type": ["integer", "null"]}
_OBJECT_OR_NULL: Document = {"type": ["object", "null"]}
_TAGS = ["Central system"]


def paths() -> dict[str, Document]:
    """Path items by path."""
    stations = _get("ChargePointList", "The charging stations that are known", "ChargePointList")
    other = _get("CentralSystemChargePointList", "The same as /api/v1/ChargePointList", "ChargePointList")
    return {
        "/api/v1/ping": {"get": _open("ping", "Whether the API answers", "Error")},
        "/api/v1/time": {"get": _open("time", "The central system's clock", "ServerTime")},
        "/api/v1/ChargePointList": {"get": stations},
        "/api/v1/CentralSystem/ChargePointList": {"get": other},
        "/api/v1/CentralSystem/TransactionList": {"post": _post("TransactionList", "Transactions, the newest first")},
        "/api/v1/CentralSystem/ReservationList": {"post": _post("ReservationList", "Reservations, by station")},
    }


def components() -> dict[str, Document]:
    """Schemas by name."""
    return {
        "ServerTime": _object({"serverTime": {"type": "integer", "description": "Milliseconds since 1970."}}),
        "ChargePointList": _rows("ChargePointList", _STATION),
        "TransactionList": _rows("TransactionList", _TRANSACTION, more={"type": "boolean"}),
        "ReservationList": _rows("ReservationList", _RESERVATION),
        "ListWish": _WISH,
    }


def _get(id: str, summary: str, answer: str) -> Document:
    answers = {"200": {"description": summary, "content": content(reference(answer))}}
    return {"operationId": id, "tags": _TAGS, "summary": summary, "responses": answers | REFUSALS}


def _open(id: str, summary: str, answer: str) -> Document:
    return _get(id, summary, answer) | {"security": []}


def _post(id: str, summary: str) -> Document:
    described = _get(id, summary, id)
    described["requestBody"] = {
        "content": content(reference("ListWish"), {"identity": "CS-1", "dateFrom": "2026-01-01T00:00:00Z"})
        | content(reference("ListWish"), kind="application/x-www-form-urlencoded")
    }
    described["responses"] = described["responses"] | {
        "400": error("A field is wrong; the message says which."),
        "415": error("The body is neither JSON nor a form."),
    }
    return described


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> Document:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _rows(name: str, row: Document, **more: Document) -> Document:
    return _object({name: {"type": "array", "items": row}, **more}, tuple(more))


_WISH: Document = _object(
    {
        "identity": {**_TEXT_OR_NULL, "description": "One station; without it: all."},
        "dateFrom": {**_TEXT_OR_NULL, "description": "ISO 8601; without a zone it is UTC."},
        "dateTo": {**_TEXT_OR_NULL, "description": "ISO 8601, not included."},
    },
    ("identity", "dateFrom", "dateTo"),
)
_CONNECTOR: Document = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {"id": {"type": "integer"}, "evseId": {"type": "integer"}, "status": _TEXT_OR_NULL},
}
_STATION: Document = _object(
    {
        "identity": _TEXT,
        "address": {**_TEXT_OR_NULL, "description": "Where a SOAP station is called; null for the others."},
        "connection": _OBJECT_OR_NULL
        | {
            "properties": {"socket": {"type": "integer"}, "ip": _TEXT, "port": _INTEGER_OR_NULL},
            "description": "Null while it is offline, and for SOAP stations, which hold none.",
        },
        "bootNotification": {"description": "Its last BootNotification as it came, or null."},
        "statusNotification": {**_OBJECT_OR_NULL, "description": "Its last StatusNotification as it came."},
        "account": _TEXT,
        "protocol": {**_TEXT, "description": "ocpp1.5, ocpp1.6, …; empty while it is offline."},
        "ocppVersion": {**_TEXT, "description": "1.5, 1.6, …; empty while it is offline."},
        "online": {"type": "boolean"},
        "lastSeen": {**_TEXT_OR_NULL, "description": "ISO 8601; now while it is online."},
        "connectors": {"type": "array", "items": _CONNECTOR},
    }
)
_TRANSACTION: Document = _object(
    {
        "id": {"type": ["integer", "string"]},
        "idTag": _TEXT,
        "identity": _TEXT,
        "serialNumber": _TEXT_OR_NULL,
        "connectorId": {"type": "integer"},
        "evseId": _INTEGER_OR_NULL,
        "meterStart": {"type": "integer", "description": "Wh"},
        "meterStop": _INTEGER_OR_NULL,
        "value": {**_INTEGER_OR_NULL, "description": "meterStop - meterStart, in Wh"},
        "reservationId": _INTEGER_OR_NULL,
        "reason": _TEXT_OR_NULL,
        "data": {"type": "null"},
        "dateStart": _TEXT,
        "dateStop": _TEXT_OR_NULL,
    }
)
_RESERVATION: Document = _object(
    {
        "id": {"type": ["integer", "string"]},
        "idTag": _TEXT_OR_NULL,
        "identity": _TEXT,
        "serialNumber": _TEXT_OR_NULL,
        "connectorId": _INTEGER_OR_NULL,
        "expiryDate": _TEXT_OR_NULL,
        "dateStart": _TEXT_OR_NULL,
        "dateStop": _TEXT_OR_NULL,
    }
)
