"""Bank statements against the ledger, and the vouchers of a month, on real tables."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import SCOPE_ALL, Institution
from config.kernel.services.export import write_register
from loans.models import BankStatement
from settlement.engine.reconciliation import Difference
from settlement.models import LedgerLine, Scheme
from settlement.resources import VOUCHERS
from settlement.services.funds import FundKey
from settlement.services.reconciliation import AccountKey, reconcile_statements
from tests.integration import rows
from tests.integration.rows import BANK
from tests.integration.test_ledger import DAY, paid, received

pytestmark = pytest.mark.django_db
ACCOUNT = AccountKey("test", BANK, "central")


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


def test_a_statement_that_agrees(key: FundKey, capsys: pytest.CaptureFixture[str]) -> None:
    stated(-3_000, 5_000, "B")
    stated(8_000, 8_000, "A", summary="文号 1")
    (found,) = reconcile_statements(scope=SCOPE_ALL).values()
    assert [match.how for match in found.matches] == ["reference", "amount"]
    assert found.differences == ()


def test_a_missing_line_is_told(key: FundKey) -> None:
    stated(8_000, 8_000, "A", summary="文号 1")
    found = reconcile_statements(scope=SCOPE_ALL)
    assert [(d.reason, d.on, d.amount_fen) for d in found[ACCOUNT].differences] == [
        ("final_balance", DAY, 3_000), ("not_on_statement", DAY, -3_000),
    ]  # fmt: skip
    assert reconcile_statements(scope=SCOPE_ALL, scheme="other") == {}
    assert reconcile_statements(scope=SCOPE_ALL, through=date(2026, 3, 1)) == {}
    with pytest.raises(CommandError, match="2 处差异"):
        call_command("reconcile")


def test_an_unknown_line_is_told(key: FundKey) -> None:
    stated(8_000, 8_000, "A")
    stated(-3_000, 5_000, "B")
    stated(7, 5_007, "C")
    assert reconcile_statements(scope=SCOPE_ALL)[ACCOUNT].differences == (
        Difference("final_balance", DAY, "", 7), Difference("not_in_ledger", DAY, "C", 7),
    )  # fmt: skip


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
