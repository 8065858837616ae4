"""`report CODE --period P --institution CODE [--scheme CODE] --out FOLDER`: one report as files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now, progress
from loans.values.errors import DomainError
from loans.values.money import yuan_from_fen
from reports.definitions.period import FORMS
from reports.management.growth import growth
from reports.models import Report
from reports.services import asking, generation, storing
from reports.services.catalogue import BUILDERS

AMOUNTS = ("yuan", "wan")


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = "生成一份报表：xlsx、pdf、csv / make one report: xlsx, pdf, csv"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which report, about what, and where to."""
        super().add_arguments(parser)
        parser.add_argument("code", metavar="CODE", help=", ".join(BUILDERS))
        parser.add_argument("--period", required=True, help=FORMS)
        parser.add_argument("--scheme", help="贴息政策代码，默认全部 / scheme code, default all")
        parser.add_argument(
            "--growth",
            type=growth,
            help="annual-demand：申报的新增放款增长率(%%)，沿用至另行申报 / stated growth of lending in percent, kept until another is stated",
        )
        parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, or say in one line why not."""
        if not options["institution"]:
            raise CommandError(
                "请用 --institution 指定机构 / say which institution with --institution",
                returncode=2,
            )
        self.scope(options)
        try:
            asked = asking.read(
                code=options["code"],
                period_code=options["period"],
                institution_code=options["institution"],
                scheme_code=options["scheme"],
                growth_ppm=options["growth"],
            )
            with progress(f"报表 {options['code']}") as bar:
                made = generation.generate(
                    code=options["code"],
                    asked=asked,
                    actor=self.actor(options),
                    at=now(),
                    checker=self.checker(),
                    progress=bar.update,
                )
            paths = storing.hand_out(report_id=made.report_id, folder=options["out"])
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        except OSError as error:
            raise CommandError(
                f"无法写入 {options['out']} / cannot write there: {error.strerror}"
            ) from error
        self._tell(Report.objects.get(pk=made.report_id), paths, is_new=made.is_new)

    def _tell(self, report: Report, paths: list[Path], *, is_new: bool) -> None:
        """Paths, totals and ties."""
        told = "新生成 new" if is_new else "内容未变 unchanged"
        if is_new and report.corrects is not None:
            told = f"更正第 {report.corrects.version} 版 corrects version {report.corrects.version}"
        self.stdout.write(
            f"报表 report #{report.pk} 第 {report.version} 版 version, {report.get_state_display()} "
            f"{report.state}, {told}"
        )
        for path in paths:
            self.stdout.write(str(path))
        for total in report.totals:
            amount = total["kind"] in AMOUNTS
            value = f"{yuan_from_fen(total['value'])} 元 yuan" if amount else f"{total['value']:,}"
            self.stdout.write(f"合计 total {total['table']} · {total['column']}: {value}")
        for tie in report.ties:
            self.stdout.write(f"勾稽 ties {tie['name']}: {yuan_from_fen(tie['fen'])} 元 yuan ✓")
