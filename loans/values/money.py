"""Yuan text <-> whole fen, and the other scaled decimals of files. Yuan exist only at the edges."""

import re

from loans.values.errors import DomainError, bilingual

FEN_DECIMALS = 2
RATE_DECIMALS = 4
EXCHANGE_DECIMALS = 8

_PLAIN = re.compile(r"(-?)([0-9]{1,30})(?:\.([0-9]{1,30}))?")


def scaled(text: str, *, decimals: int) -> int:
    """Return plain decimal text as an integer of 10^-decimals, exactly.

    Raises DomainError `not_a_number` for anything but digits, one minus sign and one point, and
    `too_many_decimals` where more decimals are written than the scale has, be they zeros.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise DomainError("not_a_number", bilingual("不是数字", "not a number"))
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > decimals:
        raise DomainError(
            "too_many_decimals",
            bilingual(f"最多 {decimals} 位小数", f"at most {decimals} decimals"),
        )
    units = int(whole + fraction.ljust(decimals, "0"))
    return -units if sign else units


def scaled_text(units: int, *, decimals: int, keep: int = 0) -> str:
    """Return an integer of 10^-decimals as decimal text, with at least `keep` decimals shown."""
    sign = "-" if units < 0 else ""
    whole, fraction = divmod(abs(units), 10**decimals)
    digits = f"{fraction:0{decimals}d}"
    shown = digits[:keep] + digits[keep:].rstrip("0")
    return f"{sign}{whole}.{shown}" if shown else f"{sign}{whole}"


def fen_from_yuan(text: str) -> int:
    """Return yuan text such as `1234.50` as whole fen; refuses more than 2 decimals."""
    return scaled(text, decimals=FEN_DECIMALS)


def yuan_from_fen(fen: int) -> str:
    """Return whole fen as yuan text with exactly 2 decimals: 123450 -> `1234.50`."""
    return scaled_text(fen, decimals=FEN_DECIMALS, keep=FEN_DECIMALS)


def grouped_yuan(fen: int) -> str:
    """Return whole fen for a person to read: 123450 -> `1,234.50`."""
    text = yuan_from_fen(abs(fen))
    whole, _, fraction = text.partition(".")
    return f"{'-' if fen < 0 else ''}{int(whole):,}.{fraction}"


def ppm_from_percent(text: str) -> int:
    """Return percent text as parts per million: `3.00` -> 30000; refuses more than 4 decimals."""
    return scaled(text, decimals=RATE_DECIMALS)


def percent_from_ppm(ppm: int) -> str:
    """Return parts per million as percent text with at least 2 decimals: 30000 -> `3.00`."""
    return scaled_text(ppm, decimals=RATE_DECIMALS, keep=2)
