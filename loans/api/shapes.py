"""What the OpenAPI document says of a kind's items: made of the kind itself, so that it cannot lie."""

from __future__ import annotations

from typing import Any

from loans.api import written
from loans.api.items import ITEMS_MAX
from loans.files.kind_types import Column
from loans.files.kinds import KINDS


def item(kind: str) -> dict[str, Any]:
    """The JSON Schema of one item of a kind."""
    spec = KINDS[kind]
    return {
        "type": "object",
        "title": spec.title_zh,
        "additionalProperties": False,
        "required": [column.key for column in spec.columns if column.required],
        "properties": {column.key: _member(column) for column in spec.columns},
    }


def one_or_many(kind: str) -> dict[str, Any]:
    """One item, a list of them, or such a list as the member `items`."""
    one = item(kind)
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": ITEMS_MAX}
    wrapped = {
        "type": "object",
        "additionalProperties": False,
        "required": ["items"],
        "properties": {"items": many},
    }
    return {"oneOf": [one, many, wrapped]}


def _member(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"description": column.header_zh}
    if column.type == "year":
        return {"type": "integer", "minimum": 2000, "maximum": 2100, **told}
    if column.type == "scheme_codes":
        word = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
        return {"type": "array", "items": word, "uniqueItems": True, **told}
    if column.choices:
        return {"type": "string", "enum": [*column.choices], **told}
    shape = {"type": "string", "pattern": written.pattern(column), **told}
    if column.type == "date":
        shape["format"] = "date"
    if column.type in {"text", "name"}:
        shape["maxLength"] = written.longest(column)
    if column.type in written.EXAMPLES:
        shape["examples"] = [written.EXAMPLES[column.type]]
    return shape
