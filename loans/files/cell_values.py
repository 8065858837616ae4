"""What the value of a workbook cell is: its type letter and its text. Runs in the child process."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from loans.files.package import damaged
from loans.files.workbook_parts import DATE, NUMBER, Workbook, unescaped

_SECONDS_A_DAY = 86_400
_LOST_DAY = 60
_DAYS_1900 = date(1899, 12, 30)
_DAYS_1900_EARLY = date(1899, 12, 31)
_DAYS_1904 = date(1904, 1, 1)
_LAST_SERIAL = 2_900_000
_KNOWN_DATES = 50_000


def date_text(serial: str, *, epoch_1904: bool) -> str | None:
    """Return a date serial as ISO text, with the time if it has one; None if it is no date.

    Serial 60 of the 1900 system is the day that never was: it comes out as 1900-02-29 and is
    refused by the calendar.
    """
    try:
        days, fraction = divmod(Decimal(serial), 1)
    except (InvalidOperation, ValueError):
        return None
    if not 0 <= days <= _LAST_SERIAL:
        return None
    seconds = round(fraction * _SECONDS_A_DAY)
    if seconds == _SECONDS_A_DAY:
        days, seconds = days + 1, 0
    clock = "" if seconds == 0 else f"T{timedelta(seconds=seconds)!s:0>8}"
    if epoch_1904:
        return f"{_DAYS_1904 + timedelta(days=int(days))}{clock}"
    if days == _LOST_DAY:
        return f"1900-02-29{clock}"
    start = _DAYS_1900 if days > _LOST_DAY else _DAYS_1900_EARLY
    return f"{start + timedelta(days=int(days))}{clock}"


class CellValues:
    """Turns (cell type, style, raw value) into type letter of CELL_TYPES and text; "" is blank."""

    def __init__(self, workbook: Workbook) -> None:
        self._book = workbook
        self._shown = {str(index): shown for index, shown in enumerate(workbook.styles)}
        self._dates: dict[str, str] = {}
        self._by_type: dict[str, Callable[[str], str]] = {
            "s": self._shared,
            "str": _string,
            "inlineStr": _string,
            "b": _boolean,
            "d": _day,
        }

    def cell(self, kind: str, style: str, value: str) -> str:
        """Return the cell; an unknown type is shown as an error value."""
        if kind == "n":
            return self._number(style, value)
        convert = self._by_type.get(kind)
        return f"e{value}" if convert is None else convert(value)

    def _number(self, style: str, value: str) -> str:
        shown = self._shown.get(style, NUMBER)
        if shown != DATE:
            return f"{shown}{value.strip()}"
        known = self._dates.get(value)
        if known is None:
            text = date_text(value.strip(), epoch_1904=self._book.epoch_1904)
            known = f"n{value.strip()}" if text is None else f"d{text}"
            if len(self._dates) < _KNOWN_DATES:
                self._dates[value] = known
        return known

    def _shared(self, value: str) -> str:
        try:
            return _text_cell(self._book.strings[int(value)])
        except (ValueError, IndexError):
            damaged()


def _string(value: str) -> str:
    return _text_cell(unescaped(value))


def _boolean(value: str) -> str:
    return "bTRUE" if value.strip() in {"1", "true"} else "bFALSE"


def _day(value: str) -> str:
    return f"d{value.strip()}"


def _text_cell(text: str) -> str:
    return f"t{text}" if text.strip() else ""
