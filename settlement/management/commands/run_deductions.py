"""`run_deductions`: bring posted deductions up to date."""

from __future__ import annotations

import argparse
import os
import socket
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, SYSTEM, ProjectCommand, now, progress
from config.kernel.models import SCOPE_ALL, Run
from config.kernel.services import work
from loans.values.errors import DomainError
from loans.values.money import grouped_yuan
from settlement.management import plan_table
from settlement.selectors import papers
from settlement.selectors.plans import last_planned_on
from settlement.services import deductions, plans, pre_allocations
from settlement.services.checked_runs import Begun, begin_plans, begin_run
from settlement.services.guarantee_postings import (
    NO_FEES,
    PostedGuarantees,
    post_guarantee_subsidies,
)
from settlement.services.schemes import terms_in_force

NAMED_MAX = 3


class Command(ProjectCommand):
    """See `--help`."""

    permitted = MAKERS
    help = "计算并入账贴息，可重复、可中断、可并行 / compute and post deductions; repeat it as you like"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which part to post."""
        super().add_arguments(parser)
        parser.add_argument("--scheme", help="只入账此政策 / post only this scheme")
        parser.add_argument(
            "--through",
            type=date.fromisoformat,
            help="截至收息日（含）/ collections up to this day",
        )
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--post", action="store_true", help="直接入账（默认）/ post (default)")
        way.add_argument(
            "--plan", action="store_true", help="编制结息日计划 / plan interest not collected yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Plan, or run and print what was looked at and posted; what a rule refuses exits 1."""
        try:
            if options["plan"]:
                self._plan(options)
            else:
                self._run(options)
        except DomainError as refused:
            raise CommandError(refused.message) from refused

    def _run(self, options: dict[str, Any]) -> None:
        scheme = options["scheme"]
        if scheme is not None and scheme not in terms_in_force().scheme_ids:
            raise CommandError(
                f"未装载的贴息政策：{scheme} / unknown scheme: run load_schemes first"
            )
        scope = self.scope(options)
        self._finish_open_runs()
        self._book_receipts(scope)
        begun = begin_run(
            actor=self.actor(options),
            clock=now,
            through=options["through"],
            scheme=scheme,
            scope=None if scope == SCOPE_ALL else scope,
        )
        if begun is None:
            self.stdout.write("没有已收利息 / no interest collected yet")
            self._post_guarantees(options, scope=scope)
        else:
            self._print_duplicates(begun, scope)
            self._print(begun.run, self._work(begun.run.run_id))
        self._print_papers(scope)

    def _print_duplicates(self, begun: Begun, scope: tuple[int, int]) -> None:
        if begun.why_not:
            self.stderr.write(begun.why_not)
        if (
            begun.checked and begun.checked.changes and scope == SCOPE_ALL
        ):  # the counts are of every bank
            self.stdout.write(
                f"重复贴息核查 duplicates: {begun.checked.said()}；见“重复贴息核查”，或导出 findings"
                " / see Duplicate findings, or export findings"
            )

    def _print(self, started: deductions.Started, counts: dict[str, Any]) -> None:
        self.stdout.write(
            f"run {started.run_id} 截至 through {started.through}: "
            f"认定变化 labels changed {started.labels_changed}, 涉及企业 enterprises "
            f"{started.enterprises}, 重算收息 collections recomputed {counts.get('collections', 0)}, "
            f"原始 originals {counts.get('originals', 0)}, "
            f"差额 differences {counts.get('differences', 0)}"
        )
        if counts.get("held"):
            self.stdout.write(
                f"待资金到位 held for want of funds: {counts['held']} 笔 rows；预拨到账后重新运行 / run again after the next pre-allocation"
            )
        if counts.get("blocked"):
            self.stdout.write(
                f"因核查事项暂停 blocked by findings: {counts['blocked']} 笔 rows；两人判定“不属实”后重新运行即入账"
                " / posted by the next run once two people have dismissed them"
            )
        self._print_fees(counts.get("fees", NO_FEES))
        if counts.get("proposed"):
            self.stdout.write(
                f"核减待决定 disallowances proposed as clawbacks: {counts['proposed']} 笔；"
                "由另一人在“追回”中决定 / another person decides them under Clawbacks"
            )
        if counts.get("beyond_paid"):
            self.stdout.write(
                f"核减超过该月已贴息且未追回的金额，未提出 disallowed beyond what is left of the month, "
                f"not proposed: {'；'.join(counts['beyond_paid'])}"
            )

    def _print_papers(self, scope: tuple[int, int]) -> None:
        """Papers that are missing change no amount; whoever runs is told all the same."""
        lacking = papers.notes_lacking(scope=scope)
        if lacking:
            self.stdout.write(
                f"缺资料 papers missing: {lacking} 笔借据×政策 notes × schemes；"
                "见“缺资料借据”，或导出 missing-papers / see Notes lacking papers, or export missing-papers"
            )
        gaps = papers.institution_gaps(scope=scope)
        if gaps:
            named = "；".join(
                f"{gap.institution_name} {gap.scheme_code} {papers.kind_name(gap.kind)}"
                for gap in gaps[:NAMED_MAX]
            )
            self.stdout.write(f"机构缺资料 papers of institutions missing: {len(gaps)}（{named}…）")

    def _post_guarantees(self, options: dict[str, Any], *, scope: tuple[int, int]) -> None:
        """Guarantee-fee subsidies (D17) wait for no interest; where there is some, the run posts them."""
        posted = post_guarantee_subsidies(
            actor=self.actor(options),
            at=now(),
            through=options["through"],
            scheme=options["scheme"],
            scope=scope,
        )
        self._print_fees(posted)

    def _print_fees(self, posted: PostedGuarantees) -> None:
        if posted != NO_FEES:
            self.stdout.write(
                f"担保费补贴 guarantee fees: 原始 originals {posted.originals}, 差额 differences "
                f"{posted.differences}, {grouped_yuan(posted.amount_fen)} 元 yuan, 待资金 held {posted.held}"
            )

    def _book_receipts(self, scope: tuple[int, int]) -> None:
        """What finance paid ahead comes first, where a checker stands in for the second person.

        Only of what commands brought in: what a person entered waits for another one all the same.
        """
        checker = self.checker()
        if checker is not None:
            booked = pre_allocations.book_pre_allocations(
                actor=checker, at=now(), made_by=SYSTEM, scope=scope
            )
            if booked.receipts:
                self.stdout.write(
                    f"预拨入账 pre-allocations booked: {booked.receipts} 笔, {grouped_yuan(booked.amount_fen)} 元 yuan"
                )
            for document in booked.strange:
                self.stderr.write(
                    f"预拨未入账：政策没有该资金层级，请冲回后重新登记 / not booked, the scheme does not pay this "
                    f"tier: reverse and enter it again: {document}"
                )
            for short in booked.short:
                self.stderr.write(
                    f"预拨未入账 not booked: {short.document_number}: {short.refusal}"
                )

    def _plan(self, options: dict[str, Any]) -> None:
        """Draft plans; checked and reserved where a checker stands in for the second person."""
        if options["scheme"] is not None:
            raise CommandError("计划涵盖全部政策，不能与 --scheme 合用 / plans cover every scheme")
        self._book_receipts(self.scope(options))
        through = options["through"] or last_planned_on()
        made: list[int] = []
        if through is not None:
            planned = begin_plans(
                through=through, scope=self.scope(options), actor=self.actor(options), clock=now
            )
            made = planned.plan_ids
            if planned.why_not:
                self.stderr.write(planned.why_not)
        for plan_id in made:
            if (checker := self.checker()) is not None:
                plans.check_plan(plan_id=plan_id, actor=checker, at=now())
            self.stdout.write(plan_table.shown(plan_id))
        if not made:
            self.stdout.write("没有新的计划 / nothing new to plan")

    def _finish_open_runs(self) -> None:
        """Whatever an interrupted run left is done first."""
        for run_id in work.open_runs(kind=deductions.KIND):
            self._work(run_id)

    def _work(self, run_id: int) -> dict[str, Any]:
        owner = f"{socket.gethostname()}:{os.getpid()}"
        with progress("贴息 deductions") as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            counts = deductions.work_run(run_id=run_id, owner=owner, clock=now, progress=show)
        if Run.objects.get(pk=run_id).state == Run.State.FAILED:
            raise CommandError(
                f"run {run_id} 有失败的分块 / has failed chunks: see Chunk in the admin"
            )
        return counts
