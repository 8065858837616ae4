"""Rows in the words of a system outside, and its rows in ours (see `engine.wire`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from loans.values.errors import bilingual
from loans.values.money import fen_from_yuan, yuan_from_fen
from settlement.engine.wire import (
    AMOUNT,
    DATE,
    DATES,
    MONTH,
    MONTHS,
    NUMBER,
    RATE,
    Definition,
    Mapped,
)

Written = str | int
Cell = str | None
Wrong = tuple[int, str, str, str]
"""Row (the first is 1), our column, their value, what is wrong."""

_FEN = re.compile(r"-?[0-9]{1,18}")
_PPM_DECIMALS = 4  # a percent has 10,000 parts per million


def theirs(row: Mapping[str, str], *, mapped: Mapped, of: Definition) -> dict[str, Written]:
    """One row of an event as that system wants it: its fields, in the definition's order."""
    return {
        name: _written(row[key], key, mapped=mapped, of=of) for key, name in mapped.fields.items()
    }


def _written(value: str, key: str, *, mapped: Mapped, of: Definition) -> Written:
    if key in mapped.codes:
        return mapped.codes[key].get(value, value)
    kind = mapped.types[key]
    if kind == DATE:
        return date.fromisoformat(value).strftime(of.dates)
    if kind == AMOUNT:
        return _amount(value, of.amounts)
    if kind == RATE and of.rates == "ppm_number":
        whole, _, part = value.partition(".")
        return int(whole + part.ljust(_PPM_DECIMALS, "0"))
    return int(value) if kind == NUMBER and of.format != "csv" else value


def _amount(yuan: str, way: str) -> Written:
    if way == "yuan_text":
        return yuan
    fen = fen_from_yuan(yuan)
    return fen if way == "fen_number" else str(fen)


def ours(
    rows: Sequence[Mapping[str, Cell]], *, mapped: Mapped, of: Definition
) -> tuple[list[dict[str, Cell]], list[Wrong]]:
    """Their rows as the texts of our columns, and all that cannot be read; what is blank stays so."""
    known = {
        key: {there: here for here, there in told.items()} for key, told in mapped.codes.items()
    }
    found: list[dict[str, Cell]] = []
    wrong: list[Wrong] = []
    for number, row in enumerate(rows, start=1):
        read: dict[str, Cell] = {}
        for key, name in mapped.fields.items():
            value = row.get(name)
            try:
                read[key] = _read(value, key, known=known, mapped=mapped, of=of) if value else None
            except ValueError as error:
                read[key] = None
                wrong.append((number, key, value or "", str(error)))
        found.append(read)
    return found, wrong


def _read(
    value: str, key: str, *, known: Mapping[str, Mapping[str, str]], mapped: Mapped, of: Definition
) -> str:
    if key in known:
        return _code(value, key, known[key])
    kind = mapped.types[key]
    if kind in (DATE, MONTH):
        way, shapes = (of.dates, DATES) if kind == DATE else (of.months, MONTHS)
        return _day(value, way, shapes, is_month=kind == MONTH)
    if kind == AMOUNT and of.amounts != "yuan_text":
        if not _FEN.fullmatch(value):
            raise ValueError(bilingual("须为整数分", "must be whole fen"))
        return yuan_from_fen(int(value))
    return value


def _code(value: str, key: str, known: Mapping[str, str]) -> str:
    """Closed sets only know what they list; others leave what they do not list as it is."""
    if value in known:
        return known[value]
    if key == "result":
        listed = ", ".join(known)
        raise ValueError(bilingual(f"未知的代码，只有 {listed}", f"unknown code, only: {listed}"))
    return value


def _day(value: str, way: str, shapes: Mapping[str, str], *, is_month: bool) -> str:
    if re.fullmatch(shapes[way], value, re.ASCII):
        digits = re.sub(r"\D", "", value)
        try:
            day = date(int(digits[:4]), int(digits[4:6]), 1 if is_month else int(digits[6:8]))
        except ValueError:
            pass
        else:
            return f"{day:%Y-%m}" if is_month else day.isoformat()
    raise ValueError(bilingual(f"日期须写作 {way}", f"a date is written {way}"))


def parts(
    rows: Sequence[Mapping[str, Written]], *, most: int
) -> Iterable[tuple[int, Sequence[Mapping[str, Written]]]]:
    """The rows in runs of at most so many, each with the number of its first row (from 1)."""
    return ((first + 1, rows[first : first + most]) for first in range(0, len(rows), most))
