"""Days off and make-up working days: a file of what was published, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from loans.services.outside_files import read_holidays
from loans.values.errors import DomainError, bilingual
from reports.models import WorkingDayException
from reports.selectors.calendar import calendar

FIELDS = ("is_working", "name", "document_number")


class HolidaysRefused(DomainError):
    """A file of days was refused whole; `problems` lists every reason, by row and column."""

    def __init__(self, problems: list[Any]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.row)
        super().__init__(
            "holidays_refused",
            bilingual(
                f"文件有 {len(problems)} 处错误，未保存任何数据",
                f"{len(problems)} problems: nothing of the file was saved",
            ),
        )


@dataclass(frozen=True)
class Taken:
    """What a file did to the days there are; `missing`: the file's years → public holidays still unknown."""

    rows: int
    inserted: int
    corrected: int
    missing: Mapping[int, tuple[str, ...]]


@transaction.atomic
def import_days(*, path: Path, encoding: str | None = None) -> Taken:
    """Take a file in; a day known already is corrected to what the file says.

    Raises HolidaysRefused with every problem of the file.
    """
    read = read_holidays(path=path, encoding=encoding)
    if read.problems:
        raise HolidaysRefused(read.problems)
    days = {row["day"]: _day(row) for row in read.rows}
    known = WorkingDayException.objects.in_bulk(list(days))
    changed = [day for day, old in known.items() if _content(old) != _content(days[day])]
    WorkingDayException.objects.bulk_create(
        list(days.values()), update_conflicts=True, unique_fields=["day"], update_fields=FIELDS
    )
    of_year = calendar().missing
    return Taken(
        rows=len(read.rows),
        inserted=len(days) - len(known),
        corrected=len(changed),
        missing={
            year: of_year[year] for year in sorted({day.year for day in days}) if of_year[year]
        },
    )


def _day(row: dict[str, Any]) -> WorkingDayException:
    return WorkingDayException(
        day=row["day"],
        is_working=row["kind"] == "workday",
        name=row["name"],
        document_number=row["document_number"],
    )


def _content(day: WorkingDayException) -> tuple[Any, ...]:
    return tuple(getattr(day, name) for name in FIELDS)
