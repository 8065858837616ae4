"""`match_exchange FILE`: what another bank's exchange file says of our own subsidised notes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now
from loans.values.errors import DomainError
from settlement.management.tables import table
from settlement.selectors.findings import exchanged_with
from settlement.services.duplicates import check_duplicates
from settlement.services.exchange_files import ExchangeRefused, take_file

HEADER = ["事项 finding", "规则 rule", "借据 note", "冲突政策 conflict with", "询问 ask"]


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = (
        "接收他行交换文件并比对：全部成功或全部不保存；冲突登记为核查事项"
        " / take another bank's exchange file, all or nothing, and keep what conflicts as findings"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The file, how to read it, and whose it is if it has no rows."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--encoding", help="强制编码，如 gb18030 / force an encoding")
        parser.add_argument("--bank", default="", help="来源银行（空文件须填）/ whose file it is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it in and check, or print every problem and exit 1."""
        self.require_everywhere(options)
        if not options["file"].is_file():
            raise CommandError(f"没有这个文件：{options['file']} / no such file", returncode=2)
        at = now()
        try:
            taken = take_file(
                path=options["file"],
                actor=self.actor(options),
                at=at,
                encoding=options["encoding"],
                bank_code=options["bank"],
            )
        except ExchangeRefused as refused:
            for problem in refused.problems:
                self.stderr.write(str(problem))
            raise CommandError(refused.message) from refused
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        check_duplicates(at=at)
        found = exchanged_with(bank_code=taken.bank_code)
        known = "（已接收过 known already）" if taken.is_known else ""
        self.stdout.write(f"exchange {taken.bank_code}: {taken.rows} 行 rows{known}")
        if found:
            self.stdout.write(table(HEADER, found))
        self.stdout.write(f"冲突 conflicts {len(found)}")
