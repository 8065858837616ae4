"""Problems of a file as values: all of them are collected, each names its row and column."""

from collections.abc import Iterable
from dataclasses import dataclass

from loans.values.errors import bilingual

HEADER_ROW = 1
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file. `row` is the file's line, the header being line 1.

    `code` tells machines what people read in the message; most need to know no more than `invalid`.
    """

    row: int
    column: str | None
    header: str | None
    value: str | None
    message: str
    code: str = "invalid"

    def __str__(self) -> str:
        """Show `row N, column C (表头): what is wrong, value`."""
        place = f"row {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
            if self.header:
                place += f" ({self.header})"
        shown = "" if self.value is None else f", {shown_value(self.value)}"
        return f"{place}: {self.message}{shown}"


def shown_value(value: str) -> str:
    """Return a value fit for one line: control characters escaped, long text cut."""
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in value[:_SHOWN_CHARACTERS])
    rest = len(value) - _SHOWN_CHARACTERS
    return text if rest <= 0 else f"{text}… ({len(value)} 字 / characters)"


def file_problem(zh: str, en: str, *, row: int = HEADER_ROW, value: str | None = None) -> Problem:
    """Return a problem of the file as a whole, or of one line of it."""
    return Problem(row=row, column=None, header=None, value=value, message=bilingual(zh, en))


class FileError(Exception):
    """The file cannot be read as a table. `problems` lists why; nothing of it may be used."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
