"""What a system answered, as rows of texts: JSON in its envelope, or a file of JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from loans.values.errors import bilingual
from settlement.engine.wire import Definition, Envelope, Mapped
from settlement.engine.wire_rows import Cell

BYTES_MAX = 32 << 20
CURSOR_MAX = 200
TOO_LARGE = bilingual("回传内容过大", "the answer is too large")
CELL_MAX = 10_000


class Unreadable(Exception):
    """The answer as a whole is none."""


@dataclass(frozen=True)
class Page:
    """Rows by their field names, blank ones None, and the cursor to go on with."""

    rows: Sequence[Mapping[str, Cell]]
    cursor: str = ""


def read(content: bytes, *, of: Definition, mapped: Mapped) -> Page:
    """What do these bytes say? Unreadable if they are no answer.

    A table has every column that the definition names, and a file its last line to the end; a member that
    is left out of a JSON object is blank.
    """
    if len(content) > BYTES_MAX:
        raise Unreadable(TOO_LARGE)
    if of.transport == "file" and not content.endswith(b"\n"):
        raise Unreadable(
            bilingual("文件不完整：末行没有换行", "the file is cut short: its last line has no end")
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(bilingual("不是 UTF-8", "is not UTF-8")) from error
    if "\0" in text:
        raise Unreadable(bilingual("含有空字符", "holds a NUL"))
    if of.format == "csv":
        return Page(_csv(text, mapped))
    if of.format == "jsonl":
        return Page([_row(_json(line), n) for n, line in enumerate(_lines(text), start=1)])
    return _page(_json(text), of)


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _page(told: Any, of: Definition) -> Page:
    around = of.envelope
    if not isinstance(told, dict):
        raise Unreadable(bilingual("不是 JSON 对象", "is not a JSON object"))
    if around.ok_field and not is_ok(told, of=around):
        raise Unreadable(
            bilingual(
                f"对方返回 {around.ok_field}={told.get(around.ok_field)!r}",
                "the system reports a failure",
            )
        )
    rows = told.get(around.rows)
    if not isinstance(rows, list):
        raise Unreadable(bilingual(f"缺少 {around.rows} 列表", f"has no list {around.rows}"))
    cursor = _cell(told.get(around.cursor), 0) or ""
    if len(cursor) > CURSOR_MAX:
        raise Unreadable(bilingual("游标过长", "the cursor is too long"))
    return Page([_row(one, number) for number, one in enumerate(rows, start=1)], cursor)


def is_ok(told: Mapping[str, Any], *, of: Envelope) -> bool:
    """Does the envelope say that all went well? A JSON true is written true in a definition."""
    value = told.get(of.ok_field)
    if isinstance(value, bool):
        return str(value).lower() == of.ok_value.lower()
    return str(value) == of.ok_value


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise ValueError(bilingual("成员重复", "a member is told twice"))
        return made

    def refused(token: str) -> NoReturn:
        raise ValueError(token)

    try:
        return json.loads(
            text, object_pairs_hook=once, parse_float=str, parse_int=str, parse_constant=refused
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(bilingual(f"JSON 无法读取：{error}", "is not JSON")) from error


def _row(told: Any, number: int) -> dict[str, Cell]:
    if not isinstance(told, dict):
        raise Unreadable(bilingual(f"第 {number} 条不是对象", f"item {number} is no object"))
    return {key: _cell(value, number) for key, value in told.items()}


def _cell(value: Any, number: int) -> Cell:
    """A number as it is written; what is nested is no cell."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and len(value) <= CELL_MAX and _is_storable(value):
        return value
    raise Unreadable(
        bilingual(f"第 {number} 条有无法读取的值", f"item {number}: a value is no text")
    )


def _is_storable(value: str) -> bool:
    return "\0" not in value and not any(0xD800 <= ord(letter) < 0xE000 for letter in value)


def _csv(text: str, mapped: Mapped) -> list[dict[str, Cell]]:
    try:
        listed = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise Unreadable(bilingual(f"CSV 无法读取：{error}", "is not CSV")) from error
    filled = [cells for cells in listed if cells]
    if not filled:
        raise Unreadable(bilingual("没有表头", "has no header"))
    header = filled[0]
    if len(set(header)) < len(header):
        raise Unreadable(bilingual("表头重复", "names a column twice"))
    missing = "、".join(name for name in mapped.fields.values() if name not in header)
    if missing:
        raise Unreadable(bilingual(f"缺少列 {missing}", f"has no column {missing}"))
    for number, cells in enumerate(filled[1:], start=1):
        if len(cells) != len(header):
            raise Unreadable(
                bilingual(f"第 {number} 行列数不符", f"row {number} has another number of columns")
            )
    return [
        {name: cell or None for name, cell in zip(header, cells, strict=True)}
        for cells in filled[1:]
    ]
