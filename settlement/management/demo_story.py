"""What the demo adds to the shipped sample only: a planned day, a correction, a clawback.

Each is taken back at the end, so that the sample's subsidies stay what they are without it.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db.models import Sum

from config.kernel.management.base import now
from config.kernel.services.second_person import CHECKER
from settlement.management.tables import yuan
from settlement.models import Clawback, ClawbackMovement, Deduction, Plan, PlannedDeduction
from settlement.services import clawback_movements, ended_plans
from settlement.services.clawback_movements import Payment

BANK, NOTE = "C0021320100000", "JJ72300000180"
REPAID_ON, REPAID = date(2026, 5, 10), 4_000_000  # yuan
PLANNED = ("2028-03-21", "2028-04-20", "150000.00")
WHY = "演示：借款人已提前结清，作废 / demo: paid off early, voided"


def planned_day() -> Iterator[str]:
    """A day planned before its interest is collected: checked, reserved, and voided."""
    start, end, due = PLANNED
    _enter(
        "interest-collections",
        "period_start,period_end,interest_due,interest_paid,collected_on,reference",
        f"{start},{end},{due},,{end},演示计划-1",
    )
    quiet: dict[str, Any] = {"stdout": io.StringIO()}
    call_command("run_deductions", "--plan", "--through", end, **quiet)
    plan = Plan.objects.latest("pk")
    rows = PlannedDeduction.objects.filter(plan=plan)
    reserved = sum(row.central_reserved_fen + row.provincial_reserved_fen for row in rows)
    yield (
        f"结息日计划 plan {end}: {rows.count()} 笔 deductions, {yuan(plan.planned_fen)} 元 yuan, 已复核 "
        f"checked, 预留 reserved {yuan(reserved)}"
    )
    ids = list(rows.values_list("pk", flat=True))
    count = ended_plans.void_planned(ids=ids, actor=CHECKER, at=now(), why=WHY)
    yield f"未收息，作废 not collected, voided: {count} 笔，预留已释放 its money is free again"


def correction(through: date) -> Iterator[str]:
    """A repayment told months late: differences, what the enterprise owes, and the repayment reversed."""
    before = _position()
    yield _told("补记还本 late repayment", REPAID, "演示还本-1", through, before)
    owed = Clawback.objects.get(note__note_number=NOTE, state="decided")
    part = owed.amount_fen // 2
    movement = clawback_movements.record_movement(
        clawback_id=owed.pk,
        kind=ClawbackMovement.Kind.RECEIVED,
        payment=Payment(through, part, "演示追回-1"),
        actor="system",
        at=now(),
    )
    clawback_movements.check_movement(movement_id=movement, actor=CHECKER, at=now())
    yield f"追回 clawback: 应追回 owed {yuan(owed.amount_fen)}, 已到账 received {yuan(part)} 元 yuan"
    after = _position()
    yield _told("冲回还本 repayment reversed", -REPAID, "演示还本-2", through, after)
    owed.refresh_from_db()
    assert _position() == before, (before, _position())
    yield f"重新代付，先抵扣未追回部分 paid again, of it offset {yuan(owed.offset_fen)}；净额还原 net as before ✓"


def _position() -> int:
    """What the note has been subsidised so far, in fen."""
    sums = Deduction.objects.filter(note__note_number=NOTE).aggregate(
        *(Sum(f"{tier}_fen") for tier in ("central", "provincial", "municipal"))
    )
    return sum(fen or 0 for fen in sums.values())


def _told(title: str, amount: int, reference: str, through: date, before: int) -> str:
    """Enter a repayment, run, and say what that changed."""
    rows_before = Deduction.objects.count()
    _enter("repayments", "repaid_on,amount,reference", f"{REPAID_ON},{amount}.00,{reference}")
    call_command("run_deductions", through=through, stdout=io.StringIO())
    return (
        f"更正 {title} {REPAID_ON} {amount:,} 元: 差额 differences "
        f"{Deduction.objects.count() - rows_before} 笔, {yuan(_position() - before)} 元 yuan"
    )


def _enter(kind: str, columns: str, row: str) -> None:
    """Bring in a file of one row about the note."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{kind}.csv"
        text = f"institution_code,note_number,{columns}\n{BANK},{NOTE},{row}\n"
        path.write_text(text, encoding="utf-8")
        call_command("import_data", kind, str(path), stdout=io.StringIO())
