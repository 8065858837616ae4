"""Proving kept reports again: every file is what was stored, every total what its rows add up to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from loans.selectors.kept_files import opened_file
from loans.values.errors import DomainError
from reports.definitions.difference import DECIMALS, exact
from reports.models import Report, ReportFile
from reports.services import storing
from settlement.selectors import papers


@dataclass(frozen=True)
class Proved:
    """How many reports and files were looked at, and what is wrong with them."""

    reports: int
    files: int
    problems: tuple[str, ...]


def verify_reports() -> Proved:
    """Read every file of every report there ever was, and add its recorded totals up again."""
    reports, files = 0, 0
    problems: list[str] = []
    for report in Report.objects.order_by("pk").iterator():
        reports += 1
        of_report = list(report.files.order_by("name"))
        files += len(of_report)
        problems += [f"报表 report #{report.pk}: {text}" for text in _wrong(report, of_report)]
    return Proved(reports, files, tuple(problems))


def verify_papers() -> tuple[int, list[str]]:
    """Read every attached paper again and compare what each note is said to have; how many, and what is wrong."""
    problems: list[str] = []
    found = papers.attached()
    for paper_id, sha256, name in found:
        try:
            opened_file(sha256=sha256, name=name).close()
        except DomainError as refusal:
            problems.append(f"资料 paper #{paper_id}: {refusal}")
    problems += [
        f"借据 note #{note_id}: 资料概况与资料不符 / the kinds on record are not those of its papers"
        for note_id in papers.wrong_shelves()
    ]
    return len(found), problems


def _wrong(report: Report, files: list[ReportFile]) -> Iterator[str]:
    """What is wrong with one report; a file that is not what it was is not added up."""
    rows = {one["file"]: one["rows"] for one in report.tables}
    wanted: dict[str, list[dict[str, Any]]] = {}
    for total in report.totals:
        wanted.setdefault(total["file"], []).append(total)
    for file in files:
        try:
            with storing.opened(file=file) as source:
                totals = wanted.pop(file.name, [])
                yield from _differing(file, source.read(), totals, rows.get(file.name))
        except DomainError as refusal:
            wanted.pop(file.name, None)
            yield str(refusal)
    for name in wanted:
        yield f"缺少登记合计所依据的文件 {name} / the file its totals come from is not recorded"


def _differing(
    file: ReportFile, content: bytes, totals: list[dict[str, Any]], rows: int | None
) -> Iterator[str]:
    if not totals and rows is None:
        return
    frame = pl.read_csv(io.BytesIO(content), infer_schema=False)
    if rows is not None and frame.height != rows:
        yield f"{file.name}: 行数 rows are {frame.height}, 登记 recorded {rows}"
    for total in totals:
        text = pl.col(total["key"]).fill_null("")
        added = int(frame.select(exact(text, DECIMALS[total["kind"]]).sum()).item())
        if added != total["value"]:
            yield (
                f"{file.name} {total['column']}: 行合计 rows add up to {added}, "
                f"登记 recorded {total['value']}"
            )
