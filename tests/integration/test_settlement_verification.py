"""`verify` adds settlements up again: figures from the covered entries, bookings from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
import pytest
from django.db import DatabaseError, connection

from settlement.models import MadeGood, SettlementItem
from settlement.services import settlements
from settlement.services.made_good import check_made_good, record_made_good
from settlement.services.settlement_verification import verify_settlements
from settlement.services.settlements import Ask
from settlement.services.verification import verify
from tests.integration.test_settlements import AT, FINAL, Money, everything

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db(transaction=True)

BOOKED = "结算明细与入账不符 / a settlement differs from its entries"
FIGURE = "结算数与分录合计不符 / a settlement's figure differs from its entries"
MADE = "银行补足与入账不符 / what the bank made good differs from its entry"


@pytest.fixture
def settled() -> tuple[SettlementItem, SettlementItem]:
    """Two parts of a year, of the second 100 disallowed and 60 of it made good; then all is liquidated."""
    money = Money()
    money.receive(5_000)
    money.pay(1_000)
    first = money.settle(Ask(2026))
    money.pay(2_000, month=6)
    money.correct(500, month=7)
    second = money.settle(FINAL, approved=1_400)
    made = record_made_good(
        fund_id=money.fund.pk,
        moved_on=AT.date(),
        amount_fen=60,
        reference="补1",
        actor="maker",
        at=AT,
    )
    check_made_good(made_good_id=made, actor="checker", at=AT)
    last = money.settle(Ask(None))
    assert (last.surplus_fen, last.made_good_fen) == (2_060, 60)
    return first, second


def test_parts_made_good_and_liquidation_agree(
    settled: tuple[SettlementItem, SettlementItem],
) -> None:
    assert verify_settlements() == []


def test_what_a_superuser_rewrites_is_named(
    settled: tuple[SettlementItem, SettlementItem], owner_connection: psycopg.Connection
) -> None:
    first, second = settled
    run = owner_connection.execute
    item, made = "settlement_settlementitem", "settlement_madegood"
    run(f"ALTER TABLE {item} DISABLE TRIGGER USER")
    run(f"ALTER TABLE {made} DISABLE TRIGGER USER")
    run(f"UPDATE {item} SET approved_fen = 1410, disallowed_fen = 90 WHERE id = %s", [second.pk])
    assert verify_settlements() == [
        f"{BOOKED}: #{second.settlement_id} use_approved: 1410 ≠ 1400",
        f"{BOOKED}: #{second.settlement_id} use_disallowed: 90 ≠ 100",
    ]
    run(f"UPDATE {item} SET approved_fen = 1400, disallowed_fen = 100 WHERE id = %s", [second.pk])
    run(
        f"UPDATE {item} SET received_fen = received_fen + 1, opening_fen = opening_fen - 1"
        " WHERE id = %s",
        [first.pk],
    )
    assert verify_settlements() == [
        f"{FIGURE}: #{first.settlement_id} opening_fen -1 ≠ 0",
        f"{FIGURE}: #{first.settlement_id} received_fen 5001 ≠ 5000",
    ]
    run(
        f"UPDATE {item} SET received_fen = received_fen - 1, opening_fen = opening_fen + 1"
        " WHERE id = %s",
        [first.pk],
    )
    run(f"UPDATE {made} SET amount_fen = 61")
    named = f"{MADE}: #{MadeGood.objects.get().pk}"
    assert verify_settlements() == [named]
    assert named in verify().problems


@pytest.mark.parametrize("role", ["app", "worker"])
def test_nobody_puts_another_name_to_what_was_submitted(as_role: AsRole, role: str) -> None:
    money = Money()
    money.pay(1_000)
    made = money.draft()
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    before = everything()
    with (
        pytest.raises(DatabaseError, match="answered and stays"),
        as_role(role, everything=True),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE settlement_settlement SET checked_by = 'third'")
    assert everything() == before
