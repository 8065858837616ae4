"""`verify` names the record that a superuser rewrote or removed behind an entry."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg
import pytest

from settlement.models import Clawback, ClawbackMovement, Fund
from settlement.services import clawback_movements, clawbacks, plans
from settlement.services.clawback_movements import Payment
from settlement.services.clawbacks import Claim, Ground
from settlement.services.made_good import check_made_good, record_made_good
from settlement.services.pre_allocations import book_pre_allocations
from settlement.services.record_verification import verify_records
from settlement.services.verification import verify
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook

pytestmark = pytest.mark.django_db(transaction=True)

BOOKED = "记录与其分录不符 / a record differs from its entry"
LOWERED = "重算追回与负差额不符 / a clawback differs from what was lowered"
CLAIMED = "并入差额的追回与应并入不符 / lapsed claims differ from what is claimed twice"
OFFSET = "抵扣与入账不符 / offsets differ from their entry"
SWITCHED = "抵扣方式与最后一次变更不符 / whether to offset differs from the last change"
PLANNED = "计划与其明细不符 / a plan differs from its rows"
TABLES = (
    "loans_preallocation", "settlement_receipt", "settlement_clawback", "settlement_clawbackmovement",
    "settlement_madegood", "settlement_plan", "settlement_planneddeduction", "settlement_deduction",
)  # fmt: skip


@pytest.fixture
def lived(tmp_path: Path) -> None:
    """Paid ahead, lowered by 500 yuan, of them 200 offset; 1,000 claimed back, in part received, written
    off and made good; and 1,000 planned."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.lend("B", SECOND)
    row = {
        "scheme_code": "test", "institution_code": TREE[0][0], "tier": "municipal",
        "received_on": "2026-01-04", "amount": "5000.00", "document_number": "文1",
    }  # fmt: skip
    book.enter("pre-allocations", row)
    book_pre_allocations(actor="checker", at=AT)
    for number in "AB":
        book.collect(number, 2)
    run()
    book.repay("B", "2026-02-06", 3_600_000)
    run()
    book.lend("B2", SECOND)
    book.collect("B2", 3, paid="600.00")
    run()
    made = _claimed()
    for kind, fen, reference in (
        ("received", 40_000, "T1"), ("written_off", 30_000, ""), ("offset_off", 0, ""),
    ):  # fmt: skip
        payment = Payment(date(2026, 7, 1), fen, reference, why="试验")
        movement = clawback_movements.record_movement(
            clawback_id=made, kind=kind, payment=payment, actor="maker", at=AT
        )
        clawback_movements.check_movement(movement_id=movement, actor="checker", at=AT)
    _made_good()
    book.collect("A", 5, paid="")
    plans.make_plans(through=date(2026, 12, 31), actor="system", at=AT)
    assert verify().problems == []


def _claimed() -> int:
    (fund,) = Fund.objects.all()
    note_id = fund.scheme.deductions.get(collection__reference="A-2").note_id
    ground = Ground(origin="staff", origin_id=0, why="挪用 / misuse (ST-28)")
    made = clawbacks.propose(
        claim=Claim(note_id, fund.pk, 2026, 100_000), ground=ground, actor="maker", at=AT
    )
    clawbacks.decide(clawback_id=made, accept=True, actor="checker", at=AT)
    return made


def _made_good() -> None:
    (fund,) = Fund.objects.all()
    made = record_made_good(
        fund_id=fund.pk, moved_on=date(2026, 8, 1), amount_fen=3_000, reference="补1", actor="maker",
        at=AT,
    )  # fmt: skip
    check_made_good(made_good_id=made, actor="checker", at=AT)


def told(owner: psycopg.Connection, change: str) -> list[str]:
    """What `verify` says of records once the owner has changed something with the triggers off."""
    for table in TABLES:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    assert owner.execute(change).rowcount == 1
    found = verify_records()
    assert set(found) <= set(verify().problems)
    return found


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE loans_preallocation SET amount_fen = 1", [f"{BOOKED}: pre_allocation 文1"]),
        ("UPDATE settlement_receipt SET checked_by = 'x'", [f"{BOOKED}: pre_allocation 文1"]),
        ("DELETE FROM settlement_receipt", [f"{BOOKED}: pre_allocation 分录 entry #{{entry}}"]),
        (
            "UPDATE loans_preallocation SET tier = 'central'",
            [f"{BOOKED}: pre_allocation 分录 entry #{{entry}}", f"{BOOKED}: pre_allocation 文1"],
        ),
        (
            "UPDATE settlement_clawback SET amount_fen = amount_fen + 1 WHERE origin = 'staff'",
            [f"{BOOKED}: clawback_decided #{{staff}}", f"{CLAIMED}: 借据 note A 2026: 0 ≠ 1"],
        ),
        (
            "UPDATE settlement_clawback SET amount_fen = amount_fen + 1 WHERE origin = 'difference'",
            [f"{LOWERED}: #{{difference}}"],
        ),
        (
            "UPDATE settlement_clawback SET note_id = note_id - 1 WHERE origin = 'difference'",
            [f"{LOWERED}: #{{difference}}", f"{LOWERED}: 借据 note B 2026"],
        ),
        (
            "UPDATE settlement_clawback SET is_offset = true WHERE origin = 'staff'",
            [f"{SWITCHED}: #{{staff}}"],
        ),
        (
            "UPDATE settlement_clawbackmovement SET amount_fen = 1 WHERE kind = 'received'",
            [f"{BOOKED}: clawback_received #{{staff}}/{{received}}"],
        ),
        (
            "UPDATE settlement_clawbackmovement SET amount_fen = 1 WHERE kind = 'offset'",
            [f"{OFFSET}: #{{difference}}/{{offset}}: 1 ≠ 20000"],
        ),
        ("UPDATE settlement_madegood SET reference = 'x'", [f"{BOOKED}: made_good x"]),
        ("DELETE FROM settlement_madegood", [f"{BOOKED}: made_good 分录 entry #{{made_good}}"]),
        ("UPDATE settlement_plan SET planned_fen = 7", [f"{PLANNED}: #{{plan}}: 7 ≠ 100000"]),
        (
            "UPDATE settlement_planneddeduction SET municipal_fen = 9",
            [f"{PLANNED}: #{{plan}}: 100000 ≠ 9"],
        ),
    ],
)
def test_the_record_is_named(
    lived: None, owner_connection: psycopg.Connection, change: str, named: list[str]
) -> None:
    kinds = dict(ClawbackMovement.objects.values_list("kind", "pk"))
    kinds |= dict(Clawback.objects.values_list("origin", "pk"))
    entries = dict(
        owner_connection.execute("SELECT event, id FROM settlement_ledgerentry ORDER BY id DESC")
    )
    (plan,) = owner_connection.execute("SELECT id FROM settlement_plan").fetchone() or ()
    places = {"plan": plan, "entry": entries["pre_allocation"], "made_good": entries["made_good"]}
    found = told(owner_connection, change)
    assert found == [line.format(**kinds, **places) for line in named]
