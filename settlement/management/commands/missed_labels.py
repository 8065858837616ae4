"""`missed_labels`: look for notes that would be subsidised if they were labelled (应享未享)."""

from __future__ import annotations

from typing import Any

from config.kernel.management.base import ProjectCommand, now
from settlement.services.missed_labels import find_missed_labels


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "查找应享未享：符合政策而未加标签的借据 / find notes that look eligible but carry no label"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Search all notes and print how many labels are missing by scheme."""
        self.require_everywhere(options)
        found = find_missed_labels(at=now())
        for code, count in found.by_scheme.items():
            self.stdout.write(f"  {code}: {count}")
        self.stdout.write(f"应享未享 missing labels: {found.labels}")
