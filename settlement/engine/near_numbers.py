"""Is one number another one mistyped, or the next one of a series?

Both differ in a character. Banks number drawings of one day one after the other, so a last digit that
is another one tells nothing; what tells is an error that counting does not make.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import polars as pl
from rapidfuzz.distance import OSA

from settlement.engine import overlap

EQUAL, LOOK_ALIKE, TRANSPOSED, MISSING, SUBSTITUTED, EDITED, SERIAL, FAR = (
    "equal", "look_alike", "transposed", "missing", "substituted", "edited", "serial",
    "far",
)  # fmt: skip
MISTYPED = (LOOK_ALIKE, TRANSPOSED, MISSING, SUBSTITUTED, EDITED)

TELLING_CHARACTERS = 6  # of shorter numbers a character is too large a part
LONG_CHARACTERS = 12  # of these even two characters are a small part
WIDE_DIGITS = 5  # so many digits are a number of fixed width; fewer may count 9, 10, 11
COUNTING_DIGITS = 3  # the last digits of each part count up
NEVER = 99  # digits that do not count up: as if so many stood right of them
PLACE_CHARACTERS = 4  # so many characters that stand in the bank's own code tell the bank
RELATIONS_KEPT = 500_000

LOOKS = {"O": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "B": "8"}
_LOOKS = str.maketrans(LOOKS)
_SILENT = re.compile(r"[^\w]|_")
_YEAR = re.compile(
    "20[0-9][0-9]"
)  # other scripts' digits are letters here, as they are to the frames
_RUN = re.compile("[0-9]+")
_LED = re.compile("(?<![0-9])0+(?=[0-9])")


def folded(expression: pl.Expr) -> pl.Expr:
    """A normal number with the letters that look like digits as these."""
    return expression.str.replace_many(list(LOOKS), list(LOOKS.values()))


def variants(
    frame: pl.DataFrame, column: str, kept: list[str], *, hashed: bool = False
) -> pl.DataFrame:
    """Each row once per `key`: what is in a column, and that with any one character left out.

    Texts that differ by a character, or in the order of two neighbours, have a key in common, so an
    equality join finds them: work grows with the rows times the length. `hashed` keys are small.
    """
    text = pl.col(column)
    longest = frame[column].str.len_chars().max()
    found = []
    for place in range(-1, longest if isinstance(longest, int) else 0):
        without = pl.concat_str(text.str.slice(0, place), text.str.slice(place + 1))
        key = text if place < 0 else without
        rows = frame.filter(text.str.len_chars() > max(place, 0))
        found.append(rows.select(*kept, key=key.hash() if hashed else key))
    return pl.concat(found).unique()


def anagram(text: pl.Expr) -> pl.Expr:
    """The characters in order: equal for texts of which one is the other with some in each other's places."""
    return text.str.split("").list.sort().list.join("")


def relation(one: str, other: str) -> str:
    """How two numbers, as they were typed, stand to each other; symmetric."""
    return _relation(*sorted((one, other)))


@lru_cache(maxsize=RELATIONS_KEPT)
def _relation(one: str, other: str) -> str:
    first, second = _tidy(one), _tidy(other)
    a, b = _SILENT.sub("", first), _SILENT.sub("", second)
    shorter = min(len(a), len(b))
    if a == b:
        return EQUAL if a else FAR
    if shorter < WIDE_DIGITS:
        return FAR
    if a.translate(_LOOKS) == b.translate(_LOOKS):
        return LOOK_ALIKE
    if _unled(first) == _unled(second):
        return FAR  # 0012 and 12 are two numbers (domain §8)
    if _sub_number(first, second) or _sub_number(second, first):
        return SERIAL
    return FAR if shorter < TELLING_CHARACTERS else _mistyped(first, second)


def _mistyped(first: str, second: str) -> str:
    """How two numbers differ that are a character apart, or two if they are long."""
    (a, shorter), (b, longer) = sorted(
        ((_SILENT.sub("", text), text) for text in (first, second)), key=lambda one: len(one[0])
    )
    apart = OSA.distance(a, b, score_cutoff=2)
    if apart == 1 and len(a) < len(b):
        return _inserted(a, b, _runs(longer))
    if apart == 1:
        return _replaced(a, b, _runs(shorter), _runs(longer))
    if apart == 2 and len(a) >= LONG_CHARACTERS:
        return EDITED if _tail(shorter) == _tail(longer) else SERIAL
    return FAR


def _counting(tidy: str) -> list[re.Match[str]]:
    """The runs of digits that count up: the last that is no year, and the one before if that is short.

    A separator ends a run; the drawings of a contract have one or two digits behind its number.
    """
    runs = list(_RUN.finditer(tidy))
    counting = [run for run in runs if not _YEAR.fullmatch(run.group())] or runs
    return (
        counting[-2:] if counting and len(counting[-1].group()) < COUNTING_DIGITS else counting[-1:]
    )


def _tail(tidy: str) -> str:
    """The digits that count up."""
    return "".join(run.group() for run in _counting(tidy.translate(_LOOKS)))[-COUNTING_DIGITS - 1 :]


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().upper()


def _unled(tidy: str) -> str:
    """Without leading zeros in any part, nor separators."""
    return _SILENT.sub(" ", _LED.sub("", tidy))


def _sub_number(whole: str, part: str) -> bool:
    """Whether `part` is `whole` with a number of its own behind: HT001 and HT001-2, tranches."""
    return re.fullmatch(r"[\W_][0-9]{1,3}", part.removeprefix(whole)) is not None


def _runs(tidy: str) -> list[tuple[int, str]]:
    """For each letter or digit: how many digits of its run stand right of it, and the run.

    Letters, and digits of runs that do not count up (year, branch), have NEVER.
    """
    counting = {run.start() for run in _counting(tidy)}
    found: list[tuple[int, str]] = []
    position = 0
    for run in _RUN.finditer(tidy):
        found += [(NEVER, "")] * len(_SILENT.sub("", tidy[position : run.start()]))
        digits = len(run.group())
        rights = range(digits - 1, -1, -1) if run.start() in counting else [NEVER] * digits
        found += [(right, run.group()) for right in rights]
        position = run.end()
    return found + [(NEVER, "")] * len(_SILENT.sub("", tidy[position:]))


def _replaced(
    a: str, b: str, runs: list[tuple[int, str]], other_runs: list[tuple[int, str]]
) -> str:
    """One character in place of another, or two neighbours in each other's."""
    differing = [i for i in range(len(a)) if a[i] != b[i]]
    if len(differing) == 2:
        return TRANSPOSED
    at = differing[0]
    if a[at].isalpha() and b[at].isalpha():
        return SERIAL if abs(ord(a[at]) - ord(b[at])) == 1 else SUBSTITUTED
    # A letter that looks like a third digit is that digit: of another number of the series.
    right = min(runs[at][0], other_runs[at][0])
    return SERIAL if right < COUNTING_DIGITS else SUBSTITUTED


def _inserted(a: str, b: str, runs: list[tuple[int, str]]) -> str:
    """One character more in `b`, whose runs these are: a counter that grew, unless its width is fixed."""
    at = next((i for i in range(len(a)) if a[i] != b[i]), len(a))
    right, run = runs[at]
    wide = len(run) >= WIDE_DIGITS or run.startswith("0")
    return MISSING if right == NEVER or wide else SERIAL


def tells_place(one: str, other: str, codes: tuple[str, str]) -> bool:
    """Whether the digit that differs is the branch's: each number has it as its own bank's code has.

    Numbers of one length; `codes`: of the two institutions.
    """
    a, b = (_SILENT.sub("", _tidy(text)) for text in (one, other))
    if codes[0] == codes[1] or len(a) != len(b):
        return False
    at = max((i for i in range(len(a)) if a[i] != b[i]), default=0)
    start = max(0, at - PLACE_CHARACTERS + 1)
    return a[start : at + 1] in codes[0] and b[start : at + 1] in codes[1]


def with_series(frame: pl.DataFrame, column: str, within: list[str]) -> pl.DataFrame:
    """A frame with `<column>_series`: whether the number before or after is there, too, within some columns."""
    normal, flag = overlap.normal(column), f"{column}_series"
    counted = frame.select(*within, normal=normal).with_columns(
        stem=pl.col("normal").str.replace("[0-9]{1,15}$", ""),
        count=pl.col("normal").str.extract("([0-9]{1,15})$").cast(pl.Int64),
    )
    by = [*within, "stem"]
    ordered = counted.filter(pl.col("count").is_not_null()).unique().sort(*by, "count")
    before = pl.col("count").diff().over(by) == 1
    after = pl.col("count").diff(-1).over(by) == -1
    found = ordered.filter(before | after).select(*within, "normal", pl.lit(value=True).alias(flag))
    return (
        frame.with_columns(normal=normal)
        .join(found.unique(), on=[*within, "normal"], how="left", nulls_equal=True)
        .with_columns(pl.col(flag).fill_null(value=False))
        .drop("normal")
    )
