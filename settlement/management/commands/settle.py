"""`settle`: draft the annual settlement of a scheme, or a part of it, at each fund institution."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from settlement.management.settlement_drafts import DraftCommand
from settlement.services.settlements import Ask

YEARS = range(2000, 2101)


def _year(text: str) -> int:
    if not text.isdecimal() or int(text) not in YEARS:
        raise argparse.ArgumentTypeError(f"年度 / a year of {YEARS[0]}–{YEARS[-1]}: {text}")
    return int(text)


class Command(DraftCommand):
    """See `--help`."""

    help = (
        "起草年度结算，可分期、可重复 / draft annual settlements, in parts; repeat it as you like"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which scheme, year and part."""
        super().add_arguments(parser)
        parser.add_argument("--scheme", required=True, help="贴息政策代码 / scheme code")
        parser.add_argument("--year", type=_year, required=True, help="结算年度 / year to settle")
        parser.add_argument(
            "--through",
            type=date.fromisoformat,
            help="只含截至此日的入账（含），分期结算 / only what was posted by this day: a part",
        )
        parser.add_argument(
            "--final",
            action="store_true",
            help="年度末次：提交后该年度关闭 / the year's last part: submitting it closes the year",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Draft, and print one line per institution and tier."""
        if options["final"] and options["through"]:
            raise CommandError(
                "末次结算须包括全部入账：--final 与 --through 不能同用"
                " / the last part takes everything: not --final with --through",
                returncode=2,
            )
        ask = Ask(options["year"], is_final=options["final"], posted_through=options["through"])
        self.draft_everywhere(options, ask)
