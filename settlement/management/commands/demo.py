"""`demo`: the main job on real input, from an empty folder to money by scheme and tier."""

from __future__ import annotations

import argparse
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, now, progress
from config.kernel.models import Institution
from config.kernel.services.people import create_demo_users
from config.kernel.services.second_person import CHECKER
from loans.values.money import yuan_from_fen
from settlement.management import demo_story
from settlement.management.tables import table, yuan
from settlement.models import Purpose, Settlement, SettlementItem
from settlement.selectors import balances, receipts, summary
from settlement.services import settlement_decisions, settlements
from settlement.services.needs import computed_needs
from settlement.services.schemes import terms_in_force

HOST, PORT = "127.0.0.1", 8000
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
        port = chosen_port(os.environ.get("WEB_PORT", "")) if options["serve"] else 0
        started = time.monotonic()
        self._migrate()
        self._call("装载政策 schemes", "load_schemes")
        portfolio = str(options["portfolio"])
        self._call(f"导入 import {portfolio}", "import_portfolio", portfolio)
        self._run_years(is_sample=options["portfolio"].resolve() == settings.BASE_DIR / PORTFOLIO)
        self._call("重复贴息核查 duplicates", "check_duplicates")
        self._call("应享未享 missing labels", "missed_labels")
        self.stdout.write(self.style.MIGRATE_HEADING("== 报表 reports"))
        self._report()
        self._call("报送期限 deadlines", "deadlines")
        self._call("核对 verify", "verify")
        self._print_table()
        self._print_balances()
        self._print_ties()
        self.stdout.write(f"用时 took {time.monotonic() - started:.1f} s")
        if options["serve"]:
            self._serve(f"{HOST}:{port}")

    def _call(self, title: str, command: str, *arguments: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"== {title}"))
        call_command(command, *arguments, stdout=self.stdout, stderr=self.stderr)

    def _run_years(self, *, is_sample: bool) -> None:
        """Each year: finance pays ahead, every month with an interest day is run, and it is settled.

        The shipped sample also shows a correction in its first year, a planned day in its last, and
        finance paying what it found missing at each settlement.
        """
        needs = None if receipts.any_pre_allocation() else computed_needs(at=now())
        if needs is not None:
            self.stdout.write(
                f"没有预拨文件，按测算需求的 {SHARE_PERCENT}% 预拨 / no pre-allocations file: "
                f"{SHARE_PERCENT} % of each tier's computed need"
            )
        months = receipts.collection_months()
        years = sorted({month.year for month in months})
        for year in years:
            self.stdout.write(self.style.MIGRATE_HEADING(f"== {year} 年 year"))
            if needs is not None:
                self._pre_allocate(needs.filter(pl.col("year") == year), year)
            of_year = [month for month in months if month.year == year]
            if is_sample and year == years[-1]:
                self._tell(demo_story.planned_day())
            self._run_months(of_year)
            if is_sample and year == years[0]:
                self._tell(demo_story.correction(of_year[-1]))
            self._settle(year, pays_gap=is_sample and needs is not None)
        call_command("run_deductions", stdout=self.stdout, stderr=self.stderr)

    def _tell(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.stdout.write(line)

    def _pre_allocate(self, needs: pl.DataFrame, year: int) -> None:
        """Finance pays a share of the year's need ahead in January."""
        codes = dict(Institution.objects.values_list("pk", "code"))
        self._bring_in(
            Paid(
                one["scheme_code"], codes[one["institution_id"]], one["tier"], share, f"预拨{year}"
            )
            for one in needs.iter_rows(named=True)
            for share in [one["fen"] * SHARE_PERCENT // 100]
            if share
        )

    def _bring_in(self, paid: Iterable[Paid]) -> None:
        """Bring in a file of pre-allocations, if anything is paid."""
        header, *lines = _pre_allocations(paid)
        if not lines:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pre-allocations.csv"
            path.write_text("".join((header, *lines)), encoding="utf-8")
            call_command("import_data", "pre-allocations", str(path), stdout=self.stdout)

    def _run_months(self, months: list[date]) -> None:
        """Deductions month by month, one after the other."""
        quiet = io.StringIO()
        with progress("逐月代付 months", total=len(months)) as bar:
            for month in months:
                call_command("run_deductions", through=month, stdout=quiet, stderr=self.stderr)
                bar.update()
        self.stdout.write(f"逐月代付 deductions month by month: {len(months)} 个月 months")

    def _settle(self, year: int, *, pays_gap: bool) -> None:
        """January: what was used is settled in full, as if finance had approved and paid all of it."""
        drafts = io.StringIO()
        for code in terms_in_force().scheme_ids:
            call_command("settle", scheme=code, year=year, final=True, stdout=drafts)
        waiting = Settlement.objects.filter(state=Settlement.State.DRAFT, year=year)
        ids = list(waiting.order_by("pk").values_list("pk", flat=True))
        claimed = 0
        for settlement_id in ids:
            settlements.submit(settlement_id=settlement_id, actor=CHECKER, at=now())
            settlement_decisions.decide(
                settlement_id=settlement_id,
                approved=None,
                document_number=f"演示批复{year}",
                decided_on=now().date(),
                actor="system",
                at=now(),
            )
            settlement_decisions.book(settlement_id=settlement_id, actor=CHECKER, at=now())
            items = SettlementItem.objects.filter(settlement_id=settlement_id)
            claimed += sum(items.values_list("approved_fen", flat=True))
        self.stdout.write(
            f"年度结算 settled {year}: {len(ids)} 份 settlements, 认可 approved {yuan(claimed)} 元 yuan"
        )
        gaps = SettlementItem.objects.filter(settlement_id__in=ids, gap_fen__gt=0).order_by("pk")
        if pays_gap and gaps:
            gap = yuan(sum(gaps.values_list("gap_fen", flat=True)))
            self.stdout.write(f"缺口由财政补拨 gap, advanced by the bank, paid: {gap} 元 yuan")
            self._bring_in(
                Paid(
                    item.settlement.scheme.code,
                    item.institution.code,
                    item.fund.tier,
                    item.gap_fen,
                    f"结算补拨{year}",
                    item.fund.purpose,
                )
                for item in gaps.select_related("settlement__scheme", "institution", "fund")
            )

    def _report(self) -> None:
        """The ten papers of the bank and year with the most deductions, as files of every form."""
        found = summary.busiest()
        if found is None:
            return
        bank, year = found
        folder = settings.DATA_DIR / "reports"
        with progress("报表 reports", total=len(PAPERS)) as bar:
            for code in PAPERS:
                asked = {"period": str(year), "institution": bank, "out": folder}
                call_command("report", code, **asked, stdout=io.StringIO())
                bar.update()
        self.stdout.write(
            f"{bank} {year}: {len(PAPERS)} 种报表 kinds of reports, xlsx + pdf + csv → {folder}"
        )

    def _print_balances(self) -> None:
        """Who holds, owes and bears what, by scheme and tier."""
        header = ["资金 fund", "专户 special", "预拨 advance", "已代付 applied", "垫付 bank"]
        header += ["应收追回 receivable", "核减 disallowed", "合计 trial"]
        body = [
            [
                f"{line.scheme_code} {line.tier}",
                yuan(line.special_account_fen),
                yuan(line.treasury_advance_fen),
                yuan(line.subsidy_applied_fen),
                yuan(line.bank_advance_fen),
                yuan(line.clawback_receivable_fen),
                yuan(line.disallowed_fen),
                yuan(line.trial_fen),
            ]
            for line in balances.by_scheme_and_tier()
        ]
        self.stdout.write("\n余额 balances（借 − 贷 / debit − credit, 元 yuan）")
        self.stdout.write(table(header, body))

    def _print_ties(self) -> None:
        """What must be equal, each side added up from its own rows; a difference ends the demo."""
        for what, one, other in balances.ties():
            self.stdout.write(
                f"{what}: {yuan(one)} {'= ✓' if one == other else '≠ ✗'} {yuan(other)}"
            )
            if one != other:
                raise CommandError(f"不平 / does not tie: {what}")

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

    def _serve(self, address: str) -> None:
        bank = Institution.objects.filter(parent__isnull=True).order_by("code").first()
        password = create_demo_users(institution=bank)
        users = "maker, checker, manager, finance, auditor, administrator"
        self.stdout.write(f"\nhttp://{address}/  用户 users: {users}  密码 password: {password}")
        self.stdout.write(
            "checker、administrator 首次登录须用手机验证器绑定双重验证；没有手机 / these two set up a second"
            " factor at first, with an authenticator; without a phone: manage.py one_time_code KEY"
        )
        environment = {**os.environ, "TIEXI_ROLE": "app"}
        manage = str(settings.BASE_DIR / "manage.py")
        server = [sys.executable, manage, "runserver", address, "--noreload"]
        with _worker():
            try:
                subprocess.run(server, env=environment, check=False)
            except KeyboardInterrupt:
                self.stdout.write("已停止 / stopped")


def chosen_port(asked: str) -> int:
    """The port asked for; else the usual one, or any other if somebody else has it.

    A port that was asked for and cannot be had ends the demo before its work, not after it.
    """
    if asked and not (asked.isascii() and asked.isdigit() and 0 < int(asked) < 65_536):
        raise CommandError(f"WEB_PORT 须为端口号 / must be a port: {asked!r}")
    for port in (int(asked),) if asked else (PORT, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HOST, port))
            except OSError:
                continue
            return int(tried.getsockname()[1])
    raise CommandError(f"端口 {asked} 不可用 / port {asked} cannot be had: WEB_PORT")


@contextmanager
def _worker() -> Iterator[None]:
    """A worker with the clock's bells beside the web, so that what is ordered there is also made."""
    beat = ["--beat", f"--schedule={settings.DATA_DIR / 'beat'}", "--loglevel=WARNING"]
    command = [sys.executable, "-m", "celery", "--app=config.celery", "worker", "--concurrency=1"]
    environment = {**os.environ, "TIEXI_ROLE": "worker"}
    with subprocess.Popen([*command, *beat], cwd=settings.BASE_DIR, env=environment) as worker:
        try:
            yield
        finally:
            worker.terminate()


class Paid(NamedTuple):
    """What finance pays into one fund; what it is for ends in the year it is for."""

    scheme_code: str
    institution_code: str
    tier: str
    fen: int
    why: str
    purpose: str = Purpose.INTEREST


def _pre_allocations(paid: Iterable[Paid]) -> Iterator[str]:
    """The rows of a pre-allocations file: paid ahead in January, the gap in February of the next year."""
    yield "scheme_code,institution_code,tier,received_on,amount,document_number,purpose\n"
    for one in paid:
        year = int(one.why[-4:])
        day = f"{year}-01-04" if one.why.startswith("预拨") else f"{year + 1}-02-26"
        yield (
            f"{one.scheme_code},{one.institution_code},{one.tier},{day},{yuan_from_fen(one.fen)},"
            f"演示{one.why},{one.purpose}\n"
        )


TIERS = ("central", "provincial", "municipal")
SHARE_PERCENT = 80
PAPERS = (
    "new-loans", "monthly-execution", "monthly-application", "quarterly-payout", "annual-settlement",
    "annual-demand", "liquidation", "subsidy-register", "duplicate-check", "audit-pack",
)  # fmt: skip
