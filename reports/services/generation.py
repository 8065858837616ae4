"""Generating a report: the same cut gives the same files and no second report.

A report that finance has not seen is replaced by what is right now; one that was submitted stays as
it was, and what differs becomes a correction with a report of the differences.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from django.db import OperationalError, transaction
from django.db.models import QuerySet

from config.kernel.services import bulk
from loans.values.errors import DomainError, bilingual
from reports.definitions.cut import held
from reports.definitions.difference import Pair, difference_sheet
from reports.definitions.sheet import Column, Table, whole
from reports.models import TOLD, UNTOLD, Report, ReportFile
from reports.services import formats, storing
from reports.services.building import Built, Progress, build, described, one_snapshot, untold
from reports.services.catalogue import Asked
from reports.services.steps import check

State = Report.State
DIFFERENCE = "_difference"
BUSY = "report_busy"  # the one refusal that trying again may cure


@dataclass(frozen=True)
class Generated:
    """What asking for a report gave: its number, and whether it is a new one."""

    report_id: int
    is_new: bool


@dataclass(frozen=True)
class Standing:
    """The versions there are of one report; `states` tells whether anything moved meanwhile."""

    states: tuple[tuple[int, str], ...]
    last_version: int
    untold: Report | None  # generated or checked
    told: Report | None  # submitted or accepted
    submitted: Report | None  # the last that finance ever had

    def same(self, content_sha256: str) -> Report | None:
        """The version that stands and says exactly this; what was returned does not stand."""
        standing = [report for report in (self.told, self.untold) if report is not None]
        return next((one for one in standing if one.content_sha256 == content_sha256), None)


def generate(
    *,
    code: str,
    asked: Asked,
    actor: str,
    at: datetime,
    checker: str | None = None,
    progress: Progress = untold,
) -> Generated:
    """Make the report as it is now, unless there is one that says the same.

    `checker` checks what is made at once (never the actor); `progress` is told of rows as they are
    read. DomainError `report_busy` while another
    makes the same report, `report_does_not_tie` if its sums differ.
    """
    with (
        _alone(code=code, asked=asked),
        tempfile.TemporaryDirectory() as place,
        tempfile.TemporaryDirectory() as spool,
    ):
        folder = Path(place)
        with one_snapshot():
            asked = _as_stated(code, asked)
            built = build(
                code=code,
                asked=asked,
                folder=folder,
                spool=Path(spool),
                dated=at.date(),
                progress=progress,
            )
            standing = stands(code=code, asked=asked)
            same = standing.same(built.content_sha256)
            if same is None:
                differing = _draw(code, asked, built, standing, folder, at.date())
                built = replace(built, tables=[*built.tables, *differing])
        if same is not None:
            _drop_other_draft(code, asked, same, standing, at)
            return Generated(int(same.pk), is_new=False)
        kept = storing.keep_all(folder=folder)
        with transaction.atomic():
            _require_unmoved(code, asked, standing)
            report = _record(code, asked, built, standing, actor, at)
            storing.record(report=report, kept=kept)
            if checker is not None and checker != actor:
                check(report_id=report.pk, actor=checker, at=at)
        return Generated(int(report.pk), is_new=True)


def _as_stated(code: str, asked: Asked) -> Asked:
    """The growth that a person stated for a report stays until another is stated."""
    if asked.growth_ppm is not None:
        return asked
    last = versions(code=code, asked=asked).last()
    return replace(asked, growth_ppm=last.growth_ppm if last is not None else None)


def versions(*, code: str, asked: Asked) -> QuerySet[Report]:
    """All versions of one report, oldest first."""
    return Report.objects.filter(
        institution_id=asked.institution_id,
        code=code,
        period=asked.period.code,
        scheme_code=asked.scheme_code or "",
    ).order_by("version")


def stands(*, code: str, asked: Asked) -> Standing:
    """Which versions are there?"""
    every = list(versions(code=code, asked=asked))
    submitted = [one for one in every if one.submitted_at is not None]
    return Standing(
        states=tuple((int(one.pk), one.state) for one in every),
        last_version=every[-1].version if every else 0,
        untold=next((one for one in every if one.state in UNTOLD), None),
        told=next((one for one in every if one.state in TOLD), None),
        submitted=submitted[-1] if submitted else None,
    )


@contextmanager
def _alone(*, code: str, asked: Asked) -> Iterator[None]:
    """Let nobody else make the same report meanwhile: who comes second finds what the first made.

    Held by the connection, not a transaction: the snapshot has to begin after it was got.
    """
    key = f"report {asked.institution_id} {code} {asked.period.code} {asked.scheme_code or ''}"
    try:
        with transaction.atomic():
            bulk.rows("SELECT pg_advisory_lock(hashtextextended(%s, 0))::text", [key])
    except OperationalError as error:
        raise DomainError(
            BUSY,
            bilingual(
                "同一报表正在生成，请稍后再试", "the same report is being made, try again later"
            ),
        ) from error
    try:
        yield
    finally:
        bulk.rows("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _draw(
    code: str, asked: Asked, built: Built, standing: Standing, folder: Path, dated: date
) -> list[dict[str, Any]]:
    """Write the other files: the forms people read, what else belongs to it, and the differences.

    Returns what the tables of the differences hold, if there are any.
    """
    name = formats.stem(code, asked)
    others = tuple(one for one in formats.WRITERS if one != formats.CSV)
    formats.write(built.sheet, folder, name, formats=others, dated=dated)
    if code in formats.EXTRAS:
        formats.EXTRAS[code](asked, folder)
    base = standing.submitted
    if base is None or base.content_sha256 == built.content_sha256:
        return []
    differing = held(difference_sheet(built.sheet, _pairs(built, base, folder, name)))
    every, name = tuple(formats.WRITERS), f"{name}{DIFFERENCE}"
    formats.write(differing, folder, name, formats=every, dated=dated)
    rows = {one.key: sum(frame.height for frame in one.parts()) for one in differing.tables}
    return described(differing, name, rows)


def _pairs(built: Built, base: Report, folder: Path, name: str) -> list[Pair]:
    """Each table as it was submitted, from the files that were, and as it is now.

    Columns and tables that are no more are among them: what they held was taken back.
    """
    files = base.files.filter(role="report", format=formats.CSV).order_by("name")
    stored = {file.name: file for file in files}
    pairs = []
    for table in built.sheet.tables:
        file_name = formats.csv_name(built.sheet, name, table.key)
        after = pl.read_csv(folder.joinpath(file_name), infer_schema=False)
        file = stored.pop(file_name, None)
        before = after.clear() if file is None else _submitted(file)
        keys = {column.csv_name: column.key for column in table.columns}
        gone = _columns(file_name, [one for one in before.columns if one not in keys], base)
        told = replace(table, columns=(*table.columns, *gone))
        pairs.append(
            Pair(told, before.rename(keys, strict=False), after.rename(keys, strict=False))
        )
    return [*pairs, *(_gone(file, base, name) for file in stored.values())]


def _submitted(file: ReportFile) -> pl.DataFrame:
    with storing.opened(file=file) as source:
        return pl.read_csv(source.read(), infer_schema=False)


def _gone(file: ReportFile, base: Report, name: str) -> Pair:
    """A table that was submitted and is no more."""
    before = _submitted(file)
    titles = [one["table"] for one in base.totals if one["file"] == file.name]
    key = file.name.removeprefix(f"{name}.").removesuffix(f".{formats.CSV}")
    columns = _columns(file.name, before.columns, base)
    table = Table(key, titles[0] if titles else key, columns, whole(before.clear()))
    return Pair(table, before, before.clear())


def _columns(file_name: str, names: Sequence[str], base: Report) -> tuple[Column, ...]:
    """Columns that only the submitted file has: sums as its totals recorded them, the rest as texts."""
    summed = {one["key"]: one for one in base.totals if one["file"] == file_name}
    return tuple(
        Column(name, summed[name]["column"], summed[name]["kind"], total=True)
        if name in summed
        else Column(name, name, "text")
        for name in names
    )


def _record(
    code: str, asked: Asked, built: Built, standing: Standing, actor: str, at: datetime
) -> Report:
    """Store the new version; what it replaces is superseded, what it corrects stands."""
    _supersede(standing.untold, at)
    for returned in versions(code=code, asked=asked).filter(state=State.RETURNED):
        _supersede(returned, at)
    return Report.objects.create(
        institution_id=asked.institution_id,
        code=code,
        scheme_code=asked.scheme_code or "",
        period=asked.period.code,
        version=standing.last_version + 1,
        corrects=standing.submitted,
        growth_ppm=asked.growth_ppm,
        content_sha256=built.content_sha256,
        totals=built.totals,
        ties=built.ties,
        tables=built.tables,
        schemes=list(built.sheet.heading.scheme_codes),
        ledger_entry=built.position.entry,
        ledger_entries=built.position.entries,
        ledger_chain=built.position.chain,
        facts_position=built.position.facts,
        terms_key=built.terms_key,
        made_by=actor,
        made_at=at,
    )


def _require_unmoved(code: str, asked: Asked, standing: Standing) -> None:
    """Refuse to go on where somebody checked, submitted or returned a version since the snapshot."""
    now = versions(code=code, asked=asked).select_for_update().values_list("pk", "state")
    if tuple(now) != standing.states:
        raise DomainError(
            BUSY,
            bilingual(
                "生成期间该报表的状态已变，请重新生成",
                "the report was moved on while it was made, generate again",
            ),
        )


@transaction.atomic
def _drop_other_draft(
    code: str, asked: Asked, same: Report, standing: Standing, at: datetime
) -> None:
    """What finance has is right again: a correction that nobody has submitted is none."""
    if standing.untold is not None and standing.untold.pk != same.pk:
        _require_unmoved(code, asked, standing)
        _supersede(standing.untold, at)


def _supersede(report: Report | None, at: datetime) -> None:
    if report is not None:
        Report.objects.filter(pk=report.pk).update(state=State.SUPERSEDED, superseded_at=at)
