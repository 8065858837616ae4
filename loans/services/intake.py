"""Intake: a file's rows become facts, all of them or none.

Read → validate as columns → stage in a temporary table → resolve look-ups → compare with what is
stored → write by set. Every problem of the file is reported at once; any problem leaves everything
as it was. Contract §3 says what a row with a known natural key means in each class of kinds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
from django.db import transaction
from loans.files.columns import Problem, parse
from loans.files.reader import FileError, read_table

from config.kernel.models import SCOPE_ALL
from config.kernel.services import bulk
from loans.files.kinds import KINDS, Column, Kind
from loans.models import ImportBatch
from loans.services import confirmations, intake_special, locks
from loans.services.targets import TARGETS, Join, Target
from loans.values.errors import DomainError

ANALYZE_ROWS = 10_000

SQL_TYPES = {
    "date": "date",
    "month": "date",
    "year": "integer",
    "amount": "bigint",
    "rate": "bigint",
    "share": "bigint",
    "exchange_rate": "bigint",
    "bool": "boolean",
    "scheme_codes": "text[]",
}


@dataclass(frozen=True)
class Outcome:
    """What a file did: rows read, and of these new, corrected, and already known."""

    kind: str
    rows: int
    inserted: int
    corrected: int
    unchanged: int
    batch_id: int | None


class ImportRefused(DomainError):
    """A file was refused whole; `problems` lists every reason, by row and column."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.row, p.column or ""))
        super().__init__(
            "import_refused",
            f"文件有 {len(problems)} 处错误，未保存任何数据"
            f" / {len(problems)} problems: nothing of the file was saved",
        )


@dataclass(frozen=True)
class Intake:
    """Who brings which rows: what the steps below share."""

    kind: Kind
    target: Target
    scope: tuple[int, int]
    actor: str
    at: datetime

    @property
    def is_administrator(self) -> bool:
        return self.scope == SCOPE_ALL


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
) -> Outcome:
    """Take one file of a kind in, whole or not at all.

    `confirming`: the actor says that credit codes which fail their check digit are real.
    Raises ImportRefused with every problem found. A dry run does all of it and rolls back.
    """
    spec = KINDS[kind]
    try:
        table = read_table(path, encoding=encoding)
    except FileError as error:
        raise ImportRefused(error.problems) from error
    parsed = parse(spec, table, confirmed_usccs=confirmations.confirmed_usccs())
    if confirming is not None and parsed.unconfirmed_usccs and not dry_run:
        confirmations.confirm_usccs(
            usccs=parsed.unconfirmed_usccs, actor=actor, at=at, confirming=confirming
        )
        parsed = parse(spec, table, confirmed_usccs=confirmations.confirmed_usccs())
    if parsed.problems:
        raise ImportRefused(parsed.problems)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with transaction.atomic():
        outcome = import_frame(
            kind=kind,
            frame=parsed.frame,
            actor=actor,
            at=at,
            scope=scope,
            file_name=path.name,
            sha256=digest,
        )
        if dry_run:
            transaction.set_rollback(True)
    return outcome


@transaction.atomic
def import_frame(
    *,
    kind: str,
    frame: pl.DataFrame,
    actor: str,
    at: datetime,
    scope: tuple[int, int] = SCOPE_ALL,
    file_name: str = "",
    sha256: str = "",
) -> Outcome:
    """Take validated rows of a kind in (see `loans.files.columns.parse` for the frame)."""
    locks.lock_intake(kind=kind)
    if kind == "institutions":
        return intake_special.institutions(
            frame=frame, actor=actor, at=at, scope=scope, file_name=file_name, sha256=sha256
        )
    intake = Intake(kind=KINDS[kind], target=TARGETS[kind], scope=scope, actor=actor, at=at)
    _stage(intake, frame)
    intake_special.before_resolving(kind=kind)
    _resolve(intake)
    _compare(intake)
    problems = _problems(intake)
    if problems:
        raise ImportRefused(problems)
    inserted, corrected = _write(intake, file_name=file_name, sha256=sha256, rows=frame.height)
    intake_special.after_writing(kind=kind)
    batch_id = _batch_id() if inserted or corrected else None
    if inserted + corrected >= ANALYZE_ROWS:
        bulk.execute(f"ANALYZE {intake.target.table}")
    unchanged = frame.height - inserted - corrected
    return Outcome(kind, frame.height, inserted, corrected, unchanged, batch_id)


def _sql_type(column: Column) -> str:
    return SQL_TYPES.get(column.type, "text")


def _stage(intake: Intake, frame: pl.DataFrame) -> None:
    columns = {column.key: _sql_type(column) for column in intake.kind.columns}
    bulk.create_stage("stage", {"row": "bigint", **columns})
    lists = [
        ("{" + pl.col(name).list.join(",") + "}").alias(name)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.List)
    ]
    bulk.fill_stage("stage", frame.with_columns(lists).select("row", *columns))


def _resolve(intake: Intake) -> None:
    """Make `resolved`: the stage in the target's columns, or refuse rows that point nowhere."""
    target = intake.target
    joins = " ".join(join.sql for join in target.joins)
    problems = [
        problem for join in target.joins for problem in _dangling(intake, join=join, joins=joins)
    ]
    if problems:
        raise ImportRefused(problems)
    columns = ", ".join(
        f"{expression} AS {name}"
        for name, expression in {**target.columns, **target.extras}.items()
    )
    bulk.execute("DROP TABLE IF EXISTS resolved")
    bulk.execute(
        f"CREATE TEMP TABLE resolved ON COMMIT DROP AS SELECT s.row, {columns}, "
        "NULL::bigint AS stored_id, true AS fresh, false AS changed, '' AS differs "
        f"FROM stage s {joins}"
    )
    bulk.execute("ANALYZE resolved")


def _dangling(intake: Intake, *, join: Join, joins: str) -> list[Problem]:
    if join.found == "true":
        return []
    found = bulk.rows(
        f"SELECT s.row, s.{join.column}::text FROM stage s {joins} "
        f"WHERE ({join.when}) AND {join.found} IS NULL ORDER BY s.row"
    )
    return [_problem(intake, row, join.column, value, join.message) for row, value in found]


def _compare(intake: Intake) -> None:
    """Fill stored_id, fresh, changed and differs of `resolved` from what is stored."""
    target = intake.target
    match = target.match or " AND ".join(f"t.{name} = r.{name}" for name in target.key)
    content = [c for c in target.columns if c not in (*target.key, *target.scope_columns)]
    same = " AND ".join(f"t.{c} IS NOT DISTINCT FROM r.{c}" for c in content) or "true"
    differs = ", ".join(
        f"CASE WHEN t.{c} IS DISTINCT FROM r.{c} THEN '{_file_column(intake, c)}' END"
        for c in content
    )
    bulk.execute(
        f"UPDATE resolved r SET stored_id = t.id, fresh = false, changed = NOT ({same}), "
        f"differs = concat_ws('、', {differs or 'NULL'}) FROM {target.table} t WHERE {match}"
    )


def _file_column(intake: Intake, table_column: str) -> str:
    """Which column of the file filled this column of the table?"""
    blamed = intake.target.blame.get(table_column)
    keys = {column.key for column in intake.kind.columns}
    for name in (blamed, table_column, *(table_column.removesuffix(s) for s in ("_fen", "_ppm"))):
        if name in keys:
            return str(name)
    return {
        "enterprise_id": "uscc",
        "project_id": "project_code",
        "contract_id": "contract_number",
        "note_id": "note_number",
        "institution_id": "institution_code",
    }.get(table_column, table_column)


def _problems(intake: Intake) -> list[Problem]:
    """Every set-based reason to refuse the file."""
    found = [*_out_of_scope(intake), *_not_allowed(intake)]
    for check in intake.target.checks:
        found += [_problem(intake, *broken) for broken in bulk.rows(check.sql)]
    return found


def _out_of_scope(intake: Intake) -> list[Problem]:
    column = intake.target.scope
    if intake.is_administrator or column is None:
        return []
    outside = bulk.rows(
        f"SELECT r.row, s.institution_code FROM resolved r JOIN stage s USING (row) "
        f"WHERE r.{column} IS NULL OR r.{column} NOT BETWEEN %s AND %s ORDER BY 1",
        intake.scope,
    )
    message = "未登记的机构编码，或不在您的机构范围内 / unknown institution, or outside your scope"
    return [_problem(intake, row, "institution_code", code, message) for row, code in outside]


def _not_allowed(intake: Intake) -> list[Problem]:
    """Rows whose natural key is known with other content, where that is no correction."""
    first = intake.kind.key[0]
    if intake.target.administrators_only and not intake.is_administrator:
        message = "只有管理员可以导入此类文件 / only administrators import this kind"
        return [_problem(intake, 1, None, None, message)]
    if intake.kind.klass == "evidence":
        reason = (
            "凭证不可改，请用负数行冲正后重新录入 / evidence is never changed: reverse and re-enter"
        )
    elif intake.target.shared and not intake.is_administrator:
        reason = "共用登记信息只能由管理员更正 / shared registry: ask an administrator"
    else:
        return []
    changed = bulk.rows(
        f"SELECT r.row, s.{first}::text, r.stored_id, r.differs "
        "FROM resolved r JOIN stage s USING (row) WHERE r.changed ORDER BY r.row"
    )
    return [
        _problem(
            intake, row, first, value, f"与已存记录（编号 {stored}）的 {differs} 不同；{reason}"
        )
        for row, value, stored, differs in changed
    ]


def _problem(
    intake: Intake, row: int, column: str | None, value: str | None, message: str
) -> Problem:
    headers = {c.key: c.header_zh for c in intake.kind.columns}
    return Problem(
        row=row, column=column, header=headers.get(column or ""), value=value, message=message
    )


def _write(intake: Intake, *, file_name: str, sha256: str, rows: int) -> tuple[int, int]:
    """Write new and corrected rows with their batch; returns how many of each."""
    target = intake.target
    counts = bulk.rows(
        "SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE changed) FROM resolved"
    )
    inserted, corrected = counts[0]
    if not inserted and not corrected:
        return 0, 0
    locks.touch_enterprises(queries=target.touches)
    batch = ImportBatch.objects.create(
        kind=intake.kind.name,
        file_name=file_name,
        sha256=sha256,
        rows=rows,
        inserted=inserted,
        corrected=corrected,
        unchanged=rows - inserted - corrected,
        actor=intake.actor,
        at=intake.at,
    )
    if intake.kind.name == "interest-collections":
        intake_special.insert_collections(target=target, batch_id=batch.pk)
        problems = [
            _problem(intake, *broken) for broken in bulk.rows(intake_special.PLAN_DIFFERS.sql)
        ]
        if problems:
            raise ImportRefused(problems)
        return inserted, corrected
    columns = list(target.columns)
    names = ", ".join(columns)
    bulk.execute(
        f"INSERT INTO {target.table} ({names}, batch_id) "
        f"SELECT {names}, %s FROM resolved r WHERE r.fresh ORDER BY r.row",
        [batch.pk],
    )
    content = [c for c in columns if c not in (*target.key, *target.scope_columns)]
    if corrected:
        assignments = ", ".join(f"{c} = r.{c}" for c in content)
        bulk.execute(
            f"UPDATE {target.table} t SET {assignments}, batch_id = %s "
            "FROM resolved r WHERE t.id = r.stored_id AND r.changed",
            [batch.pk],
        )
    return inserted, corrected


def _batch_id() -> int:
    return int(ImportBatch.objects.order_by("-pk").values_list("pk", flat=True)[0])
