"""`export KIND --out FILE`: one register as CSV or XLSX."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, progress
from config.kernel.services.export import write_register
from loans.values.errors import DomainError
from settlement.resources import REGISTERS
from settlement.services.exchange import refresh_entries
from settlement.services.exchange_files import bank_of
from settlement.services.payout_batches import write_batch
from settlement.services.schemes import terms_in_force


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
        parser.add_argument("--batch", type=int, help="拨付批次号，仅 payouts / batch of payouts")
        parser.add_argument("--until", type=date.fromisoformat, help="收息日止 / collected to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, whole or not at all."""
        out: Path = options["out"]
        file_format = options["format"] or ("xlsx" if out.suffix == ".xlsx" else "csv")
        if options["batch"] is not None:
            self._batch(options, out, file_format)
            return
        register = REGISTERS[options["kind"]]
        filters = {k: options[k] for k in ("scheme", "since", "until") if options[k] is not None}
        unknown = sorted(filters.keys() - (register.filters or {}).keys())
        if unknown:
            raise CommandError(
                f"{register.name} 不支持筛选 {unknown} / no such filter for this kind"
            )
        if filters.get("scheme") not in (None, *terms_in_force().scheme_ids):
            raise CommandError(f"未装载的贴息政策：{filters['scheme']} / unknown scheme")
        if filters.get("since", date.min) > filters.get("until", date.max):
            raise CommandError("收息日起晚于收息日止 / --since is later than --until")
        if register.name == "exchange":
            self._exchange(options)
        try:
            with progress(register.title_zh) as bar:
                count = write_register(
                    register=register,
                    path=out,
                    file_format=file_format,
                    scope=self.scope(options),
                    filters=filters,
                    progress=bar.update,
                )
        except OSError as error:
            raise CommandError(f"无法写入 {out} / cannot write there: {error.strerror}") from error
        self.stdout.write(f"{register.name}: {count} 行 rows → {out}")

    def _exchange(self, options: dict[str, Any]) -> None:
        """Bring what is told of our notes up to date; a file is of one whole bank."""
        try:
            bank_of(scope=self.scope(options))
            refresh_entries()
        except DomainError as refused:
            raise CommandError(refused.message) from refused

    def _batch(self, options: dict[str, Any], out: Path, file_format: str) -> None:
        """Write the file of one batch of pay-outs."""
        others = [k for k in ("scheme", "since", "until") if options[k] is not None]
        if options["kind"] != "payouts" or others:
            raise CommandError(
                "--batch 只用于 payouts，且不能与其他筛选同用 / --batch is for payouts, alone",
                returncode=2,
            )
        try:
            count = write_batch(
                batch_id=options["batch"],
                path=out,
                file_format=file_format,
                scope=self.scope(options),
            )
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        except OSError as error:
            raise CommandError(f"无法写入 {out} / cannot write there: {error.strerror}") from error
        self.stdout.write(f"payouts #{options['batch']}: {count} 行 rows → {out}")
