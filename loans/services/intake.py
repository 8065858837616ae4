"""Intake: a file's rows become facts, all of them or none.

Read → validate as columns → stage in a temporary table → resolve look-ups → compare with what is
stored → write by set. Every problem of the file is reported at once; any problem leaves everything
as it was. Contract §3 says what a row with a known natural key means in each class of kinds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import polars as pl
from django.db import transaction

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from loans.files.columns import RULE, Parsed, parse
from loans.files.kinds import KINDS, Column, Kind
from loans.files.problems import HEADER_ROW, FileError, Problem, file_problem
from loans.files.reader import read_table
from loans.services import confirmations, intake_special, locks
from loans.services.controls import Controls, control_problems
from loans.services.intake_institutions import import_institutions
from loans.services.outcomes import ImportRefused, Outcome, Source, record_batch
from loans.services.target_parts import INSTITUTION, Join, Target
from loans.services.targets import LOOKED_UP, SQL_TYPES, TARGETS
from loans.values.errors import bilingual

UNCHECKED = bilingual(
    "校验位不符，已登记确认，待另一人复核后重新导入",
    "the check digit does not match; confirmed: import again once another person has checked it",
)
DIFFERS = "differs_from_stored"
UNKNOWN = "unknown_reference"
ADMINISTRATORS_ONLY = ("只有管理员可以导入此类文件", "only administrators import this kind")


@dataclass(frozen=True)
class Intake:
    """One file on its way in: what the steps below share."""

    kind: Kind
    target: Target
    source: Source

    @property
    def is_administrator(self) -> bool:
        """Whether whoever brings the file works for the whole installation."""
        return self.source.scope == SCOPE_ALL

    @property
    def content(self) -> list[str]:
        """The target's columns that make a known row a correction when they differ."""
        target = self.target
        return [c for c in target.columns if c not in (*target.key, *target.scope_columns)]

    def file_column(self, table_column: str) -> str:
        """Which column of the file filled this column of the table?"""
        keys = {column.key for column in self.kind.columns}
        stem = table_column.removesuffix("_fen").removesuffix("_ppm")
        named = (self.target.blame.get(table_column), LOOKED_UP.get(table_column), stem)
        return next((name for name in named if name in keys), table_column)

    def problem(
        self, row: int, column: str | None, value: str | None, message: str, code: str = "invalid"
    ) -> Problem:
        """A problem of one row, with the column's Chinese header."""
        headers = {c.key: c.header_zh for c in self.kind.columns}
        return Problem(row, column, headers.get(column or ""), value, message, code)


class Review(Protocol):
    """Somebody who looks at what a file would do before anything is written, and may refuse it."""

    def facts(self, intake: Intake, problems: Collection[Problem]) -> None:
        """Look at `stage` and `resolved`, and at what is wrong with the file."""

    def institutions(self, frame: pl.DataFrame) -> None:
        """Look at rows of an institutions file."""


class Expecting(Review, Protocol):
    """A review of a file of which it is known beforehand how much it holds."""

    @property
    def controls(self) -> Controls:
        """Its control totals."""


def import_file(
    *,
    kind: str,
    path: Path,
    actor: str,
    at: datetime,
    scope: tuple[int, int] = SCOPE_ALL,
    encoding: str | None = None,
    confirming: confirmations.Confirming | None = None,
    dry_run: bool = False,
    allow_empty: bool = False,
    expecting: Expecting | None = None,
) -> Outcome:
    """Take one file of a kind in, whole or not at all.

    `confirming`: the actor says that credit codes which fail their check digit are real.
    `allow_empty`: a file of headers only is no mistake, as in a folder of all kinds.
    `expecting`: what the file must hold and may say, looked at before anything is written.
    Raises ImportRefused with every problem found. A dry run does all of it and rolls back.
    """
    spec = KINDS[kind]
    try:
        table = read_table(path, encoding=encoding, kind=spec, allow_empty=allow_empty)
    except FileError as error:
        raise ImportRefused(error.problems) from error
    parsed = parse(
        spec,
        table,
        confirm_uscc=confirming is not None,
        confirmed_usccs=confirmations.confirmed_usccs(),
    )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    source = Source(actor=actor, at=at, scope=scope, file_name=path.name, sha256=digest)
    told = [] if expecting is None else control_problems(spec, table, parsed, expecting.controls)
    if told or parsed.problems:
        rest = _problems_of_readable_rows(spec, parsed, source, expecting)
        raise ImportRefused([*told, *parsed.problems, *rest])
    outcome = None
    with transaction.atomic():
        waiting = _confirm(parsed.failing_usccs, confirming, source)
        if not waiting:
            outcome = import_frame(kind=kind, frame=parsed.frame, source=source, review=expecting)
        if dry_run:
            transaction.set_rollback(True)
    if outcome is None:  # the confirmations stay and wait for a checker; nothing of the file does
        raise ImportRefused(_waiting(spec, parsed.frame, waiting))
    return outcome


def _problems_of_readable_rows(
    kind: Kind, parsed: Parsed, source: Source, review: Review | None
) -> list[Problem]:
    """What the rows without a bad cell would be refused for, so that all is told at once."""
    frame = readable_rows(kind=kind, parsed=parsed)
    if frame.is_empty():
        return []
    try:
        with transaction.atomic():
            import_frame(kind=kind.name, frame=frame, source=source, review=review)
            transaction.set_rollback(True)
    except ImportRefused as refused:
        return refused.problems
    return []


def readable_rows(*, kind: Kind, parsed: Parsed) -> pl.DataFrame:
    """The rows without a bad cell; none of a file whose header is at fault.

    Institutions depend on other rows of their file, which may be among the unreadable ones.
    """
    unreadable = {problem.row for problem in parsed.problems}
    frame = parsed.frame.filter(~pl.col("row").is_in(sorted(unreadable)))
    is_hopeless = HEADER_ROW in unreadable or (unreadable and kind.name == "institutions")
    return frame.clear() if is_hopeless else frame


def _confirm(
    failing: Collection[str], confirming: confirmations.Confirming | None, source: Source
) -> set[str]:
    """Record confirmations of failing codes; returns the codes that still lack a checker."""
    if confirming is None or not failing:
        return set()
    confirmations.confirm_usccs(
        usccs=failing,
        institution_id=source.scope[0] or None,
        actor=source.actor,
        at=source.at,
        confirming=confirming,
    )
    return set(failing) - confirmations.confirmed_usccs()


def _waiting(kind: Kind, frame: pl.DataFrame, usccs: Collection[str]) -> list[Problem]:
    header = kind.column("uscc").header_zh
    rows = frame.filter(pl.col("uscc").is_in(sorted(usccs))).select("row", "uscc").rows()
    return [Problem(row, "uscc", header, uscc, UNCHECKED) for row, uscc in rows]


@transaction.atomic
def import_frame(
    *, kind: str, frame: pl.DataFrame, source: Source, review: Review | None = None
) -> Outcome:
    """Take validated rows of a kind in (see `loans.files.columns.parse` for the frame).

    `review` looks at them in the transaction that takes them in, before anything is written.
    """
    locks.lock_intake(kind=kind)
    if kind == "institutions":
        if review is not None:
            review.institutions(frame)
        return import_institutions(frame=frame, source=source)
    intake = Intake(kind=KINDS[kind], target=TARGETS[kind], source=source)
    if intake.target.administrators_only and not intake.is_administrator:
        raise ImportRefused([file_problem(*ADMINISTRATORS_ONLY)])
    _stage(intake, frame)
    intake_special.before_resolving(kind=kind)
    problems = _resolve(intake)
    _compare(intake)
    problems += _problems(intake)
    if review is not None:
        review.facts(intake, problems)
    if problems:
        raise ImportRefused(problems)
    ((inserted, corrected),) = bulk.rows(
        "SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE changed) FROM resolved"
    )
    outcome = Outcome(kind, frame.height, inserted, corrected)
    if inserted or corrected:
        return replace(outcome, batch_id=_write(intake, outcome))
    return outcome


def _stage(intake: Intake, frame: pl.DataFrame) -> None:
    columns = {column.key: _sql_type(column) for column in intake.kind.columns}
    bulk.create_stage("stage", {"row": "bigint", **columns})
    lists = [
        pl.format("{{{}}}", pl.col(name).list.join(",")).alias(name)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.List)
    ]
    bulk.fill_stage("stage", frame.with_columns(lists).select("row", *columns))


def _sql_type(column: Column) -> str:
    return SQL_TYPES.get(column.type, "text")


def _resolve(intake: Intake) -> list[Problem]:
    """Make `resolved`: the stage in the target's columns, less the rows that point nowhere."""
    target = intake.target
    joins = " ".join(join.sql for join in target.joins)
    problems = _out_of_scope(intake, joins=joins)
    outside = {problem.row for problem in problems}
    problems += [p for p in _unknown(intake, joins=joins) if p.row not in outside]
    columns = ", ".join(
        f"{expression} AS {name}"
        for name, expression in {**target.columns, **target.extras}.items()
    )
    bulk.execute("DROP TABLE IF EXISTS resolved")
    bulk.execute(
        f"CREATE TEMP TABLE resolved ON COMMIT DROP AS SELECT s.row, {columns}, "
        "NULL::bigint AS stored_id, true AS fresh, false AS changed, '' AS differs "
        f"FROM stage s {joins} WHERE s.row <> ALL(%s)",
        [sorted({problem.row for problem in problems})],
    )
    bulk.execute("ANALYZE resolved")
    return problems


def _unknown(intake: Intake, *, joins: str) -> list[Problem]:
    """What rows name that is not there; of an unknown institution nothing more is said."""
    problems: list[Problem] = []
    placeless: set[int] = set()
    for join in intake.target.joins:
        dangling = _dangling(intake, join=join, joins=joins)
        if join.column == INSTITUTION.column:
            placeless = {problem.row for problem in dangling}
        elif INSTITUTION.found in join.sql:
            dangling = [problem for problem in dangling if problem.row not in placeless]
        problems += dangling
    return problems


def _dangling(intake: Intake, *, join: Join, joins: str) -> list[Problem]:
    if join.found == "true":
        return []
    is_found = f"{join.found} IS NOT NULL"
    params: tuple[int, ...] = ()
    if join.own and not intake.is_administrator:
        is_found, params = f"{join.found} BETWEEN %s AND %s", intake.source.scope
    found = bulk.rows(
        f"SELECT s.row, s.{join.column}::text FROM stage s {joins} "
        f"WHERE ({join.when}) AND ({is_found}) IS NOT TRUE ORDER BY s.row",
        params,
    )
    return [intake.problem(row, join.column, value, join.message, UNKNOWN) for row, value in found]


def _compare(intake: Intake) -> None:
    """Fill stored_id, fresh, changed and differs of `resolved` from what is stored."""
    target = intake.target
    bank_match = "" if intake.is_administrator else target.bank_match
    match = (
        bank_match or target.match or " AND ".join(f"t.{name} = r.{name}" for name in target.key)
    )
    pairs = [(c, f"t.{c} IS DISTINCT FROM r.{c}") for c in intake.content]
    changed = " OR ".join(test for _, test in pairs) or "false"
    differs = ", ".join(f"CASE WHEN {test} THEN '{intake.file_column(c)}' END" for c, test in pairs)
    bulk.execute(
        f"UPDATE resolved r SET stored_id = t.id, fresh = false, changed = ({changed}), "
        f"differs = concat_ws('、', {differs or 'NULL'}) FROM {target.table} t WHERE {match}"
    )


def _problems(intake: Intake) -> list[Problem]:
    """Every set-based reason to refuse the file."""
    broken = [row for check in intake.target.checks for row in bulk.rows(check.sql)]
    broken += intake_special.refused(kind=intake.kind.name)
    told = [intake.problem(row, column, value, why, RULE) for row, column, value, why in broken]
    return _not_allowed(intake) + told


def _out_of_scope(intake: Intake, *, joins: str) -> list[Problem]:
    """Rows of institutions elsewhere; whether what they name exists there is not said."""
    target = intake.target
    if intake.is_administrator or target.scope is None:
        return []
    belongs_to = f"coalesce({target.columns[target.scope]}, i.id, 0)"  # 0: nobody's
    outside = bulk.rows(
        f"SELECT s.row, s.institution_code FROM stage s {joins} "
        f"WHERE ({belongs_to} BETWEEN %s AND %s) IS NOT TRUE ORDER BY s.row",
        intake.source.scope,
    )
    message = "未登记的机构编码，或不在您的机构范围内 / unknown institution, or outside your scope"
    return [
        intake.problem(row, "institution_code", code, message, UNKNOWN) for row, code in outside
    ]


def _not_allowed(intake: Intake) -> list[Problem]:
    """Rows whose natural key is known with other content, where that is no correction."""
    if intake.kind.klass == "evidence":
        undo_zh, undo_en = intake.target.undo
        zh, en = f"凭证不可改，{undo_zh}", f"evidence is never changed: {undo_en}"
    elif intake.target.shared and not intake.is_administrator:
        zh, en = "共用登记信息只能由管理员更正", "shared registry: ask an administrator"
    else:
        return []
    key = intake.kind.key
    blamed = next(
        (name for name in ("reference", "document_number", "archive_number") if name in key), key[0]
    )
    changed = bulk.rows(
        f"SELECT r.row, s.{blamed}::text, r.stored_id, r.differs "
        "FROM resolved r JOIN stage s USING (row) WHERE r.changed ORDER BY r.row"
    )
    return [
        intake.problem(
            row,
            blamed,
            value,
            bilingual(
                f"与已存记录（编号 {stored}）的 {differs} 不同；{zh}",
                f"differs from stored row {stored}; {en}",
            ),
            DIFFERS,
        )
        for row, value, stored, differs in changed
    ]


def _write(intake: Intake, outcome: Outcome) -> int:
    """Write new and corrected rows with their batch, and mark whom they concern; gives the batch."""
    target, kind = intake.target, intake.kind.name
    locks.touch_enterprises(queries=target.touches)
    batch_id = record_batch(outcome=outcome, source=intake.source)
    if kind == "interest-collections":
        intake_special.insert_collections(target=target, batch_id=batch_id)
    else:
        _insert(intake, batch_id)
    if outcome.corrected:
        assignments = ", ".join(f"{c} = r.{c}" for c in intake.content)
        bulk.execute(
            f"UPDATE {target.table} t SET {assignments}, batch_id = %s "
            "FROM resolved r WHERE t.id = r.stored_id AND r.changed",
            [batch_id],
        )
    intake_special.after_writing(kind=kind, at=intake.source.at)
    for table in (target.table, *target.also_writes):
        bulk.analyze(table, written=outcome.inserted + outcome.corrected)
    return batch_id


def _insert(intake: Intake, batch_id: int) -> None:
    """New rows, with their batch and, where the table says so, who brought them."""
    names = ", ".join(intake.target.columns)
    given: dict[str, object] = {"batch_id": batch_id}
    if intake.target.is_signed:
        given |= {"made_by": intake.source.actor, "made_at": intake.source.at}
    bulk.execute(
        f"INSERT INTO {intake.target.table} ({names}, {', '.join(given)}) "
        f"SELECT {names}, {', '.join('%s' for _ in given)} "
        "FROM resolved r WHERE r.fresh ORDER BY r.row",
        [*given.values()],
    )
