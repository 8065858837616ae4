"""One object or up to ten thousand: strict JSON as the columns that files of the same kind have.

What a file may say in several ways (full-width digits, thousands separators, Chinese words) has one way
here. What passes goes the way of a file: the same rules, the same words, all or nothing. (An ordinary
pre-allocation told by itself has a shorter one: `loans.services.one_pre_allocation`.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from config.kernel.api.bodies import whole
from config.kernel.api.problems import Fault, Problem
from config.kernel.api.serializers import MISSING, UNKNOWN
from loans.api import written
from loans.files.columns import Parsed, parse
from loans.files.kind_types import Column, Kind
from loans.files.kinds import KINDS
from loans.files.problems import Problem as RowProblem
from loans.files.table import ROW, Table
from loans.services import confirmations, intake, one_pre_allocation
from loans.services.entry import FIRST_ROW
from loans.services.outcomes import ImportRefused, Outcome, Source
from loans.services.taken_rows import taken_rows

ITEMS_MAX = 10_000
YEAR_TOLD = "须为四位整数 / must be a whole number of four digits"
TOO_MANY = f"最多 {ITEMS_MAX} 条 / at most {ITEMS_MAX:,} items"
WORDS_TOLD = "须为字符串数组 / must be a list of strings"
DIFFERS_TOLD = "与已存记录不同 / differs from what is stored"


@dataclass(frozen=True)
class Body:
    """The items of a request, and how to point at one of them."""

    items: Sequence[dict[str, Any]]
    prefix: Callable[[int], str]
    is_single: bool


def items_of(data: Any) -> Body:
    """The items of one object, of a list, or of `{"items": [...]}`; raises Problem."""
    is_wrapped = isinstance(data, dict) and set(data) == {"items"}
    found = data["items"] if is_wrapped else data
    if isinstance(found, dict):
        return Body([found], lambda _: "", is_single=True)
    stem = "/items" if is_wrapped else ""
    if not isinstance(found, list) or not found:
        told = "须为对象或非空数组 / must be an object or a list that is not empty"
        raise Problem("invalid", faults=[Fault(stem, "invalid", told)])
    if len(found) > ITEMS_MAX:
        raise Problem("too_many_items", faults=[Fault(stem, "too_many_items", TOO_MANY)])
    wrong = [index for index, item in enumerate(found) if not isinstance(item, dict)]
    if wrong:
        told = "须为 JSON 对象 / must be an object"
        raise Problem(
            "invalid", faults=[Fault(f"{stem}/{index}", "invalid", told) for index in wrong]
        )
    return Body(found, lambda index: f"{stem}/{index}", is_single=False)


def take_in(*, kind: str, body: Body, source: Source) -> Outcome:
    """Store the items as rows of that kind, all or none; raises Problem with every fault."""
    _, parsed = columns_of(kind=kind, body=body)
    try:
        return intake.import_frame(kind=kind, frame=parsed.frame, source=source)
    except ImportRefused as refused:
        raise _refused(refused.problems, body) from refused


def columns_of(*, kind: str, body: Body) -> tuple[pl.DataFrame, Parsed]:
    """The items as columns of text, and as they are understood; raises Problem with every fault."""
    spec = KINDS[kind]
    frame, faults = _frame(spec, body)
    if faults:
        raise Problem("invalid", faults=faults)
    parsed = parse(spec, Table(frame, "csv"), confirmed_usccs=confirmations.confirmed_usccs())
    if parsed.problems:
        raise _refused(parsed.problems, body)
    return frame.drop(ROW), parsed


class Single(NamedTuple):
    """One item as typed values, and how to store it: None if it is known or names what is unknown."""

    values: dict[str, Any]
    take: Callable[[Source], one_pre_allocation.Taken | None]


def single(*, body: Body) -> Single | None:
    """The one pre-allocation of a body; None if anything of it is not written as it must be."""
    columns = {column.key: column for column in KINDS[one_pre_allocation.KIND].columns}
    (item,) = body.items
    if not item.keys() <= columns.keys():
        return None
    found: dict[str, str] = {}
    for key, column in columns.items():
        (text,), wrong = _column(column, [item.get(key, _ABSENT)])
        if wrong:
            return None
        if text is not None:
            found[key] = text
    values = one_pre_allocation.readable(texts=found)
    if values is None:
        return None
    return Single(values, lambda source: one_pre_allocation.take(values=values, source=source))


class Stored(NamedTuple):
    """What one item of a body became: the key of its row, and whether that was stored before."""

    place: int
    key: int
    was_known: bool


def stored(*, kind: str) -> list[Stored]:
    """What the items just taken in became, in their order."""
    return [Stored(one.row - FIRST_ROW, one.key, one.was_known) for one in taken_rows(kind=kind)]


def _refused(problems: Sequence[RowProblem], body: Body) -> Problem:
    faults = [
        Fault(
            f"{body.prefix(p.row - FIRST_ROW)}/{p.column}" if p.column else "",
            p.code,
            p.message,
            p.value,
        )
        for p in problems
    ]
    codes = {problem.code for problem in problems}
    if codes == {intake.DIFFERS}:
        return Problem(intake.DIFFERS, DIFFERS_TOLD, status=409, faults=faults)
    return Problem("invalid" if "invalid" in codes else "refused_content", faults=faults)


def _frame(kind: Kind, body: Body) -> tuple[pl.DataFrame, list[Fault]]:
    """The items as columns of text, and everything that is not written as it must be."""
    columns = {column.key: column for column in kind.columns}
    faults = [
        Fault(f"{body.prefix(index)}/{_escaped(name)}", "unknown_field", UNKNOWN)
        for index, item in enumerate(body.items)
        for name in item.keys() - columns.keys()
    ]
    texts: dict[str, Any] = {}
    for key, column in columns.items():
        given = [item.get(key, _ABSENT) for item in body.items]
        texts[key], wrong = _column(column, given)
        faults += [
            Fault(f"{body.prefix(index)}/{key}", code, told, _shown(given[index]))
            for index, code, told in wrong
        ]
    rows = range(FIRST_ROW, FIRST_ROW + len(body.items))
    schema = {**dict.fromkeys(texts, pl.String), ROW: pl.Int64}
    return pl.DataFrame({**texts, ROW: rows}, schema=schema), faults


_ABSENT = object()
_Wrong = list[tuple[int, str, str]]


def _column(column: Column, given: list[Any]) -> tuple[list[str | None], _Wrong]:
    """One column's texts, and which of them are wrong, why."""
    if column.type == "year":
        return _years(column, given)
    if column.type == "scheme_codes":
        return _lists(given)
    wrong: _Wrong = []
    texts: list[str | None] = []
    for index, value in enumerate(given):
        is_text = type(value) is str
        texts.append(value if is_text else None)
        if value is _ABSENT:
            if column.required:
                wrong.append((index, "required", MISSING))
        elif not is_text:
            wrong.append((index, "invalid", written.told(column)))
    return texts, wrong + _misshapen(column, texts)


def _misshapen(column: Column, texts: list[str | None]) -> _Wrong:
    """Each distinct text is looked at once."""
    told = written.told(column)
    if column.choices:
        return [
            (i, "invalid", told)
            for i, text in enumerate(texts)
            if text is not None and text not in column.choices
        ]
    fits = re.compile(written.pattern(column)).fullmatch
    known: dict[str, bool] = {}
    for text in texts:
        if text is not None and text not in known:
            known[text] = fits(text) is not None
    return [
        (index, "invalid", told)
        for index, text in enumerate(texts)
        if text is not None and not known[text]
    ]


def _years(column: Column, given: list[Any]) -> tuple[list[str | None], _Wrong]:
    years = [whole(value) for value in given]
    texts = [f"{year}" if year is not None and 1000 <= year <= 9999 else None for year in years]
    wrong = [
        (index, "required", MISSING) if value is _ABSENT else (index, "invalid", YEAR_TOLD)
        for index, (value, text) in enumerate(zip(given, texts, strict=True))
        if text is None and (value is not _ABSENT or column.required)
    ]
    return [*texts], wrong


def _lists(given: list[Any]) -> tuple[list[str | None], _Wrong]:
    """Lists of words, or as files have them: one text, joined by semicolons."""
    wrong: _Wrong = []
    texts: list[str | None] = []
    for index, value in enumerate(given):
        is_words = isinstance(value, list) and all(type(word) is str for word in value)
        if value is _ABSENT:
            texts.append(None)
        elif type(value) is str:
            texts.append(value)
        elif is_words and not any(re.search(r"[;\s]", word) or not word for word in value):
            texts.append(";".join(value))
        else:
            texts.append(None)
            wrong.append((index, "invalid", WORDS_TOLD))
    return texts, wrong


def _shown(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    return value if isinstance(value, str) else repr(value)


def _escaped(name: str) -> str:
    plain = name[:32].encode("ascii", "backslashreplace").decode()
    return plain.replace("~", "~0").replace("/", "~1")
