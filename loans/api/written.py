"""How each type of column is written in JSON: one way, as a pattern that the OpenAPI document shows, too."""

from __future__ import annotations

from loans.files.kind_types import Column
from loans.files.limits import (
    INSTITUTION_CODE_CHARACTERS,
    MAX_IDENTIFIER_CHARACTERS,
    MAX_NAME_CHARACTERS,
)

# Letters of our papers and their punctuation. What is invisible, turns the writing round or looks like
# another letter is none of them.
_CHARACTER = "!-&(-~·—‘’“”…、。《》〈〉【】〔〕（），：；㐀-䶿一-鿿"
_LONGEST = "(?:0|[1-9][0-9]{0,10})(?:\\.[0-9]{1,2})?|100000000000(?:\\.0{1,2})?"
_NOT_NOTHING = "(?!0(?:\\.0{1,2})?$)"
AMOUNTS = {
    "positive": f"^{_NOT_NOTHING}(?:{_LONGEST})$",
    "non_negative": f"^(?:{_LONGEST})$",
    "signed": f"^(?!-0(?:\\.0{{1,2}})?$)-?(?:{_LONGEST})$",
    "signed_non_zero": f"^(?!-?0(?:\\.0{{1,2}})?$)-?(?:{_LONGEST})$",
}
_MONTHS = "(?:199[0-9]|20[0-9]{2})-(?:0[1-9]|1[0-2])"
_UNDER_36 = "(?:[0-9]|[12][0-9]|3[0-5])(?:\\.[0-9]{1,4})?|36(?:\\.0{1,4})?"
_PATTERNS = {
    "date": f"^{_MONTHS}-(?:0[1-9]|[12][0-9]|3[01])$",
    "month": f"^{_MONTHS}$",
    "rate": f"^(?:{_UNDER_36})$",
    "exchange_rate": "^(?!0(?:\\.0{1,8})?$)(?:0|[1-9][0-9]{0,4})(?:\\.[0-9]{1,8})?$",
    "uscc": "^[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}$",
    "institution_code": f"^[!-&(-~][!-~]{{{INSTITUTION_CODE_CHARACTERS - 1}}}$",
    "scheme_code": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
}
EXAMPLES = {
    "amount": "1234.56",
    "date": "2026-03-21",
    "month": "2026-03",
    "rate": "3.45",
    "exchange_rate": "1",
    "institution_code": "B0000000000001",
    "scheme_code": "central-sme-2026",
}
_TOLD = {
    "amount": "须为以元为单位、最多两位小数的字符串，不超过 1000 亿元"
    " / a string in yuan with at most 2 decimals, up to 100,000,000,000",
    "date": "须为 2026-03-21 形式的日期 / must be a date like 2026-03-21",
    "month": "须为 2026-03 形式的月份 / must be a month like 2026-03",
    "rate": "须为 0 至 36 的百分数字符串，最多四位小数 / a string in percent, 0 to 36, at most 4 decimals",
    "exchange_rate": "须为大于 0 的字符串，最多八位小数 / a string above 0 with at most 8 decimals",
    "uscc": "须为 18 位统一社会信用代码 / must be a credit code of 18 characters",
    "institution_code": f"须为 {INSTITUTION_CODE_CHARACTERS} 位机构编码"
    f" / must be an institution code of {INSTITUTION_CODE_CHARACTERS} characters",
    "scheme_code": "须为政策编码 / must be a scheme code",
}
_SIGNS = {
    "positive": "；须大于 0 / ; above 0",
    "non_negative": "；不得为负 / ; not negative",
    "signed": "",
    "signed_non_zero": "；不得为 0 / ; not 0",
}


def longest(column: Column) -> int:
    """How many characters a text of this column may have."""
    return MAX_NAME_CHARACTERS if column.type == "name" else MAX_IDENTIFIER_CHARACTERS


def pattern(column: Column) -> str:
    """The regular expression that every value of the column fits, whole."""
    if column.type == "amount":
        return AMOUNTS[column.sign]
    return _PATTERNS.get(column.type) or text_pattern(longest(column))


def text_pattern(limit: int) -> str:
    """The regular expression of a text of so many characters at most."""
    return f"^[{_CHARACTER}](?:[ '{_CHARACTER}]{{0,{limit - 2}}}['{_CHARACTER}])?$"


def told(column: Column) -> str:
    """What is said of anything else."""
    if column.choices:
        return "只能是 / must be one of " + ", ".join(column.choices)
    if column.type == "amount":
        zh, en = _TOLD["amount"].split(" / ")
        more_zh, _, more_en = _SIGNS[column.sign].partition(" / ")
        return f"{zh}{more_zh} / {en}{more_en}"
    return _TOLD.get(column.type) or text_told(longest(column))


def text_told(limit: int) -> str:
    """What is said of a text that is none."""
    return (
        f"须为 1 至 {limit} 个字符，首尾无空白，无不可见字符"
        f" / 1 to {limit} characters, no space at the ends, none invisible"
    )
