"""The files of a report: kept by content for ever, proved on every reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from config.kernel.services import store
from loans.selectors.kept_files import opened_file
from reports.models import Report, ReportFile


@dataclass(frozen=True)
class Kept:
    """A file that is in the store."""

    name: str
    size: int
    sha256: str


def keep_all(*, folder: Path) -> list[Kept]:
    """Take every file of the folder into the store, in order of their names."""
    return [
        Kept(path.name, path.stat().st_size, store.keep(path)) for path in sorted(folder.iterdir())
    ]


def record(*, report: Report, kept: list[Kept]) -> None:
    """Write down which files a report consists of."""
    ReportFile.objects.bulk_create(
        ReportFile(
            institution_id=report.institution_id,
            report=report,
            role="difference" if "_difference." in one.name else "report",
            format=one.name.rpartition(".")[2],
            name=one.name,
            size=one.size,
            sha256=one.sha256,
        )
        for one in kept
    )


def opened(*, file: ReportFile) -> BinaryIO:
    """The file's content, proved; DomainError `file_missing` or `file_tampered` names the file."""
    return opened_result(sha256=file.sha256, name=file.name)


def opened_result(*, sha256: str, name: str) -> BinaryIO:
    """As `opened`, for a file known by its content."""
    return opened_file(sha256=sha256, name=name)


def hand_out(*, report_id: int, folder: Path) -> list[Path]:
    """Copy a report's files into a folder, proved; returns where they are."""
    paths = []
    for file in ReportFile.objects.filter(report_id=report_id).order_by("name"):
        opened(file=file).close()
        store.copy_out(file.sha256, folder.joinpath(file.name))
        paths.append(folder.joinpath(file.name))
    return paths
