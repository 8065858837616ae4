"""`export KIND --out FILE`: one register as CSV or XLSX."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand
from config.kernel.services.export import write_register
from settlement.resources import REGISTERS


class Command(ProjectCommand):
    """See `--help`."""

    help = "导出一份台账 / export one register"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to export, where to, and which part."""
        super().add_arguments(parser)
        parser.add_argument(
            "kind", choices=list(REGISTERS), metavar="KIND", help=", ".join(REGISTERS)
        )
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")
        parser.add_argument("--format", choices=["csv", "xlsx"], help="默认按文件后缀 / by suffix")
        parser.add_argument("--scheme", help="贴息政策代码 / scheme code")
        parser.add_argument("--since", type=date.fromisoformat, help="收息日起 / collected from")
        parser.add_argument("--until", type=date.fromisoformat, help="收息日止 / collected to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, whole or not at all."""
        register = REGISTERS[options["kind"]]
        filters = {k: options[k] for k in ("scheme", "since", "until") if options[k] is not None}
        unknown = sorted(filters.keys() - (register.filters or {}).keys())
        if unknown:
            raise CommandError(
                f"{register.name} 不支持筛选 {unknown} / no such filter for this kind"
            )
        out: Path = options["out"]
        file_format = options["format"] or ("xlsx" if out.suffix == ".xlsx" else "csv")
        count = write_register(
            register=register,
            path=out,
            file_format=file_format,
            scope=self.scope(options),
            filters=filters,
        )
        self.stdout.write(f"{register.name}: {count} 行 rows → {out}")
