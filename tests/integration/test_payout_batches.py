"""Pay-outs sent in batches by two people, tried again when they fail, aged until they are paid (MF-25)."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from config.kernel.models import SCOPE_ALL
from loans.values.errors import DomainError
from settlement.models import Payout, PayoutAttempt, PayoutBatch, PayoutResult
from settlement.selectors.payout_states import standings
from settlement.services import payout_batches
from settlement.services.payout_results import ResultsRefused, Taken, take_results
from settlement.services.verification import verify
from tests.integration.book import AT, exported, read_csv, run
from tests.integration.small_book import SmallBook, agrees
from tests.integration.test_payouts import agree, book  # noqa: F401

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 12)
HEADER = "payout,attempt,result,paid_on,reference,amount,reason\n"


@pytest.fixture
def paid_out(book: SmallBook) -> SmallBook:  # noqa: F811
    """Two pay-outs of 1,000 yuan, due on 11 February and 11 March."""
    for month in (2, 3):
        book.collect("A", month)
    run()
    assert Payout.objects.count() == 2
    return book


def prepared(day: date = DAY) -> list[int]:
    return payout_batches.prepare(day=day, actor="maker", at=AT)


def sent(day: date = DAY) -> int:
    (batch,) = prepared(day)
    payout_batches.check_batch(batch_id=batch, actor="checker", at=AT)
    return batch


def results(folder: Path, *rows: tuple[Any, ...]) -> Taken:
    """Take a file of results in: pay-out, attempt, result, day, reference, amount, reason."""
    path = folder / "results.csv"
    path.write_text(HEADER + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return take_results(path=path, actor="system", at=AT)


def answer(number: int, result: str, attempt: int = 1, **changes: Any) -> tuple[Any, ...]:
    reason = "户名不符" if result == "failed" else ""
    row = {"payout": number, "attempt": attempt, "result": result, "paid_on": "2026-03-12"}
    row |= {"reference": f"P{number}-{attempt}", "amount": "1000.00", "reason": reason}
    return tuple((row | changes).values())


def everything() -> list[Any]:
    models = (Payout, PayoutBatch, PayoutAttempt, PayoutResult)
    return [list(model.objects.order_by("pk").values()) for model in models]


def states(day: date = DAY) -> dict[str, tuple[int, int, int, int]]:
    """State: count, fen, overdue count, oldest days."""
    return {
        one.state: (one.count, one.fen, one.overdue_count, one.oldest_days)
        for one in standings(day=day, scope=SCOPE_ALL)
    }


def ids() -> list[int]:
    return list(Payout.objects.order_by("pk").values_list("pk", flat=True))


def test_what_fails_is_tried_again_to_the_corrected_account(
    paid_out: SmallBook, tmp_path: Path
) -> None:
    first, second = ids()
    assert states() == {"waiting": (2, 200_000, 2, 29)}
    batch = sent()
    assert states() == {"sent": (2, 200_000, 2, 29)}
    assert results(tmp_path, answer(first, "succeeded"), answer(second, "failed")) == Taken(2, 2)
    assert states() == {"failed": (1, 100_000, 1, 1), "paid": (1, 100_000, 0, 0)}
    agree(paid_out, account_number="0033")
    again = sent(date(2026, 3, 13))
    tried = PayoutAttempt.objects.order_by("pk").values_list(
        "batch_id", "payout_id", "attempt", "account_number", "amount_fen", "state"
    )
    assert list(tried) == [
        (batch, first, 1, "0032", 100_000, "paid"),
        (batch, second, 1, "0032", 100_000, "failed"),
        (again, second, 2, "0033", 100_000, "sent"),
    ]
    assert results(tmp_path, answer(second, "succeeded", 2, paid_on="2026-03-14")) == Taken(1, 1)
    assert states(date(2026, 4, 1)) == {"paid": (2, 200_000, 0, 0)}
    shown = [(r["state"], r["attempt"], r["days_overdue"]) for r in exported("payouts", tmp_path)]
    assert shown == [("paid", "1", "29"), ("paid", "2", "3")]
    assert prepared(date(2026, 4, 1)) == []
    assert agrees()


def test_a_batch_is_made_once_and_by_two(paid_out: SmallBook) -> None:
    (batch,) = prepared()
    assert prepared() == []
    before = everything()
    with pytest.raises(DomainError, match="须由他人复核"):
        payout_batches.check_batch(batch_id=batch, actor="maker", at=AT)
    with pytest.raises(DomainError, match="请填写原因"):
        payout_batches.refuse_batch(batch_id=batch, actor="checker", at=AT, comment=" ")
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutBatch.objects.filter(pk=batch).update(state="sent", checked_by="maker", checked_at=AT)
    assert everything() == before
    payout_batches.refuse_batch(batch_id=batch, actor="checker", at=AT, comment="户名有误")
    with pytest.raises(DomainError, match="不是待复核状态"):
        payout_batches.check_batch(batch_id=batch, actor="checker", at=AT)
    (other,) = prepared()
    assert list(PayoutAttempt.objects.order_by("pk").values_list("batch_id", "attempt")) == [
        (batch, 1), (batch, 1), (other, 2), (other, 2),
    ]  # fmt: skip
    assert agrees()


def test_the_database_keeps_one_attempt_under_way(paid_out: SmallBook) -> None:
    sent()
    row = PayoutAttempt.objects.order_by("pk").values()[0]
    row |= {"id": None, "attempt": 2}
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutAttempt.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutAttempt.objects.create(**(row | {"attempt": 1, "state": "failed"}))


def test_the_file_of_a_batch_is_the_same_each_time(paid_out: SmallBook, tmp_path: Path) -> None:
    (batch,) = prepared()
    out = tmp_path / "batch.csv"
    export = ("export", "payouts", "--batch", str(batch), "--out", str(out))
    with pytest.raises(CommandError, match="须复核通过后才能导出"):
        call_command(*export, stdout=io.StringIO())
    assert not out.exists()
    payout_batches.check_batch(batch_id=batch, actor="checker", at=AT)
    call_command(*export, stdout=io.StringIO())
    once = out.read_bytes()
    first, second = ids()
    results(tmp_path, answer(first, "succeeded"), answer(second, "failed"))
    agree(paid_out, account_number="0033")
    call_command(*export, stdout=io.StringIO())
    assert out.read_bytes() == once
    listed = [(r["payout"], r["account_number"], r["amount"]) for r in read_csv(out)]
    assert listed == [(str(first), "0032", "1000.00"), (str(second), "0032", "1000.00")]


WRONG = [
    ({"payout": 999_999}, "没有此拨付号"),
    ({"attempt": 2}, "没有此拨付号"),
    ({"amount": "999.99"}, "与拨付金额"),
    ({"paid_on": "2026-03-11"}, "早于批次的拨付日"),
    ({"result": "failed", "reason": ""}, "须填写原因"),
    ({"result": "lost"}, "lost"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_wrong_result_is_named_and_nothing_is_kept(
    paid_out: SmallBook, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    sent()
    before = everything()
    first, second = ids()
    said = zip(HEADER.strip().split(","), answer(first, "succeeded"), strict=True)
    changed = tuple((dict(said) | changes).values())
    with pytest.raises(ResultsRefused) as refused:
        results(tmp_path, answer(second, "succeeded"), changed)
    (problem,) = refused.value.problems
    assert message in str(problem)
    assert str(problem).startswith("row 3, column ")
    assert everything() == before


def test_results_are_told_once(paid_out: SmallBook, tmp_path: Path) -> None:
    first, _ = ids()
    with pytest.raises(ResultsRefused, match="未保存任何数据"):
        results(tmp_path, answer(first, "succeeded"))
    sent()
    assert results(tmp_path, answer(first, "succeeded")) == Taken(1, 1)
    assert results(tmp_path, answer(first, "succeeded")) == Taken(1, 0)
    before = everything()
    with pytest.raises(ResultsRefused) as refused:
        results(tmp_path, answer(first, "failed"))
    assert "已有结果" in str(refused.value.problems[0])
    assert everything() == before


def test_the_commands_batch_answer_and_sum_up(paid_out: SmallBook, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command("payouts", "--day", "2026-03-12", stdout=out)
    assert "已复核发出 sent" in out.getvalue()
    assert out.getvalue().splitlines()[-1].split()[-5:] == ["2", "2,000.00", "2", "2,000.00", "29"]
    first, second = ids()
    path = tmp_path / "results.csv"
    rows = (answer(first, "succeeded"), answer(second, "failed"))
    path.write_text(HEADER + "".join(",".join(map(str, row)) + "\n" for row in rows))
    out = io.StringIO()
    call_command("payout_results", str(path), stdout=out)
    assert "payout-results: 2 行 rows, 新增 new 2" in out.getvalue()
    path.write_text(HEADER + ",".join(map(str, answer(first, "failed"))) + "\n")
    err = io.StringIO()
    with pytest.raises(CommandError, match="未保存任何数据"):
        call_command("payout_results", str(path), stderr=err)
    assert err.getvalue().startswith("row 2, column result (结果)")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_batch(paid_out: SmallBook) -> None:
    def attempt(_: int) -> int:
        try:
            return len(prepared())
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(8))) == [0] * 7 + [1]
    assert PayoutAttempt.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE settlement_payoutattempt SET amount_fen = 1", "拨付金额与应拨付不符"),
        ("UPDATE settlement_payoutattempt SET state = 'failed'", "拨付状态与批次、结果不符"),
        ("UPDATE settlement_payoutresult SET amount_fen = 1", "结果与所发拨付不符"),
        ("UPDATE settlement_payoutbatch SET count = 3", "批次与其明细不符"),
        ("UPDATE settlement_payoutattempt SET attempt = 2", "前次拨付未失败即再次拨付"),
    ],
)
def test_verify_names_what_a_superuser_rewrote(
    paid_out: SmallBook,
    tmp_path: Path,
    owner_connection: psycopg.Connection,
    change: str,
    found: str,
) -> None:
    sent()
    first, second = ids()
    results(tmp_path, answer(first, "succeeded"), answer(second, "succeeded"))
    assert verify().problems == []
    with owner_connection.transaction():
        for table in ("payoutbatch", "payoutresult"):
            owner_connection.execute(f"ALTER TABLE settlement_{table} DISABLE TRIGGER USER")
        owner_connection.execute(change)
    assert any(problem.startswith(found) for problem in verify().problems)
