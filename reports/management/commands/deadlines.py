"""`deadlines`: what has to be handed in when, brought up to date."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from config.kernel.management.base import MAKERS, ProjectCommand, now
from reports.models import Obligation
from reports.selectors.obligations import TO_DO, with_standing
from reports.services import obligations


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = "更新报送日历并按状态计数 / bring the calendar of deadlines up to date and count it by state"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whether to list."""
        super().add_arguments(parser)
        parser.add_argument(
            "--list", action="store_true", help="逐项列出未报送的 / list what is not handed in yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Refresh, count, and list if asked; what cannot be dated is told."""
        first, last = self.scope(options)
        today = now().date()
        brought = obligations.refresh(today=today)
        for problem in brought.problems:
            self.stderr.write(problem)
        own = Obligation.objects.filter(institution_id__gte=first, institution_id__lte=last)
        found = list(with_standing(own, today=today).select_related("institution"))
        counted = Counter(row.standing for row in found)
        told = ", ".join(f"{state} {count}" for state, count in sorted(counted.items()))
        self.stdout.write(
            f"报送事项 obligations: 新增 new {brought.inserted}, 更新 updated {brought.updated}; {told}"
        )
        for row in found if options["list"] else ():
            if row.standing in TO_DO:
                self.stdout.write(
                    f"{row.due_on:%Y-%m-%d} ({row.last_working_day:%Y-%m-%d}) {row.standing} {row.code} "
                    f"{row.scheme_code} {row.period} {row.institution.code} → {row.addressee}，{row.article}"
                )
