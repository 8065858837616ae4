"""`missed_labels`: look for notes that would be subsidised if they were labelled (应享未享)."""

from __future__ import annotations

import os
import socket
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, now
from config.kernel.models import Run
from settlement.services.missed_labels import ask_for_search, work_searches


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "查找应享未享：符合政策而未加标签的借据 / find notes that look eligible but carry no label"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Search all notes and print how many labels are missing by scheme."""
        self.require_everywhere(options)
        run_id = ask_for_search(actor=self.actor(options), at=now())
        work_searches(owner=f"{socket.gethostname()}:{os.getpid()}", clock=now)
        run = Run.objects.get(pk=run_id)
        if run.state != Run.State.DONE:
            raise CommandError(f"任务 #{run_id} 未完成，见任务分段 / not finished, see its chunk")
        found = run.stats or {}
        for code, count in sorted(found.items()):
            self.stdout.write(f"  {code}: {count}")
        self.stdout.write(f"应享未享 missing labels: {sum(found.values())}")
