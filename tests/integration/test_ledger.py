"""The fund ledger: balanced, sealed, chained, unchangeable and in scope, because PostgreSQL says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from config.kernel.models import Institution
from config.kernel.services import bulk
from settlement.engine import entries
from settlement.models import Account, Event, Fund, LedgerEntry, LedgerLine, Purpose, Scheme
from settlement.services import funds
from settlement.services.funds import FundKey, Posting
from tests.integration import rows
from tests.integration.rows import BANK, OTHER

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 2)
ACCOUNTS = (
    "special_account", "treasury_advance", "subsidy_applied", "bank_advance", "clawback_receivable",
    "disallowed",
)  # fmt: skip


@pytest.fixture
def banks() -> dict[str, Institution]:
    return rows.institutions()


@pytest.fixture
def key(banks: dict[str, Institution]) -> FundKey:
    scheme = Scheme.objects.create(code="test", name="试验")
    return FundKey(banks[BANK].id, scheme.pk, "central")


def received(key: FundKey, fen: int, number: int = 1) -> None:
    posting = Posting(Event.PRE_ALLOCATION, DAY, f"文号 {number}", number, "maker")
    funds.receive(key=key, amount_fen=fen, posting=posting, year=2026)


def paid(key: FundKey, fen: int, number: int = 1, offset: int = 0) -> None:
    with transaction.atomic():
        fund_id = funds.open_funds(keys=[key])[key]
        fund = funds.lock(fund_ids=[fund_id])[fund_id]
        posting = Posting(Event.DEDUCTION, DAY, f"chunk {number}", number, "maker")
        lines = entries.deduction(fen, offset_fen=offset, available_fen=fund.available_fen)
        funds.post(fund=fund, posting=posting, lines=lines, year=2026, month=date(2026, 3, 1))


def balances(key: FundKey) -> tuple[int, ...]:
    fund = Fund.objects.get(
        institution_id=key.institution_id, scheme_id=key.scheme_id, tier=key.tier
    )
    found = tuple(getattr(fund, f"{account}_fen") for account in ACCOUNTS)
    for account, balance in zip(ACCOUNTS, found, strict=True):
        lines = LedgerLine.objects.filter(entry__fund=fund, account=account)
        assert balance == sum(line.debit_fen - line.credit_fen for line in lines)
    return found


def statement(query: str, params: list[object] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, params)


def test_a_shortfall_is_advanced_and_repaid_first(key: FundKey) -> None:
    received(key, 8_000)
    paid(key, 10_000)
    assert balances(key) == (0, -8_000, 10_000, -2_000, 0, 0)
    received(key, 5_000, 2)
    assert balances(key) == (3_000, -13_000, 10_000, 0, 0, 0)
    events = LedgerEntry.objects.order_by("number").values_list("number", "event")
    assert list(events) == [
        (1, "pre_allocation"), (2, "deduction"), (3, "pre_allocation"), (4, "advance_repaid"),
    ]  # fmt: skip


def test_a_pre_allocation_taken_back_after_use_leaves_the_bank_in_advance(key: FundKey) -> None:
    received(key, 8_000)
    paid(key, 6_000)
    received(key, -8_000, 2)
    assert balances(key) == (0, 0, 6_000, -6_000, 0, 0)


def test_reserved_money_is_not_available(key: FundKey) -> None:
    received(key, 8_000)
    (fund,) = Fund.objects.all()
    assert funds.reserve(fund_id=fund.pk, amount_fen=5_000)
    assert not funds.reserve(fund_id=fund.pk, amount_fen=3_001)
    paid(key, 4_000)
    assert balances(key) == (5_000, -8_000, 4_000, -1_000, 0, 0)
    with transaction.atomic():
        funds.release(fund=funds.lock(fund_ids=[fund.pk])[fund.pk], amount_fen=5_000)
    fund.refresh_from_db()
    assert (fund.reserved_fen, fund.available_fen) == (0, 5_000)


def test_the_same_source_is_booked_once(key: FundKey) -> None:
    received(key, 8_000)
    with pytest.raises(DatabaseError, match="ledger_entry_once_per_source"), transaction.atomic():
        received(key, 8_000)
    assert balances(key) == (8_000, -8_000, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("debits", "credits_", "wrong"),
    [
        ([100, 0], [0, 99], "does not balance"),
        ([100], [0], "does not balance"),
        ([100, 0, -100, 0], [0, 100, 0, -100], "positive on one side alone"),
        ([100, 0, 0], [0, 100, 0], "positive on one side alone"),
        ([150, 50], [50, 150], "positive on one side alone"),
    ],
)
def test_what_does_not_balance_is_refused(
    key: FundKey, debits: list[int], credits_: list[int], wrong: str
) -> None:
    received(key, 500)
    (fund,) = Fund.objects.all()
    accounts = (["special_account", "treasury_advance"] * 2)[: len(debits)]
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        statement(
            "SELECT settlement_post_entry(%s, 'pre_allocation', %s, NULL, 2026::smallint, 'x', 9, 'x',"
            " %s, %s, %s); SET CONSTRAINTS ALL IMMEDIATE",
            [fund.pk, DAY, accounts, debits, credits_],
        )
    assert wrong in str(refused.value) or "fund_balances_add_up_to_zero" in str(refused.value)
    assert balances(key) == (500, -500, 0, 0, 0, 0)
    assert LedgerEntry.objects.count() == 1


def test_a_month_is_its_first_day(key: FundKey) -> None:
    received(key, 500)
    (fund,) = Fund.objects.all()
    with pytest.raises(DatabaseError, match="2026-02-10 is not a first day"), transaction.atomic():
        statement(
            "SELECT settlement_post_entry(%s, 'deduction', %s, '2026-02-10', 2026::smallint, 'x', 9,"
            " 'x', ARRAY['subsidy_applied', 'special_account'], '{1,0}', '{0,1}');"
            " SET CONSTRAINTS ALL IMMEDIATE",
            [fund.pk, DAY],
        )
    assert balances(key) == (500, -500, 0, 0, 0, 0)
    assert LedgerEntry.objects.count() == 1


def test_only_the_chart_of_accounts_and_known_events_are_posted(key: FundKey) -> None:
    received(key, 500)
    (fund,) = Fund.objects.all()
    call = (
        "SELECT settlement_post_entry(%s, %s, %s, NULL, 2026::smallint, 'x', 9, 'x',"
        " ARRAY[%s, %s], '{1,0}', '{0,1}')"
    )
    for event, account, wrong in (
        ("gift", "treasury_advance", "settlement_event_known"),
        ("pre_allocation", "petty_cash", "settlement_account_known"),
    ):
        with pytest.raises(DatabaseError, match=wrong), transaction.atomic():
            statement(call, [fund.pk, event, DAY, account, account])
    assert balances(key) == (500, -500, 0, 0, 0, 0)
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ("settlement_event", Event.values),
        ("settlement_account", Account.values),
        ("settlement_purpose", Purpose.values),
    ],
)
def test_the_database_knows_the_words_of_the_models(domain: str, words: list[str]) -> None:
    ((check,),) = bulk.rows(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contypid = %s::regtype", [domain]
    )
    assert re.findall(r"'(\w+)'", check) == words


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_sealed_with_its_transaction(
    key: FundKey, owner_connection: psycopg.Connection
) -> None:
    received(key, 500)
    before = list(LedgerLine.objects.values_list())
    for account in ("disallowed", "special_account"):
        with pytest.raises(psycopg.errors.CheckViolation, match="sealed"):
            owner_connection.execute(
                "INSERT INTO settlement_ledgerline"
                " (institution_id, entry_id, account, debit_fen, credit_fen)"
                " SELECT institution_id, id, %s, 1, 0 FROM settlement_ledgerentry",
                [account],
            )
    assert list(LedgerLine.objects.values_list()) == before


@pytest.mark.parametrize("role", ["app", "worker"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE settlement_ledgerline SET debit_fen = debit_fen + 1",
        "DELETE FROM settlement_ledgerline",
        "TRUNCATE settlement_ledgerentry CASCADE",
        "UPDATE settlement_ledgerentry SET year = 2027",
        "UPDATE settlement_fund SET special_account_fen = 0, treasury_advance_fen = 0",
        "INSERT INTO settlement_ledgerline (institution_id, entry_id, account, debit_fen, credit_fen)"
        " SELECT institution_id, id, 'disallowed', 1, 0 FROM settlement_ledgerentry",
    ],
)
def test_no_role_changes_what_is_posted(
    key: FundKey, as_role: AsRole, role: str, change: str
) -> None:
    received(key, 500)
    with pytest.raises(DatabaseError, match="permission denied"), as_role(role, everything=True):
        statement(change)
    assert balances(key) == (500, -500, 0, 0, 0, 0)


def test_the_web_posts_in_its_scope_only(
    key: FundKey, banks: dict[str, Institution], as_role: AsRole
) -> None:
    with as_role("app", banks[BANK]):
        received(key, 500)
        assert balances(key) == (500, -500, 0, 0, 0, 0)
    for wrong in (lambda: received(key, 500, 2), lambda: paid(key, 1)):
        with pytest.raises(DatabaseError, match="outside the scope"), as_role("app", banks[OTHER]):
            wrong()
    with as_role("app", banks[OTHER]):
        assert not Fund.objects.exists()
        assert not LedgerLine.objects.exists()
    assert balances(key) == (500, -500, 0, 0, 0, 0)
