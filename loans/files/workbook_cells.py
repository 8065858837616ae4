"""Workbook cells that are not text: what they say in their column, or why they are refused."""

from decimal import Decimal, InvalidOperation

import polars as pl

from loans.files.cells import refusal
from loans.files.kind_types import Column
from loans.values.money import EXCHANGE_DECIMALS, FEN_DECIMALS, RATE_DECIMALS

_DECIMALS = {
    "amount": FEN_DECIMALS,
    "rate": RATE_DECIMALS,
    "share": RATE_DECIMALS,
    "exchange_rate": EXCHANGE_DECIMALS,
}
_PERCENTS = frozenset(["rate", "share"])
_DAYS = frozenset(["date", "month"])
_EXACT_BELOW = 10**15
_TOLERANCE = Decimal("1e-9")
_BINARY_NOISE = Decimal("4e-16")  # of a number: a binary fraction written out in 16 or 17 digits
_COMPACT_DAY_DIGITS = 8
_COMPACT_MONTH_DIGITS = 6
_MAX_EXPONENT = 40


def plain_cells(column: Column, kind: pl.Expr, text: pl.Expr) -> pl.Expr:
    """Whether a cell's text may be used as it stands: the common case, as a column."""
    decimals = _DECIMALS.get(column.type)
    if column.type in _DAYS:
        return (kind == "t") | ((kind == "d") & pl.lit(column.type == "date"))
    if decimals is None:
        number = text.str.contains(r"^(?:0|[1-9][0-9]{0,14})$")
    else:
        number = text.str.contains(rf"^-?[0-9]{{1,15}}(?:\.[0-9]{{1,{decimals}}})?$")
    return (kind == "t") | ((kind == "n") & number)


def cell_text(column: Column, letter: str, text: str) -> str:
    """Return what a cell that is not a text cell says in its column; raises RefusedCell.

    `letter` is its type in CELL_TYPES.
    """
    if letter == "e":
        raise refusal("单元格是错误值", "the cell is an error value")
    if letter == "f":
        raise refusal("公式没有计算结果，请粘贴为数值", "a formula without a value; paste values")
    if letter == "b":
        return _boolean(column, text)
    if letter == "d":
        return _date(column, text)
    return _number(column, text, percent=letter == "p")


def _boolean(column: Column, text: str) -> str:
    if column.type != "bool":
        raise refusal("单元格是逻辑值", "the cell is a boolean")
    return "yes" if text == "TRUE" else "no"


def _date(column: Column, text: str) -> str:
    if column.type == "date":
        return text
    if column.type == "month" and text.endswith("-01"):
        return text.removesuffix("-01")
    raise refusal("单元格是日期，请改为文本或数字", "the cell is a date; make it text or a number")


def _number(column: Column, text: str, *, percent: bool) -> str:
    number = _exact(text)
    if column.type in _DAYS:
        return _compact_date(column, number)
    decimals = _DECIMALS.get(column.type)
    if decimals is None:
        return _identifier(column, number)
    if percent and column.type in _PERCENTS:
        number *= 100
    near = number.quantize(Decimal(1).scaleb(-decimals))
    noise = max(_TOLERANCE, abs(number) * _BINARY_NOISE)
    return _fixed(near if abs(near - number) <= noise else number)


def _exact(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise refusal("不是数字", "not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_EXPONENT:
        raise refusal("数字超出范围", "the number is out of range")
    return number


def _fixed(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _compact_date(column: Column, number: Decimal) -> str:
    text = _fixed(number)
    digits = _COMPACT_DAY_DIGITS if column.type == "date" else _COMPACT_MONTH_DIGITS
    if len(text) == digits and text.isdigit():
        return text
    raise refusal(
        "数字不是日期，请把单元格设为日期格式",
        "a bare number is not a date; format the cell as a date",
    )


def _identifier(column: Column, number: Decimal) -> str:
    if abs(number) >= _EXACT_BELOW:
        raise refusal(
            "Excel 只保留 15 位数字，请以文本格式重新录入",
            "digits lost by Excel; store it as text and enter it again",
        )
    if column.type != "name" and number != number.to_integral_value():
        raise refusal("编号不能是小数", "an identifier cannot have decimals")
    return _fixed(number)
