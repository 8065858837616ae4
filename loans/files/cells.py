"""What one cell of text means, column type by column type. The authority on every refusal."""

import re
from collections.abc import Callable
from datetime import date

from loans.files.kind_types import Column
from loans.files.limits import (
    FIRST_YEAR,
    INSTITUTION_CODE_CHARACTERS,
    LAST_YEAR,
    MAX_AMOUNT_FEN,
    MAX_EXCHANGE_E8,
    MAX_IDENTIFIER_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_RATE_PPM,
    MAX_SHARE_PPM,
)
from loans.values import identifiers
from loans.values.errors import DomainError, bilingual
from loans.values.money import EXCHANGE_DECIMALS, FEN_DECIMALS, RATE_DECIMALS, scaled
from loans.values.text import (
    fold_width,
    refused_character,
    without_formula_guard,
)

Value = str | int | bool | date | list[str]

_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,30})?")
_SCIENTIFIC = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")
_NOT_FINITE = frozenset(["nan", "inf", "infinity", "∞"])
_UNITS = re.compile(r"[¥￥$€元万亿%％]|CNY|RMB", re.IGNORECASE)
_OTHER_DIGITS = re.compile(r"(?![0-9])\d|[一二三四五六七八九十百千零〇壹贰叁肆伍陆柒捌玖拾佰仟①-⑳]")
_COMMAS = re.compile(r"-?[0-9.]*,[0-9,.]*")
_DAY = re.compile(
    r"(?:([0-9]{4})(?P<mark>[-/.])([0-9]{1,2})(?P=mark)([0-9]{1,2})"
    r"|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日|([0-9]{4})([0-9]{2})([0-9]{2}))"
    r"(?P<clock>[ T][0-9]{1,2}:.*)?"
)
_MIDNIGHT = re.compile(r"[ T]0?0:00(?::00(?:\.0+)?)?")
_MONTH = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})|([0-9]{4})年([0-9]{1,2})月|([0-9]{4})([0-9]{2})")
_YEAR = re.compile(r"[0-9]{4}")
_SCHEME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_QUOTES = str.maketrans("", "", "“”\"'")


class RefusedCellError(Exception):
    """The cell's text means nothing in its column; the message says why, in both languages."""


def refusal(zh: str, en: str) -> RefusedCellError:
    """Return the refusal of a cell."""
    return RefusedCellError(bilingual(zh, en))


def parse_cell(column: Column, text: str) -> Value:
    """Return the typed value of a cell that is not blank; raises RefusedCellError."""
    by_column = _COLUMN_PARSERS.get(column.type)
    if by_column is not None:
        return by_column(column, text)
    return _PARSERS[column.type](text)


def _identifier(text: str) -> str:
    value = _checked(text)
    if len(value) > MAX_IDENTIFIER_CHARACTERS:
        raise _too_long(len(value), MAX_IDENTIFIER_CHARACTERS)
    return value


def _name(text: str) -> str:
    value = _checked(text)
    if len(value) > MAX_NAME_CHARACTERS:
        raise _too_long(len(value), MAX_NAME_CHARACTERS)
    return value


def _checked(text: str) -> str:
    found = refused_character(text)
    if found is not None:
        position, code = found
        raise refusal(
            f"第 {position} 个字符不可用（{code}，控制、不可见或私用字符）",
            f"character {position} is not allowed ({code}: control, invisible or private use)",
        )
    return without_formula_guard(text)


def _too_long(length: int, limit: int) -> RefusedCellError:
    return refusal(
        f"最多 {limit} 个字符，实有 {length} 个",
        f"at most {limit} characters, has {length}",
    )


def parse_number(text: str, decimals: int) -> int:
    """Return a plain or correctly grouped number as an integer of 10^-decimals."""
    plain = fold_width(text).strip()
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise _no_number(plain)
    try:
        return scaled(plain, decimals=decimals)
    except DomainError as failure:
        raise RefusedCellError(failure.message) from None


def _no_number(text: str) -> RefusedCellError:
    """Say why a text that is no plain number is refused, as helpfully as it allows."""
    reasons = (
        (_SCIENTIFIC.fullmatch(text), "不接受科学计数法", "scientific notation is not accepted"),
        (text.lstrip("+-").casefold() in _NOT_FINITE, "不是有限的数字", "not a finite number"),
        (
            _UNITS.search(text),
            "只填数字，不带货币符号、单位或百分号",
            "number only, no currency, unit or %",
        ),
        (_OTHER_DIGITS.search(text), "只接受 0-9 的数字", "only the digits 0-9 are accepted"),
        (
            _COMMAS.fullmatch(text),
            "千分位逗号的位置不对",
            "thousands separators in the wrong place",
        ),
        (text.startswith("("), "负数请用减号，不用括号", "use a minus sign for negative numbers"),
    )
    for applies, zh, en in reasons:
        if applies:
            return refusal(zh, en)
    return refusal("不是数字", "not a number")


def _amount(column: Column, text: str) -> int:
    fen = parse_number(text, FEN_DECIMALS)
    if abs(fen) > MAX_AMOUNT_FEN:
        raise refusal("金额超过 100,000,000,000 元", "above 100,000,000,000 yuan")
    if column.sign == "positive" and fen <= 0:
        raise refusal("金额必须大于零", "the amount must be above zero")
    if column.sign == "non_negative" and fen < 0:
        raise refusal("金额不能为负", "the amount cannot be negative")
    if column.sign == "signed_non_zero" and fen == 0:
        raise refusal("金额不能为零", "the amount cannot be zero")
    return fen


def _rate(text: str) -> int:
    ppm = parse_number(text, RATE_DECIMALS)
    if not 0 <= ppm <= MAX_RATE_PPM:
        raise refusal("利率（%）应在 0 到 36 之间", "a rate in percent lies between 0 and 36")
    return ppm


def _share(text: str) -> int:
    ppm = parse_number(text, RATE_DECIMALS)
    if not 0 <= ppm <= MAX_SHARE_PPM:
        raise refusal("份额（%）应在 0 到 100 之间", "a share in percent lies between 0 and 100")
    return ppm


def _exchange_rate(text: str) -> int:
    units = parse_number(text, EXCHANGE_DECIMALS)
    if not 0 < units <= MAX_EXCHANGE_E8:
        raise refusal("汇率应大于 0、不超过 1000000", "a rate is above 0 and at most 1000000")
    return units


def _date(text: str) -> date:
    match = _DAY.fullmatch(fold_width(text))
    if match is None:
        raise refusal("不是日期，应如 2026-03-21", "not a date; write it like 2026-03-21")
    if match["clock"] and not _MIDNIGHT.fullmatch(match["clock"]):
        raise refusal("日期不应带时间", "a date has no time of day")
    year, month, day = (int(part) for part in match.groups()[:-1] if part and part.isdigit())
    return _calendar_day(year, month, day)


def _calendar_day(year: int, month: int, day: int) -> date:
    _refuse_year(year)
    try:
        return date(year, month, day)
    except ValueError:
        raise refusal("日历上没有这一天", "there is no such day") from None


def _refuse_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise refusal(
            f"年份应在 {FIRST_YEAR} 到 {LAST_YEAR} 之间",
            f"the year must be between {FIRST_YEAR} and {LAST_YEAR}",
        )


def _month(text: str) -> date:
    match = _MONTH.fullmatch(fold_width(text))
    if match is None:
        raise refusal("不是月份，应如 2026-03", "not a month; write it like 2026-03")
    year, month = (int(part) for part in match.groups() if part)
    return _calendar_day(year, month, 1)


def _year(text: str) -> int:
    plain = fold_width(text)
    if not _YEAR.fullmatch(plain):
        raise refusal("不是年份，应如 2026", "not a year; write it like 2026")
    _refuse_year(int(plain))
    return int(plain)


def _choice(column: Column, text: str) -> str:
    word = _word(text)
    for code, zh in column.choices.items():
        if word in {_word(code), _word(zh)}:
            return code
    for alias, code in column.aliases.items():
        if word == _word(alias):
            return code
    allowed = "、".join(
        code if code == zh else f"{code} {zh}" for code, zh in column.choices.items()
    )
    raise refusal(
        f"未知的代码，可填 {allowed}",
        f"unknown code, one of {' '.join(column.choices)}",
    )


def _word(text: str) -> str:
    return fold_width(text).translate(_QUOTES).casefold()


def _bool(column: Column, text: str) -> bool:
    return _choice(column, text) == "yes"


def _uscc(text: str) -> str:
    code = identifiers.normal_uscc(text)
    problem = identifiers.uscc_problem(code)
    if problem is not None:
        raise RefusedCellError(problem)
    return code


def _institution_code(text: str) -> str:
    code = _identifier(text)
    if len(code) != INSTITUTION_CODE_CHARACTERS:
        raise refusal(
            f"机构编码应为 {INSTITUTION_CODE_CHARACTERS} 位，实为 {len(code)} 位",
            f"an institution code has {INSTITUTION_CODE_CHARACTERS} characters, not {len(code)}",
        )
    return code


def _region_code(text: str) -> str:
    code = fold_width(text)
    if not identifiers.is_region_code(code):
        raise refusal("行政区划代码应为 6 位数字", "a region code has 6 digits")
    return code


def _industry_code(text: str) -> str:
    code = fold_width(text).upper()
    if not identifiers.is_industry_code(code):
        raise refusal(
            "行业代码应为门类字母加 2 至 4 位数字，如 C3421",
            "an industry code is a section letter and 2 to 4 digits, such as C3421",
        )
    return code


def _currency(text: str) -> str:
    code = fold_width(text).upper()
    if not identifiers.is_currency(code):
        raise refusal("币种应为 3 个字母，如 CNY", "a currency has 3 letters, such as CNY")
    return code


def _scheme_code(text: str) -> str:
    code = fold_width(text).strip()
    if not _SCHEME.fullmatch(code):
        raise refusal("不是政策代码，应如 central-sme-2026", "not a scheme code")
    return code


def _scheme_codes(text: str) -> list[str]:
    codes = [_scheme_code(part) for part in fold_width(text).split(";")]
    if len(set(codes)) != len(codes):
        raise refusal("政策代码重复", "a scheme code appears twice")
    return codes


_PARSERS: dict[str, Callable[[str], Value]] = {
    "text": _identifier,
    "name": _name,
    "date": _date,
    "month": _month,
    "year": _year,
    "rate": _rate,
    "share": _share,
    "exchange_rate": _exchange_rate,
    "uscc": _uscc,
    "institution_code": _institution_code,
    "region_code": _region_code,
    "industry_code": _industry_code,
    "currency": _currency,
    "scheme_code": _scheme_code,
    "scheme_codes": _scheme_codes,
}
_COLUMN_PARSERS: dict[str, Callable[[Column, str], Value]] = {
    "amount": _amount,
    "choice": _choice,
    "bool": _bool,
}
