"""What the payment system answers: a file of results, matched with the attempts, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from config.kernel.models import SCOPE_ALL
from loans.services.outside_files import payout_problem, read_payout_results
from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.models import PayoutAttempt, PayoutResult
from settlement.services import province_events

TOLD = ("result", "paid_on", "reference", "amount_fen", "reason")
DIGITS_MAX = 18

Wrong = tuple[str, str, str]  # column, value, what is wrong and what to do


class ResultsRefused(DomainError):
    """A file of results was refused whole; `problems` lists every reason, by row and column."""

    def __init__(self, problems: list[Any]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.row)
        super().__init__(
            "results_refused",
            bilingual(
                f"文件有 {len(problems)} 处错误，未保存任何数据",
                f"{len(problems)} problems: nothing of the file was saved",
            ),
        )


@dataclass(frozen=True)
class Taken:
    """What a file of results did: its rows, and how many of them were new."""

    rows: int
    inserted: int


@transaction.atomic
def take_results(
    *,
    path: Path,
    actor: str,
    at: datetime,
    scope: tuple[int, int] = SCOPE_ALL,
    encoding: str | None = None,
) -> Taken:
    """Take a file of results in, whole or not at all; what is known already changes nothing.

    Raises ResultsRefused with every problem of the file.
    """
    read = read_payout_results(path=path, encoding=encoding)
    if read.problems:
        raise ResultsRefused(read.problems)
    attempts = _attempts(read.rows, scope)
    new: dict[int, PayoutResult] = {}
    problems = []
    for row in read.rows:
        attempt = attempts.get((row["payout"], row["attempt"]))
        wrong = list(_wrong(row, attempt))
        problems += [
            payout_problem(row=row["row"], column=column, value=value, message=message)
            for column, value, message in wrong
        ]
        if attempt is not None and not wrong and not hasattr(attempt, "outcome"):
            new[attempt.pk] = _result(row, attempt, actor, at)
    if problems:
        raise ResultsRefused(problems)
    _store(list(new.values()), at=at)
    return Taken(len(read.rows), len(new))


def _attempts(
    rows: list[dict[str, Any]], scope: tuple[int, int]
) -> dict[tuple[str, str], PayoutAttempt]:
    """The attempts that a file names, locked, by pay-out and attempt as the file writes them."""
    numbers = {
        int(row["payout"])
        for row in rows
        if row["payout"].isdecimal() and len(row["payout"]) <= DIGITS_MAX
    }
    within = PayoutAttempt.objects.filter(
        payout_id__in=numbers, institution_id__gte=scope[0], institution_id__lte=scope[1]
    )
    list(within.select_for_update().order_by("pk").values_list("pk"))
    found = within.select_related("batch", "outcome").order_by("pk")
    return {(str(one.payout_id), str(one.attempt)): one for one in found}


def _wrong(row: dict[str, Any], attempt: PayoutAttempt | None) -> Iterator[Wrong]:
    """Everything that keeps a row from being the result of its attempt."""
    if attempt is None:
        message = bilingual(
            "没有此拨付号的第几次拨付，请按批次文件填写",
            "no such attempt at a pay-out: copy both numbers from the batch's file",
        )
        yield "attempt", f"{row['payout']}/{row['attempt']}", message
        return
    if attempt.state in (PayoutAttempt.State.PREPARED, PayoutAttempt.State.REFUSED):
        message = bilingual(
            f"批次 {attempt.batch} {attempt.batch.get_state_display()}，未发出，不能有结果",
            f"its batch is {attempt.batch.state} and was not sent: check the numbers",
        )
        yield "attempt", row["attempt"], message
    if row["amount"] != attempt.amount_fen:
        sent = yuan_from_fen(attempt.amount_fen)
        message = bilingual(
            f"与拨付金额 {sent} 元不同，须整笔成功或失败",
            f"differs from the amount sent, {sent} yuan: all of it or none",
        )
        yield "amount", yuan_from_fen(row["amount"]), message
    if row["paid_on"] < attempt.batch.day:
        message = bilingual(
            f"早于批次的拨付日 {attempt.batch.day}，请核对日期",
            f"before the day of its batch, {attempt.batch.day}: check the date",
        )
        yield "paid_on", str(row["paid_on"]), message
    known = getattr(attempt, "outcome", None)
    if known is not None and _told(known) != _told(
        _result(row, attempt, "", attempt.batch.made_at)
    ):
        message = bilingual(
            f"已有结果：{known.get_result_display()}，{known.paid_on}，{known.reference}；结果不可更改，请核实",
            f"already {known.result} on {known.paid_on}: a result is never changed, clear it up first",
        )
        yield "result", row["result"], message


def _told(result: PayoutResult) -> tuple[Any, ...]:
    return tuple(getattr(result, name) for name in TOLD)


def _result(row: dict[str, Any], attempt: PayoutAttempt, actor: str, at: datetime) -> PayoutResult:
    return PayoutResult(
        institution_id=attempt.institution_id,
        note_id=attempt.note_id,
        attempt=PayoutAttempt(pk=attempt.pk),
        result=row["result"],
        paid_on=row["paid_on"],
        reference=row["reference"],
        amount_fen=row["amount"],
        reason=row["reason"] or "",
        actor=actor,
        at=at,
    )


def _store(results: list[PayoutResult], *, at: datetime) -> None:
    PayoutResult.objects.bulk_create(results)
    for told, state in (
        (PayoutResult.Result.SUCCEEDED, PayoutAttempt.State.PAID),
        (PayoutResult.Result.FAILED, PayoutAttempt.State.FAILED),
    ):
        ids = [one.attempt_id for one in results if one.result == told]
        PayoutAttempt.objects.filter(pk__in=ids).update(state=state)
    paid = [one.attempt_id for one in results if one.result == PayoutResult.Result.SUCCEEDED]
    province_events.payouts_succeeded(attempt_ids=paid, at=at)
