"""`assess [--scheme CODE]`: judge the labels of all notes again."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, now
from settlement.services.assessments import assess_notes
from settlement.services.schemes import terms_in_force


class Command(ProjectCommand):
    """See `--help`."""

    help = "认定借据的贴息资格 / judge the labels of notes"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which scheme."""
        super().add_arguments(parser)
        parser.add_argument(
            "--scheme", help="只更新此政策的认定 / write only this scheme's judgements"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge and print how many judgements changed."""
        self.require_everywhere(options)
        scheme = options["scheme"]
        if scheme is not None and scheme not in terms_in_force().scheme_ids:
            raise CommandError(
                f"未装载的贴息政策：{scheme} / unknown scheme: run load_schemes first"
            )
        done = assess_notes(at=now(), scheme=scheme)
        self.stdout.write(
            f"认定 judged {done.labels} 个标签 labels, 变化 changed {done.changed}, "
            f"移除 removed {done.removed}"
        )
