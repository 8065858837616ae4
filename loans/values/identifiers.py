"""The unified social credit code (统一社会信用代码, GB 32100-2015) and other coded identifiers."""

import re

from stdnum.cn import uscc as _uscc

from loans.values.errors import bilingual
from loans.values.text import fold_width

USCC_LENGTH = 18
_USCC_LETTERS = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
_REGION_POSITIONS = range(3, 9)
_LOOK_ALIKE = {"O": "0", "I": "1", "Z": "2", "S": "5", "V": "U"}

_REGION = re.compile(r"[0-9]{6}")
_INDUSTRY = re.compile(r"[A-T][0-9]{2,4}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def normal_uscc(text: str) -> str:
    """Return the code half-width, upper case, without outer spaces."""
    return fold_width(text).strip().upper()


def uscc_problem(code: str) -> str | None:
    """Say what is wrong with the shape of a normalised code, naming the position; None if nothing.

    The check digit is no part of this: real codes that fail it exist (domain §8).
    """
    if len(code) != USCC_LENGTH:
        return bilingual(
            f"统一社会信用代码应为 18 位，实为 {len(code)} 位",
            f"a credit code has 18 characters, this has {len(code)}",
        )
    for position, character in enumerate(code, start=1):
        if character not in _USCC_LETTERS or (
            position in _REGION_POSITIONS and not character.isdigit()
        ):
            return _character_problem(position, character)
    return None


def _character_problem(position: int, character: str) -> str:
    hint = _LOOK_ALIKE.get(character, "")
    return bilingual(
        f"统一社会信用代码第 {position} 位不应为 {character}"
        + (f"（是否应为 {hint}？）" if hint else ""),
        f"character {position} of a credit code cannot be {character}"
        + (f" (is it {hint}?)" if hint else ""),
    )


def uscc_check_passes(code: str) -> bool:
    """Whether the check character of a well-formed code is right."""
    return _uscc.calc_check_digit(code[:-1]) == code[-1]


def is_region_code(text: str) -> bool:
    """Whether the text is six digits (GB/T 2260)."""
    return _REGION.fullmatch(text) is not None


def is_industry_code(text: str) -> bool:
    """Whether the text is a section letter and 2 to 4 digits (GB/T 4754-2017)."""
    return _INDUSTRY.fullmatch(text) is not None


def is_currency(text: str) -> bool:
    """Whether the text is three capital letters (ISO 4217)."""
    return _CURRENCY.fullmatch(text) is not None
