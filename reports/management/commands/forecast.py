"""`forecast --period P --institution CODE`: what interest days will need, and what must arrive before them."""

from __future__ import annotations

import argparse
from typing import Any

import polars as pl
from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand
from config.kernel.models import Institution
from loans.values.errors import DomainError
from loans.values.money import grouped_yuan
from reports.definitions.period import FORMS, Period, parse
from reports.definitions.sheet import Column, Table
from reports.management.growth import growth
from reports.services.build_annual_demand import Assumed, build
from reports.services.catalogue import Asked
from settlement.management.tables import table

SHOWN = ("summary", "by_day")


def _period(text: str) -> Period:
    found = parse(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"报告期 / a period as {FORMS}: {text}")
    return found


def _year(text: str) -> int:
    found = parse(text)
    if found is None or not found.is_year:
        raise argparse.ArgumentTypeError(f"年度 / a year: {text}")
    return found.start.year


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "按结息日预测贴息资金需求和须预拨金额"
        " / what interest days will need, and what must arrive before each"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which days, whose, and what is assumed."""
        super().add_arguments(parser)
        parser.add_argument("--period", type=_period, required=True, help=FORMS)
        parser.add_argument("--scheme", help="贴息政策代码，默认全部 / scheme code, default all")
        lending = parser.add_mutually_exclusive_group()
        lending.add_argument(
            "--growth",
            type=growth,
            default=0,
            metavar="PERCENT",
            help="新增放款比基年同月增长(%%)，默认 0 / expected growth of lending, default 0",
        )
        lending.add_argument(
            "--existing-only",
            action="store_true",
            help="只计现有贷款 / no lending to come",
        )
        parser.add_argument(
            "--base-year", type=_year, help="基年，默认上年 / base year, default the year before"
        )
        parser.add_argument(
            "--quarterly",
            action="store_true",
            help="看不出结息频率的借据按季，默认按月 / notes of unknown rhythm pay quarterly",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print need and gap by fund, then by interest day, and every assumption."""
        assumed = Assumed(
            growth_ppm=None if options["existing_only"] else options["growth"],
            base_year=options["base_year"],
            rhythm="quarterly" if options["quarterly"] else "monthly",
        )
        try:
            sheet = build(self._asked(options), assumed=assumed)
        except DomainError as refused:
            raise CommandError(refused.message) from refused
        heading = sheet.heading
        self.stdout.write(f"{heading.institution_name} {heading.period_zh} 单位：元 yuan")
        for one in sheet.tables:
            if one.key in SHOWN:
                self.stdout.write(f"\n{one.title_zh}\n{_lines(one)}")
        self.stdout.write("\n" + "\n".join(sheet.footnotes))

    def _asked(self, options: dict[str, Any]) -> Asked:
        if not options["institution"]:
            raise CommandError(
                "请用 --institution 指定机构 / say which institution with --institution",
                returncode=2,
            )
        scope = self.scope(options)
        place = Institution.objects.get(code=options["institution"])
        return Asked(
            period=options["period"],
            institution_id=place.pk,
            institution_code=place.code,
            institution_name=place.name,
            scope=scope,
            scheme_code=options["scheme"],
        )


def _lines(one: Table) -> str:
    frame = pl.concat(one.parts())
    columns = [column for column in one.columns if column.key != "scheme_zh"]
    lines = [
        [_text(column, row[column.key]) for column in columns]
        for row in frame.iter_rows(named=True)
    ]
    total = [
        grouped_yuan(int(frame[column.key].sum())) if column.total else "" for column in columns
    ]
    return table([column.title_zh for column in columns], [*lines, ["合计 total", *total[1:]]])


def _text(column: Column, value: Any) -> str:
    if value is None:
        return "—"
    return grouped_yuan(value) if column.kind == "wan" else str(value)
