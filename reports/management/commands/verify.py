"""`verify`: work everything out again from the evidence, and prove the reports that were kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, progress
from reports.services.verification import verify_papers, verify_reports
from settlement.services.verification import verify


class Command(ProjectCommand):
    """See `--help`."""

    help = "从凭证重算并核对已入账结果，不符则退出码为 1 / recompute from the evidence; exit 1 if it differs"

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was compared; list every disagreement and exit 1 if there is one."""
        self.require_everywhere(options)
        with progress("核对 verify") as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            found = verify(progress=show)
        kept = verify_reports()
        papers, paper_problems = verify_papers()
        problems = [*found.problems, *kept.problems, *paper_problems]
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} 处不符 / disagreements")
        waiting = (
            f"，{found.waiting} 户企业待重新计算 enterprises wait for a run"
            if found.waiting
            else ""
        )
        if found.blocked:
            waiting += f"，{found.blocked} 笔因核查事项暂停 rows blocked by findings"
        if found.waiting_openings:
            waiting += f"，{found.waiting_openings} 项期初数待入账 opening positions to book"
        if found.waiting_guarantees:
            waiting += (
                f"，{found.waiting_guarantees} 笔担保费补贴待入账 guarantee-fee subsidies to post"
            )
        if papers:
            waiting = f", {papers} 份资料 papers{waiting}"
        self.stdout.write(
            f"核对一致 verified: {found.labels} 个标签 labels, {found.collections} 笔收息 collections, "
            f"{found.rows} 行贴息 deductions, {found.entries} 笔分录 ledger entries, "
            f"{kept.reports} 份报表 reports, {kept.files} 个文件 files{waiting}"
        )
