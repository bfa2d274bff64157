"""Documents and deltas as JSON text, and back to equal values. What is sealed stays sealed, in Base64."""

import base64
import binascii
import json
from typing import Any

from keyturn.model.errors import KeyturnError
from keyturn.model.estate import SiteCode
from keyturn.site.control.catalogue import Section
from keyturn.site.control.deltas import Delta, Operation, Remove, RemoveItem, Set
from keyturn.site.control.document import Item, Path, Sealed, SiteControl, Value


class BadForm(KeyturnError):
    """Not a document or a delta of ours. It is not repeated: anything may be in it."""


def document_text(document: SiteControl) -> str:
    items = [
        {"section": item.section, "name": item.name, "properties": {n: _written(v) for n, v in item.properties}}
        for item in document.items
    ]
    return _dumps({"site": document.site, "serial": document.serial, "items": items})


def read_document(text: str) -> SiteControl:
    try:
        found = json.loads(text)
        items = tuple(
            Item(Section(i["section"]), i["name"], tuple((n, _value(v)) for n, v in i["properties"].items()))
            for i in found["items"]
        )
        return SiteControl(SiteCode(found["site"]), int(found["serial"]), items)
    except _MALFORMED:
        raise BadForm("this is no site control file of this release") from None


def delta_text(delta: Delta) -> str:
    operations = [_operation_written(operation) for operation in delta.operations]
    return _dumps({"site": delta.site, "author": delta.author, "base": delta.base, "operations": operations})


def read_delta(text: str | bytes) -> Delta:
    try:
        found = json.loads(text)
        operations = tuple(_operation(one) for one in found["operations"])
        return Delta(SiteCode(str(found["site"])), str(found["author"]), int(found["base"]), operations)
    except _MALFORMED:
        raise BadForm("this is no delta of a site control file") from None


def _operation_written(operation: Operation) -> dict[str, Any]:
    match operation:
        case Set(path, value):
            return {"set": _path_written(path), "to": _written(value)}
        case Remove(path):
            return {"remove": _path_written(path)}
        case RemoveItem(section, item):
            return {"remove-item": [section, item]}


def _operation(found: dict[str, Any]) -> Operation:
    match found:
        case {"set": [section, item, name], "to": value}:
            return Set(Path(Section(section), str(item), str(name)), _value(value))
        case {"remove": [section, item, name]}:
            return Remove(Path(Section(section), str(item), str(name)))
        case {"remove-item": [section, item]}:
            return RemoveItem(Section(section), str(item))
        case _:
            raise ValueError


def _path_written(path: Path) -> list[str]:
    return [path.section, path.item, path.property]


def _written(value: Value) -> str | dict[str, str]:
    return {"sealed": base64.b64encode(value.data).decode()} if isinstance(value, Sealed) else value


def _value(found: object) -> Value:
    match found:
        case str():
            return found
        case {"sealed": str(data)}:
            return Sealed(base64.b64decode(data, validate=True))
        case _:
            raise ValueError


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error)
