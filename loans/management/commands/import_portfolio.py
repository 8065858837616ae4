"""`import_portfolio FOLDER`: every kind found in a folder, in the order they depend on each other."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, now, progress
from loans.files.kinds import KINDS
from loans.management.commands.import_data import describe
from loans.services.intake import import_file
from loans.services.outcomes import ImportRefused


def portfolio_files(folder: Path) -> list[tuple[str, Path]]:
    """(kind, file) for each kind a folder holds, in import order."""
    return [
        (kind, path)
        for kind in KINDS
        for path in (folder / f"{kind}.csv", folder / f"{kind}.xlsx")
        if path.is_file()
    ]


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "导入一个文件夹内的全部文件，每个文件一个事务 / import a folder, one transaction per file"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The folder."""
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import each file; stop at the first that is refused."""
        files = portfolio_files(options["folder"])
        if not files:
            raise CommandError(
                f"文件夹 {options['folder']} 中没有可导入的文件（如 notes.csv）"
                " / no importable file in this folder",
                returncode=2,
            )
        actor, scope = self.actor(options), self.scope(options)
        with progress("导入 import", total=len(files)) as bar:
            for kind, path in files:
                try:
                    outcome = import_file(
                        kind=kind, path=path, actor=actor, scope=scope, at=now(), allow_empty=True
                    )
                except ImportRefused as refused:
                    for problem in refused.problems:
                        self.stderr.write(f"{path.name}: {problem}")
                    raise CommandError(f"{path.name}: {refused.message}") from refused
                bar.update()
                self.stdout.write(describe(outcome))
