"""Cells as XML, a whole column at a time: exact, escaped, and inert where a text looks like a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from xml.sax.saxutils import escape

import polars as pl

from config.kernel.services.workbook.shapes import Column

TEXT_UNITS = 32_767  # the longest text a cell may hold, in UTF-16 units
WHOLE_MAX = 10**15 - 1  # a spreadsheet shows no more than 15 digits of a number
_FORMULA_START = r"^[=+@＝＋－＠\t\r-]"
_NUMBER = r"^-[0-9]+(\.[0-9]+)?$"
# What XML cannot hold or would change, and texts that would be read back as such an escape.
_ODD = "[\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_"
_ODD_POLARS = r"[\x00-\x08\x0B-\x1F\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_"
_MARKS = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PLACE = re.compile(r"\{(\w+)\}")
# Day 60 of the format is a 29 February 1900 that never was: from the next day on its count is right.
_FIRST_DAY = date(1900, 3, 1)
_DAY_OF_1970 = 25_569


def guarded(text: str) -> str:
    """A text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if re.match(_FORMULA_START, text) else text


def text_xml(text: str) -> str:
    """One text as it stands inside an inline string."""
    return escape(_representable(guarded(text)))


def inline(text: str, style: int) -> str:
    """One text cell; an empty one keeps its style alone."""
    if not text:
        return f'<c s="{style}"/>'
    return f'<c s="{style}" t="inlineStr"><is>{_open_tag(text)}{text_xml(text)}</t></is></c>'


def decimal_text(number: int, decimals: int) -> str:
    """A whole number of 10^-decimals as exact decimal text with all its decimals."""
    sign = "-" if number < 0 else ""
    digits = str(abs(number)).zfill(decimals + 1)
    if not decimals:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def decimal_texts(numbers: pl.Series, decimals: int) -> pl.Series:
    """Whole numbers of 10^-decimals as exact decimal texts."""
    if not decimals:
        return numbers.cast(pl.String)
    digits = numbers.abs().cast(pl.String).str.zfill(decimals + 1)
    parts = [digits.str.head(-decimals), pl.lit("."), digits.str.tail(decimals)]
    if (numbers < 0).any():
        sign = pl.select(pl.when(numbers < 0).then(pl.lit("-")).otherwise(pl.lit(""))).to_series()
        parts = [sign, *parts]
    return pl.select(pl.concat_str(parts)).to_series()


def guarded_texts(texts: pl.Series) -> pl.Series:
    """Texts with an apostrophe before those that a spreadsheet would take for a formula.

    A number below zero is none, whatever sign it starts with.
    """
    flags = texts.str.contains(_FORMULA_START) & ~texts.str.contains(_NUMBER)
    if not flags.any():
        return texts
    return pl.select(
        pl.when(flags).then(pl.concat_str(pl.lit("'"), texts)).otherwise(texts)
    ).to_series()


def column_xml(
    column: Column, frame: pl.DataFrame, style: int, rows: pl.Series, places: Mapping[str, str]
) -> pl.Series:
    """The cells of one column for these rows; `places` are column letters by key."""
    shown, is_text = _shown(column, frame.get_column(column.key))
    start = f'<c s="{style}"'
    cell = _plain(start, shown, is_text=is_text)
    if column.formula:
        live = _live(column.formula, start, shown, rows, places, is_text=is_text is True)
        if column.formula_if:
            live = pl.when(frame.get_column(column.formula_if)).then(live).otherwise(cell)
        cell = live
    empty = shown.is_null() | (shown == "")
    if empty.any():
        cell = pl.when(empty).then(pl.lit(f"{start}/>")).otherwise(cell)
    return pl.select(cell.alias(column.key)).to_series()


def _shown(column: Column, values: pl.Series) -> tuple[pl.Series, bool | pl.Series]:
    """What stands in a column's cells, and whether as text, for all or for each."""
    if column.form == "number":
        texts = decimal_texts(values, column.decimals)
        return texts, not column.decimals and _those(values.abs() > WHOLE_MAX)
    if column.form == "date":
        early = values < _FIRST_DAY
        days = (values.dt.epoch("d").cast(pl.Int64) + _DAY_OF_1970).cast(pl.String)
        if not early.any():
            return days, False
        iso = values.dt.to_string("%Y-%m-%d")
        return pl.select(pl.when(early).then(iso).otherwise(days)).to_series(), early
    if column.form == "month":
        return values.dt.to_string("%Y-%m"), True
    return _escaped(guarded_texts(values)), True


def _those(flags: pl.Series) -> bool | pl.Series:
    return flags if flags.any() else False


def _plain(start: str, shown: pl.Series, *, is_text: bool | pl.Series) -> pl.Expr:
    """Cells with a value alone."""
    number = pl.concat_str(pl.lit(f"{start}><v>"), shown, pl.lit("</v></c>"))
    if is_text is False:
        return number
    opened = pl.lit(f'{start} t="inlineStr"><is>')
    text = pl.concat_str(opened, _opened(shown), shown, pl.lit("</t></is></c>"))
    return text if is_text is True else pl.when(is_text).then(text).otherwise(number)


def _live(
    formula: str,
    start: str,
    shown: pl.Series,
    rows: pl.Series,
    places: Mapping[str, str],
    *,
    is_text: bool,
) -> pl.Expr:
    """Cells with a formula and the value it has."""
    typed = ' t="str"' if is_text else ""
    pieces: list[pl.Expr | pl.Series] = [pl.lit(f"{start}{typed}><f>")]
    for number, piece in enumerate(_PLACE.split(formula)):
        if number % 2:
            pieces += [pl.lit(places[piece]), rows]
        elif piece:
            pieces.append(pl.lit(escape(piece)))
    return pl.concat_str(*pieces, pl.lit("</f><v>"), shown, pl.lit("</v></c>"))


def _escaped(texts: pl.Series) -> pl.Series:
    odd = texts.str.contains(_ODD_POLARS) | (texts.str.len_bytes() > TEXT_UNITS)
    if odd.any():
        plain = [None if text is None else _representable(text) for text in texts]
        texts = pl.Series(texts.name, plain, dtype=pl.String)
    if texts.str.contains_any(list(_MARKS)).any():
        texts = texts.str.replace_many(list(_MARKS), list(_MARKS.values()))
    return texts


def _representable(text: str) -> str:
    """What XML cannot hold as `_xHHHH_`, and no more than a cell may hold."""
    units = text.encode("utf-16-le")
    if len(units) > 2 * TEXT_UNITS:
        text = units[: 2 * TEXT_UNITS - 2].decode("utf-16-le", errors="ignore") + "…"
    return re.sub(_ODD, _escape_odd, text)


def _escape_odd(found: re.Match[str]) -> str:
    text = found[0]
    return f"_x{ord(text):04X}_" if len(text) == 1 else f"_x005F{text}"


def _opened(texts: pl.Series) -> pl.Expr:
    """The tag before each text: spaces at its ends and line breaks are kept only where it says so."""
    spaced = texts.str.contains(r"^\s|\s$|\n")
    if not spaced.any():
        return pl.lit("<t>")
    return pl.when(spaced).then(pl.lit('<t xml:space="preserve">')).otherwise(pl.lit("<t>"))


def _open_tag(text: str) -> str:
    return '<t xml:space="preserve">' if re.search(r"^\s|\s$|\n", text) else "<t>"
