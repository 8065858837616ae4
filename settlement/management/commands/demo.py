"""`demo`: the main job on real input, from an empty folder to money by scheme and tier."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand
from config.kernel.models import Institution
from config.kernel.services.people import create_demo_users
from settlement.management.tables import table, yuan
from settlement.selectors import summary

ADDRESS = "127.0.0.1:8000"
PORTFOLIO = "tests/data/portfolio"


class Command(ProjectCommand):
    """See `--help`."""

    help = "演示：建库、装载政策、导入、计算、核对、打开网页 / the whole job on a sample portfolio"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to load and whether to serve."""
        super().add_arguments(parser)
        parser.add_argument(
            "--portfolio",
            type=Path,
            default=Path(os.environ.get("PORTFOLIO") or settings.BASE_DIR / PORTFOLIO),
            help="导入文件夹 / folder of files (PORTFOLIO)",
        )
        parser.add_argument(
            "--serve",
            type=int,
            choices=[0, 1],
            default=int(os.environ.get("SERVE") or 1),
            help="0 = 不打开网页 / do not serve (SERVE)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every step, print the table, then serve."""
        if not settings.AUTO_CHECK:
            raise CommandError(
                "演示只能在开发环境运行 / the demo runs in development settings only"
            )
        started = time.monotonic()
        self._migrate()
        for title, command, arguments in (
            ("装载政策 schemes", "load_schemes", []),
            (
                f"导入 import {options['portfolio']}",
                "import_portfolio",
                [str(options["portfolio"])],
            ),
            ("认定与贴息 assess + deductions", "run_deductions", []),
            ("核对 verify", "verify", []),
        ):
            self.stdout.write(self.style.MIGRATE_HEADING(f"== {title}"))
            call_command(command, *arguments, stdout=self.stdout, stderr=self.stderr)
        self._print_table()
        self.stdout.write(f"用时 took {time.monotonic() - started:.1f} s")
        if options["serve"]:
            self._serve()

    def _migrate(self) -> None:
        """The schema belongs to another role, so it is made by another process."""
        self.stdout.write(self.style.MIGRATE_HEADING("== 建库 migrate"))
        environment = {**os.environ, "TIEXI_ROLE": "owner"}
        manage = str(settings.BASE_DIR / "manage.py")
        subprocess.run(
            [sys.executable, manage, "migrate", "--verbosity", "0"], env=environment, check=True
        )

    def _print_table(self) -> None:
        sizes = summary.sizes()
        lines = summary.by_scheme()
        self.stdout.write(
            f"\n借据 notes {sizes['notes']:,} · 符合 eligible {sizes['eligible_notes']:,} · "
            f"收息 collections {sizes['collections']:,} · 入账行 posted rows {sizes['deductions']:,}\n"
        )
        header = ["政策 scheme", "标签 labels", "符合 eligible", "收息 collections"]
        header += ["中央 central", "省 provincial", "市 municipal", "合计 total (元 yuan)"]
        body = [
            [
                line.scheme_code,
                f"{line.labels:,}",
                f"{line.eligible:,}",
                f"{line.collections:,}",
                *(yuan(f) for f in (line.central_fen, line.provincial_fen, line.municipal_fen)),
                yuan(line.total_fen),
            ]
            for line in lines
        ]
        totals = [sum(getattr(x, f"{tier}_fen") for x in lines) for tier in TIERS]
        body.append(["合计 total", "", "", "", *map(yuan, totals), yuan(sum(totals))])
        self.stdout.write(table(header, body))

    def _serve(self) -> None:
        bank = Institution.objects.filter(parent__isnull=True).order_by("code").first()
        password = create_demo_users(institution=bank)
        users = "maker, checker, manager, finance, auditor, administrator"
        self.stdout.write(f"\nhttp://{ADDRESS}/  用户 users: {users}  口令 password: {password}")
        environment = {**os.environ, "TIEXI_ROLE": "app"}
        manage = str(settings.BASE_DIR / "manage.py")
        server = [sys.executable, manage, "runserver", ADDRESS, "--noreload"]
        try:
            subprocess.run(server, env=environment, check=False)
        except KeyboardInterrupt:
            self.stdout.write("已停止 / stopped")


TIERS = ("central", "provincial", "municipal")
