"""Days off and make-up working days: a file of what was published, all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from loans.services.outside_files import read_holidays
from loans.values.errors import DomainError, bilingual
from reports.models import WorkingDayException

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
    """What a file did to the days there are."""

    rows: int
    inserted: int
    corrected: int


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
    return Taken(len(read.rows), len(days) - len(known), len(changed))


def _day(row: dict[str, Any]) -> WorkingDayException:
    return WorkingDayException(
        day=row["day"],
        is_working=row["kind"] == "workday",
        name=row["name"],
        document_number=row["document_number"],
    )


def _content(day: WorkingDayException) -> tuple[Any, ...]:
    return tuple(getattr(day, name) for name in FIELDS)
