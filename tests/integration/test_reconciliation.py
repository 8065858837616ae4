"""Bank statements against the ledger, and the vouchers of a month, on real tables."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction

from config.kernel.models import SCOPE_ALL, Institution
from config.kernel.services.export import write_register
from loans.models import BankStatement
from settlement import tasks
from settlement.engine.reconciliation import Difference
from settlement.models import (
    DifferenceExplanation,
    LedgerLine,
    ReconciliationDifference,
    Scheme,
)
from settlement.resources import RECONCILIATION, VOUCHERS
from settlement.services.differences import (
    check_explanation,
    explain_difference,
    refuse_explanation,
)
from settlement.services.funds import FundKey
from settlement.services.reconciliation import (
    AccountKey,
    Known,
    Place,
    open_differences,
    reconcile_statements,
    record_differences,
)
from tests.integration import rows
from tests.integration.book import run
from tests.integration.rows import AT, BANK
from tests.integration.small_book import FIRST, TREE, SmallBook
from tests.integration.test_append_only import AsRole
from tests.integration.test_clawbacks import decided, move, refused
from tests.integration.test_ledger import DAY, paid, received

pytestmark = pytest.mark.django_db
ACCOUNT = AccountKey("test", BANK, "central")
ACCOUNT_PARTS = (BANK, "test", "central")
UNKNOWN = Difference("not_in_ledger", DAY, "C", 7)


@pytest.fixture
def key() -> FundKey:
    banks = rows.institutions()
    made = FundKey(banks[BANK].id, Scheme.objects.create(code="test", name="试验").pk, "central")
    received(made, 8_000)
    paid(made, 3_000)
    return made


def stated(amount: int, balance: int, reference: str, **fields: Any) -> None:
    of = {
        "institution": Institution.objects.get(code=BANK),
        "scheme_code": "test",
        "tier": "central",
    }
    BankStatement.objects.create(
        **of, moved_on=DAY, amount_fen=amount, balance_fen=balance, reference=reference, **fields
    )


def agreed() -> None:
    stated(-3_000, 5_000, "B")
    stated(8_000, 8_000, "A", summary="文号 1")


def entry_id(fen: int) -> str:
    of = LedgerLine.objects.filter(account="special_account")
    line = of.get(credit_fen=-fen) if fen < 0 else of.get(debit_fen=fen)
    return str(line.entry_id)


def by_id() -> list[ReconciliationDifference]:
    return list(ReconciliationDifference.objects.order_by("pk"))


def accepted(difference: ReconciliationDifference) -> None:
    said = explain_difference(difference_id=difference.pk, why="专户利息", actor="maker", at=AT)
    check_explanation(explanation_id=said, actor="checker", at=AT)


def test_a_statement_that_agrees(key: FundKey) -> None:
    agreed()
    (found,) = reconcile_statements(scope=SCOPE_ALL).values()
    assert [match.how for match in found.matches] == ["reference", "amount"]
    assert found.differences == ()


def test_a_missing_line_is_told(key: FundKey) -> None:
    stated(8_000, 8_000, "A", summary="文号 1")
    found = reconcile_statements(scope=SCOPE_ALL)[ACCOUNT]
    missing = Difference("not_on_statement", DAY, entry_id(-3_000), -3_000)
    assert (found.differences, found.waiting) == ((missing,), ())
    assert (found.bank_fen, found.ledger_fen) == (8_000, 5_000)
    assert reconcile_statements(scope=SCOPE_ALL, scheme="other") == {}
    assert reconcile_statements(scope=SCOPE_ALL, through=date(2026, 3, 1)) == {}


def test_an_unknown_line_is_told(key: FundKey) -> None:
    agreed()
    stated(7, 5_007, "C")
    assert reconcile_statements(scope=SCOPE_ALL)[ACCOUNT].differences == (UNKNOWN,)


def test_the_command_prints_a_balance_that_ties_and_fails(
    key: FundKey, capsys: pytest.CaptureFixture[str]
) -> None:
    agreed()
    stated(7, 5_007, "C")
    with pytest.raises(CommandError, match="1 处未说明的差异"):
        call_command("reconcile")
    told = capsys.readouterr()
    assert [cell.strip() for cell in told.out.splitlines()[-1].split("  ") if cell.strip()] == [
        f"test {BANK} central", "50.07", "0.07", "50.00", "2", "2", "0: 0.00", "1",
    ]  # fmt: skip
    assert told.err == f"test {BANK} central {DAY} C 0.07 账上没有 not in the ledger\n"
    difference = ReconciliationDifference.objects.get()
    accepted(difference)
    call_command("reconcile")
    assert "（已说明 explained）" in capsys.readouterr().err
    call_command("reconcile", "--through", f"{DAY}")


def test_looking_back_records_nothing(key: FundKey) -> None:
    with pytest.raises(CommandError, match="2 处未说明的差异"):
        call_command("reconcile", "--through", f"{DAY}")
    assert not ReconciliationDifference.objects.exists()
    call_command("reconcile")  # there is no statement yet
    assert not ReconciliationDifference.objects.exists()


def test_differences_stay_on_record_close_and_come_back(key: FundKey) -> None:
    agreed()
    stated(7, 5_007, "C")
    for _ in range(2):
        record_differences(scope=SCOPE_ALL, at=AT)
    first = ReconciliationDifference.objects.get()
    assert [first.reason, first.moved_on, first.key, first.amount_fen, first.found_at] == [
        "not_in_ledger", DAY, "C", 7, AT,
    ]  # fmt: skip
    assert (first.institution.code, first.scheme.code, first.tier) == ACCOUNT_PARTS
    accepted(first)
    assert open_differences(scope=SCOPE_ALL) == {Place(ACCOUNT, UNKNOWN): Known(first.pk, True)}
    later = AT + timedelta(days=1)
    stated(
        -7, 5_000, "D"
    )  # taken back by the bank: the two are differences each, by their own lines
    record_differences(scope=SCOPE_ALL, at=later)
    assert [(d.key, d.found_at, d.closed_at) for d in by_id()] == [
        ("C", AT, None),
        ("D", later, None),
    ]
    received(key, 7, 3)
    record_differences(scope=SCOPE_ALL, at=later)
    assert [(d.key, d.closed_at) for d in by_id()] == [("C", later), ("D", None)]
    assert open_differences(scope=SCOPE_ALL, scheme="test").keys() == {
        Place(ACCOUNT, Difference("not_in_ledger", DAY, "D", -7))
    }
    assert open_differences(scope=SCOPE_ALL, scheme="other") == {}


def test_the_morning_task_records_what_a_killed_one_left(key: FundKey) -> None:
    agreed()
    stated(7, 5_007, "C")
    for _ in range(2):
        tasks.reconcile()
    assert [(one.key, one.closed_at) for one in by_id()] == [("C", None)]


def test_an_explanation_takes_two_and_is_said_once(key: FundKey) -> None:
    agreed()
    stated(7, 5_007, "C")
    record_differences(scope=SCOPE_ALL, at=AT)
    found = ReconciliationDifference.objects.get()
    of: dict[str, Any] = {"difference_id": found.pk, "actor": "maker", "at": AT}
    with refused("reason_missing"):
        explain_difference(**of, why=" ")
    with refused("reason_unreadable"):
        explain_difference(**of, why="字" * 501)
    with refused("unknown_difference"):
        explain_difference(**of | {"difference_id": 0}, why="利息")
    assert not DifferenceExplanation.objects.exists()
    said = explain_difference(**of, why=" 专户利息 ")
    with refused("difference_explained"):
        explain_difference(**of, why="手续费")
    with refused("own_work"):
        check_explanation(explanation_id=said, actor="maker", at=AT)
    with refused("reason_missing"):
        refuse_explanation(explanation_id=said, why="", actor="checker", at=AT)
    assert open_differences(scope=SCOPE_ALL)[Place(ACCOUNT, UNKNOWN)].is_explained is False
    refuse_explanation(explanation_id=said, why="未附回单", actor="checker", at=AT)
    with refused("already_checked"):
        check_explanation(explanation_id=said, actor="checker", at=AT)
    assert open_differences(scope=SCOPE_ALL)[Place(ACCOUNT, UNKNOWN)].is_explained is False
    again = explain_difference(**of, why="专户利息，附回单")
    check_explanation(explanation_id=again, actor="checker", at=AT)
    assert open_differences(scope=SCOPE_ALL)[Place(ACCOUNT, UNKNOWN)].is_explained is True
    assert list(found.explanations.order_by("pk").values_list("why", "refused_why", "checked_by")) == [
        ("专户利息", "未附回单", "checker"), ("专户利息，附回单", "", "checker"),
    ]  # fmt: skip
    received(key, 7, 3)
    record_differences(scope=SCOPE_ALL, at=AT)
    with refused("difference_closed"):
        explain_difference(**of, why="晚了")


def test_the_database_wants_two_people_and_keeps_what_was_said(
    key: FundKey, as_role: AsRole
) -> None:
    agreed()
    stated(7, 5_007, "C")
    record_differences(scope=SCOPE_ALL, at=AT)
    difference = ReconciliationDifference.objects.get()
    said = explain_difference(difference_id=difference.pk, why="专户利息", actor="maker", at=AT)
    with (
        pytest.raises(IntegrityError, match="explanation_checked_by_another"),
        transaction.atomic(),
    ):
        DifferenceExplanation.objects.update(checked_by="maker")
    check_explanation(explanation_id=said, actor="checker", at=AT)
    for role in ("app", "worker"):
        for statement in (
            "UPDATE settlement_differenceexplanation SET why = '别的'",
            "UPDATE settlement_reconciliationdifference SET amount_fen = 0",
            "DELETE FROM settlement_differenceexplanation",
            "DELETE FROM settlement_reconciliationdifference",
        ):
            with (
                as_role(role),
                pytest.raises(ProgrammingError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)
    assert list(DifferenceExplanation.objects.values_list("why", "checked_by")) == [
        ("专户利息", "checker")
    ]


def test_the_list_for_auditors(key: FundKey, tmp_path: Path) -> None:
    stated(8_000, 8_000, "A", summary="文号 1")
    stated(7, 8_007, "C")
    morning = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # 06:30 of the next day where it is read
    record_differences(scope=SCOPE_ALL, at=morning)
    explain_difference(
        difference_id=ReconciliationDifference.objects.get(key="C").pk, why="专户利息",
        actor="maker", at=AT,
    )  # fmt: skip
    write_register(
        register=RECONCILIATION, path=tmp_path / "r.csv", file_format="csv", scope=SCOPE_ALL,
        filters={},
    )  # fmt: skip
    with (tmp_path / "r.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert {row["found_on"] for row in found} == {"2026-04-01"}
    columns = ("reason", "key", "amount", "effect", "state", "why", "made_by", "checked_by")
    assert [[row[c] for c in columns] for row in found] == [
        ["not_on_statement", entry_id(-3_000), "-30.00", "30.00", "open", "", "", ""],
        ["not_in_ledger", "C", "0.07", "0.07", "proposed", "专户利息", "maker", ""],
    ]  # fmt: skip


def exported(path: Path, **filters: Any) -> list[dict[str, str]]:
    write_register(
        register=VOUCHERS, path=path, file_format="csv", scope=SCOPE_ALL, filters=filters
    )
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_vouchers_are_the_turnover_of_the_month(key: FundKey, tmp_path: Path) -> None:
    paid(key, 1_000, 2)
    found = exported(tmp_path / "v.csv", since=DAY, until=DAY)
    assert [(v["account_name"], v["summary"], v["entries"], v["debit"], v["credit"]) for v in found] == [
        ("贴息专户", "试验 代付贴息", "2", "0.00", "40.00"),
        ("已代付贴息", "试验 代付贴息", "2", "40.00", "0.00"),
        ("贴息专户", "试验 预拨到账", "1", "80.00", "0.00"),
        ("预拨资金", "试验 预拨到账", "1", "0.00", "80.00"),
    ]  # fmt: skip
    assert len({voucher["voucher_number"] for voucher in found}) == 2
    assert sum(line.debit_fen for line in LedgerLine.objects.all()) == 12_000
    before = (tmp_path / "v.csv").read_bytes()
    assert exported(tmp_path / "again.csv", until=date(2026, 3, 31)) == found
    assert (tmp_path / "again.csv").read_bytes() == before
    assert exported(tmp_path / "none.csv", since=date(2026, 4, 1)) == []


def test_what_a_clawback_brought_in_is_known_by_the_banks_reference(tmp_path: Path) -> None:
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.collect("A", 2)
    run()
    made = decided(600)
    for reference in ("T1", "T2"):  # received in July, checked in November
        move(made, "received", 300, reference)
    line = {"institution_code": TREE[0][0], "scheme_code": "test", "tier": "municipal"}
    book.enter(
        "bank-statements",
        {**line, "moved_on": "2026-07-01", "amount": "300.00", "balance": "300.00", "reference": "T2"},
        {
            **line, "moved_on": "2026-07-02", "amount": "300.00", "balance": "600.00",
            "reference": "B9", "summary": "还款 T1",
        },
    )  # fmt: skip
    (found,) = reconcile_statements(scope=SCOPE_ALL).values()
    assert found.differences == ()
    assert [(m.how, m.lines[0].reference, m.movements[0].source) for m in found.matches] == [
        ("reference", "T2", "T2"), ("reference", "B9", "T1"),
    ]  # fmt: skip
