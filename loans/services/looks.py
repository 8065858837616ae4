"""What would a file do? One look at it, from its bytes to every difference, that writes nothing.

A look goes the whole way of the intake and is rolled back; `take_in` goes it once more and keeps it,
provided that it does what the look said it would (the fingerprint).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
from django.db import IntegrityError, transaction

from config.kernel.models import Institution
from config.kernel.services import bulk
from loans.files.columns import Parsed, parse
from loans.files.headers import match_headers
from loans.files.kinds import KINDS, Kind
from loans.files.problems import HEADER_ROW, FileError, Problem, file_problem
from loans.files.reader import read_table
from loans.files.table import Table
from loans.services import confirmations
from loans.services.controls import Controls, control_column, control_problems
from loans.services.differences import NONE, differences, fingerprint, institution_differences
from loans.services.intake import Intake, import_frame, readable_rows
from loans.services.outcomes import ImportRefused, Outcome, Source
from loans.values.errors import DomainError, bilingual

Tell = Callable[[int], None]

CHANGED = "import_changed"
CLASHES = (
    "与已存数据冲突（例如借据已划转到您范围以外的机构，或流水号已被占用），请联系管理员",
    "clashes with stored rows, perhaps outside your scope: ask an administrator",
)


@dataclass(frozen=True)
class Look:
    """What one look at a file found; `inserted` … `unchanged` count rows with nothing wrong.

    `outcome`: what it did, if it was to be kept and nothing was wrong with it.
    """

    kind: str
    rows: int | None = None
    total_fen: int | None = None
    inserted: int = 0
    corrected: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    differences: pl.DataFrame = field(default_factory=lambda: NONE)
    failing_usccs: tuple[str, ...] = ()
    fingerprint: str = ""
    outcome: Outcome | None = None

    @property
    def refused(self) -> int:
        """How many rows have something wrong with them?"""
        return len({problem.row for problem in self.problems if problem.row > HEADER_ROW})


def detect_kind(*, table: Table) -> str:
    """Which kind of file has these headers? Refused unless exactly one has."""
    fitting = [name for name, kind in KINDS.items() if not match_headers(kind, table)[1]]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        named = "、".join(KINDS[name].title_zh for name in fitting)
        zh, en = (
            f"表头同时符合 {named}，请选择数据类别",
            f"headers fit {', '.join(fitting)}: choose",
        )
    else:
        zh, en = (
            "表头不符合任何一类数据，请选择数据类别后查看缺哪些列",
            "headers fit no kind: choose one",
        )
    raise ImportRefused([file_problem(zh, en)])


def look(
    *,
    path: Path,
    kind: str,
    encoding: str | None,
    controls: Controls,
    source: Source,
    tell: Tell | None = None,
    is_kept: bool = False,
) -> Look:
    """What would this file do now? Every problem is a value; nothing stays written.

    `tell` hears how many rows were read. `is_kept`: a file with nothing wrong is taken in by the same look.
    """
    try:
        table = read_table(path, encoding=encoding, kind=KINDS.get(kind))
        kind = kind or detect_kind(table=table)
    except (FileError, ImportRefused) as error:
        return Look(kind, problems=list(error.problems))
    parsed = _parsed(KINDS[kind], table, tell)
    rows = table.frame.height
    told = control_problems(KINDS[kind], table, parsed, controls)
    is_sound = not told and not parsed.problems
    found = _found(kind, parsed, source, is_kept=is_kept and is_sound)
    is_whole = bool(found.fingerprint)  # rows that repeat another one change nothing
    unchanged = rows - found.inserted - found.corrected - found.refused if is_whole else 0
    return replace(
        found,
        rows=rows,
        unchanged=unchanged,
        total_fen=parsed.totals_fen.get(control_column(kind) or ""),
        problems=sorted([*told, *found.problems], key=lambda problem: problem.row),
        failing_usccs=tuple(sorted(set(parsed.failing_usccs) - confirmations.confirmed_usccs())),
    )


def take_in(
    *,
    path: Path,
    kind: str,
    encoding: str | None,
    source: Source,
    expected: str,
    tell: Tell | None = None,
) -> Outcome:
    """Take the file in as it was looked at.

    Raises DomainError `import_changed` if it would do anything else by now, and ImportRefused.
    """
    try:
        table = read_table(path, encoding=encoding, kind=KINDS[kind])
    except FileError as error:
        raise ImportRefused(error.problems) from error
    parsed = _parsed(KINDS[kind], table, tell)
    if parsed.problems:
        raise ImportRefused(parsed.problems)
    review = _Review(expected=expected)
    try:
        return import_frame(kind=kind, frame=parsed.frame, source=source, review=review)
    except IntegrityError as error:
        raise ImportRefused([file_problem(*CLASHES)]) from error


def _parsed(kind: Kind, table: Table, tell: Tell | None) -> Parsed:
    if tell is not None:
        tell(table.frame.height)
    return parse(kind, table, confirmed_usccs=confirmations.confirmed_usccs())


def _found(kind: str, parsed: Parsed, source: Source, *, is_kept: bool) -> Look:
    """What the readable rows would do, or do, and what is wrong with any row."""
    frame = readable_rows(kind=KINDS[kind], parsed=parsed)
    problems = list(parsed.problems)
    review = _Review(kind=kind)
    if frame.is_empty():
        return Look(kind, problems=problems)
    kept: Outcome | None = None
    try:
        with transaction.atomic():
            outcome = import_frame(kind=kind, frame=frame, source=source, review=review)
            review.count(outcome)
            if is_kept:
                kept = outcome
            else:
                transaction.set_rollback(True)
    except ImportRefused as refused:
        problems += refused.problems
    except IntegrityError:
        kept = None  # a clash may be told at the very end
        problems.append(file_problem(*CLASHES))
    return replace(review.seen, problems=problems, outcome=kept)


class _Review:
    """Looks at a file before it is written; with `expected`, refuses another than was looked at."""

    def __init__(self, *, kind: str = "", expected: str | None = None) -> None:
        self.seen = Look(kind)
        self._expected = expected

    def facts(self, intake: Intake, problems: Collection[Problem]) -> None:
        """Compare, count and list what the rows of `resolved` would change."""
        self._compare(fingerprint(intake))
        if self._expected is None:
            fresh, changed = _counts({problem.row for problem in problems})
            self.seen = replace(
                self.seen, inserted=fresh, corrected=changed, differences=differences(intake)
            )

    def institutions(self, frame: pl.DataFrame) -> None:
        """The same for institutions, which the kernel compares by itself."""
        stored = _stored_institutions(frame)
        self._compare(hashlib.sha256(repr(sorted(stored.items())).encode()).hexdigest())
        found = institution_differences(frame, stored)
        self.seen = replace(self.seen, differences=found)

    def count(self, outcome: Outcome) -> None:
        """What became of a file that was taken in."""
        self.seen = replace(self.seen, inserted=outcome.inserted, corrected=outcome.corrected)

    def _compare(self, found: str) -> None:
        if self._expected is not None and found != self._expected:
            raise DomainError(
                CHANGED,
                bilingual(
                    "预览之后数据库中的数据已变化，本文件的结果与您看到的不同；未导入，请核对新的预览",
                    "the database has changed since the preview: nothing was imported, look again",
                ),
            )
        self.seen = replace(self.seen, fingerprint=found)


def _counts(refused: Collection[int]) -> tuple[int, int]:
    """How many rows with nothing wrong are new, and how many change what is stored?"""
    ((fresh, changed),) = bulk.rows(
        "SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE changed)"
        " FROM resolved WHERE row <> ALL(%s)",
        [sorted(refused)],
    )
    return fresh, changed


def _stored_institutions(frame: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Name, level, parent and region of those institutions of the file that are known."""
    known = Institution.objects.filter(code__in=frame["institution_code"].to_list())
    fields = ("code", "name", "level", "parent__code", "region_code")
    return {code: tuple(v or "" for v in rest) for code, *rest in known.values_list(*fields)}
