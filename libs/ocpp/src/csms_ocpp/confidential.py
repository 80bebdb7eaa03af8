"""What in a command nobody but the station may read: passwords. Pure; unreadable payloads are never an error."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from csms_ocpp.errors import UNREADABLE
from csms_ocpp.frames import EMPTY

HIDDEN = "***"
_AUTHORIZATION_KEY = "authorizationkey"
_PASSWORD = ("securityctrlr", "basicauthpassword")
# With RebootRequired the setting has been changed, too; the station uses it when it comes back.
_TAKEN_OVER = ("Accepted", "RebootRequired")
_NETWORK_SECRETS = frozenset({"basicAuthPassword", "apnPassword", "simPin", "password", "key"})

_Document = dict[str, Any]
_decode = msgspec.json.Decoder(_Document).decode
_encode = msgspec.json.Encoder().encode


def hidden(action: str, payload: Raw) -> Raw:
    """The command's payload with `***` in the place of every password; the same bytes when it holds none."""
    hide = _HIDERS.get(action)
    if hide is None:
        return payload
    document = _read(payload)
    if document is None:
        return EMPTY
    return Raw(_encode(document)) if hide(document) else payload


def new_password(action: str, payload: Raw, answer: Raw) -> str | None:
    """The password with which the station will connect from now on, if `answer` says so; None: as before.

    For 1.6 it is the AuthorizationKey as it was set: hexadecimal digits that stand for the password's bytes.
    """
    find = _FINDERS.get(action)
    asked, answered = _read(payload), _read(answer)
    return find(asked, answered) if find and asked is not None and answered is not None else None


def _hide_configuration(document: _Document) -> bool:
    if not _is_secret(document.get("key")):
        return False
    document["value"] = HIDDEN
    return True


def _hide_variables(document: _Document) -> bool:
    secret = [item for item in _items(document, "setVariableData") if _is_secret(_name(item, "variable"))]
    for item in secret:
        item["attributeValue"] = HIDDEN
    return bool(secret)


def _hide_profile(document: _Document) -> bool:
    data = document.get("connectionData")
    parts = [data, data.get("apn"), data.get("vpn")] if isinstance(data, dict) else []
    found = [(part, key) for part in parts if isinstance(part, dict) for key in _NETWORK_SECRETS & part.keys()]
    for part, key in found:
        part[key] = HIDDEN
    return bool(found)


def _find_key(asked: _Document, answered: _Document) -> str | None:
    if _folded(asked.get("key")) != _AUTHORIZATION_KEY or answered.get("status") not in _TAKEN_OVER:
        return None
    return _text(asked.get("value"))


def _find_password(asked: _Document, answered: _Document) -> str | None:
    told = [item for item in _items(asked, "setVariableData") if _names(item) == _PASSWORD]
    results = [item for item in _items(answered, "setVariableResult") if _names(item) == _PASSWORD]
    taken = [
        _text(item.get("attributeValue"))
        for item, result in zip(told, results, strict=False)
        if result.get("attributeStatus") in _TAKEN_OVER
    ]
    return taken[-1] if taken else None


_HIDERS: dict[str, Callable[[_Document], bool]] = {
    "ChangeConfiguration": _hide_configuration,
    "SetNetworkProfile": _hide_profile,
    "SetVariables": _hide_variables,
}
_FINDERS: dict[str, Callable[[_Document, _Document], str | None]] = {
    "ChangeConfiguration": _find_key,
    "SetVariables": _find_password,
}


def _read(payload: Raw) -> _Document | None:
    try:
        return _decode(payload)
    except UNREADABLE:
        return None


def _items(document: _Document, name: str) -> Iterator[_Document]:
    items = document.get(name)
    return (item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict))


def _names(item: _Document) -> tuple[str, str]:
    return _folded(_name(item, "component")), _folded(_name(item, "variable"))


def _name(item: _Document, part: str) -> object:
    named = item.get(part)
    return named.get("name") if isinstance(named, dict) else None


def _is_secret(name: object) -> bool:
    # Stations have keys of their own for the passwords of their networks.
    return _folded(name) == _AUTHORIZATION_KEY or "password" in _folded(name)


def _folded(name: object) -> str:
    # OCPP 1.6 §9: keys are CiString; OCPP 2.0.1 ComponentType, VariableType: "Case Insensitive".
    return name.casefold() if isinstance(name, str) else ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
