"""Guarantee fees posted, compensations watched, syndicates split, commitments shown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from config.kernel.models import Institution, Role, User
from settlement.engine.compensation import shares
from settlement.engine.syndicate import split
from settlement.models import Clawback, Fund, GuaranteePosting, LedgerEntry, Scheme
from settlement.services.assessments import assess_notes
from settlement.services.guarantee_postings import PostedGuarantees, post_guarantee_subsidies
from settlement.services.guarantee_verification import verify_guarantees
from settlement.services.ledger_verification import verify_ledger
from settlement.services.pre_allocations import book_pre_allocations
from tests.integration.book import AT, exported, hundredths, run
from tests.integration.samples import refused, state
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, THIRD, TREE, SmallBook
from tests.integration.test_admin import person, url, web  # noqa: F401

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]

BANK = TREE[0][0]
GUARANTEE = """[guarantee]
rate = { points = "0.5", assumed_because = "test" }
term = { months = 12, assumed_because = "test" }
largest_note = { yuan = "10000000", assumed_because = "test" }
once_per_enterprise = { value = true, assumed_because = "test" }
"""
NOTHING = PostedGuarantees(0, 0, 0, 0)


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two enterprises with a note each, at two banks, guaranteed for 1,000,000 yuan over six months."""
    book = SmallBook(tmp_path)
    book.scheme(more=GUARANTEE, fund="first_come_first_served")
    book.lend("A", FIRST)
    book.lend("B", SECOND, at=SOUTH)
    guarantee(book, "G1", "A")
    guarantee(book, "G2", "B", at=SOUTH)
    return book


def guarantee(
    book: SmallBook, number: str, note: str, *, at: str = NORTH, yuan: int = 1_000_000,
    starts: str = "2026-02-10",
) -> None:  # fmt: skip
    """Half a year's guarantee: a quarter of one per cent of its principal is the subsidy."""
    year, month, rest = starts.split("-")
    ends = f"{year}-{int(month) + 6:02}-{rest}"
    book.enter(
        "guarantees",
        {
            "institution_code": at, "note_number": note, "guarantee_number": number, "guarantor": "省再担保",
            "principal": f"{yuan}.00", "starts_on": starts, "ends_on": ends, "fee_rate": "0.90",
        },
    )  # fmt: skip


def paid_ahead(
    book: SmallBook, yuan: int, purpose: str = "guarantee_fee", document: str = "文1"
) -> None:
    book.enter(
        "pre-allocations",
        {
            "scheme_code": "test", "institution_code": BANK, "tier": "municipal", "received_on": "2026-01-10",
            "amount": f"{yuan}.00", "document_number": document, "purpose": purpose,
        },
    )  # fmt: skip
    book_pre_allocations(actor="system-checker", at=AT)


def post(through: date | None = None) -> PostedGuarantees:
    assess_notes(at=AT)
    done = post_guarantee_subsidies(actor="system", at=AT, through=through)
    assert verify_guarantees() == []
    assert verify_ledger() == []
    return done


def funds(code: str = BANK) -> dict[str, tuple[int, ...]]:
    """Special account, treasury advance, applied, bank advance, receivable of one bank, in yuan."""
    return {
        fund.purpose: tuple(
            balance // 100
            for balance in (
                fund.special_account_fen, fund.treasury_advance_fen, fund.subsidy_applied_fen,
                fund.bank_advance_fen, fund.clawback_receivable_fen,
            )
        )
        for fund in Fund.objects.filter(institution__code=code)
    }  # fmt: skip


def postings() -> list[tuple[str, int, int]]:
    rows = GuaranteePosting.objects.order_by("pk").values_list(
        "guarantee__guarantee_number", "sequence", "amount_fen"
    )
    return [(number, sequence, fen // 100) for number, sequence, fen in rows]


def test_fees_are_paid_from_their_own_fund_and_the_bank_advances_what_lacks(
    book: SmallBook,
) -> None:
    paid_ahead(book, 1_000)
    assert post() == PostedGuarantees(2, 0, 500_000, 0)
    assert funds() == {"guarantee_fee": (0, -1_000, 2_500, -1_500, 0)}
    assert funds(TREE[2][0]) == {"guarantee_fee": (0, 0, 2_500, -2_500, 0)}
    entries = LedgerEntry.objects.filter(event="deduction").values_list("month", "year")
    assert set(entries) == {(date(2026, 2, 1), 2026)}
    before = state()
    assert post_guarantee_subsidies(actor="system", at=AT) == NOTHING
    assert state() == before


def test_interest_money_and_fee_money_of_one_document_stay_apart(book: SmallBook) -> None:
    paid_ahead(book, 300, "interest")
    paid_ahead(book, 1_000)
    assert funds() == {"interest": (300, -300, 0, 0, 0), "guarantee_fee": (1_000, -1_000, 0, 0, 0)}
    stored = [row["purpose"] for row in exported("pre-allocations", book.folder)]
    assert stored == ["guarantee_fee", "interest"]


def test_a_lower_guarantee_is_a_difference_that_the_enterprise_owes(book: SmallBook) -> None:
    post()
    guarantee(book, "G1", "A", yuan=400_000)
    assert post() == PostedGuarantees(0, 1, -150_000, 0)
    guarantee(book, "G1", "A", yuan=800_000)
    assert post() == PostedGuarantees(0, 1, 100_000, 0)
    assert postings() == [("G1", 0, 2_500), ("G2", 0, 2_500), ("G1", 1, -1_500), ("G1", 2, 1_000)]
    (owed,) = Clawback.objects.all()
    assert (owed.amount_fen, owed.origin, owed.state, owed.is_offset) == (
        150_000, "difference", "decided", False,
    )  # fmt: skip
    assert owed.enterprise.uscc == FIRST
    assert funds()["guarantee_fee"] == (0, 0, 2_000, -3_500, 1_500)


def test_the_subsidy_moves_with_the_first_guarantee_of_the_enterprise(book: SmallBook) -> None:
    """Once per enterprise: an earlier guarantee known later takes the place of the first."""
    post()
    guarantee(book, "G0", "A", starts="2026-01-10", yuan=600_000)
    assert post() == PostedGuarantees(1, 1, -100_000, 0)
    assert postings()[2:] == [("G1", 1, -2_500), ("G0", 0, 1_500)]


def test_a_guarantee_corrected_to_another_note_is_taken_back_there(book: SmallBook) -> None:
    book.lend("C", THIRD)
    post()
    guarantee(book, "G1", "C")
    assert post() == PostedGuarantees(0, 2, 0, 0)
    assert postings()[2:] == [("G1", 1, -2_500), ("G1", 2, 2_500)]
    notes = GuaranteePosting.objects.order_by("pk").values_list("note__note_number", flat=True)
    assert list(notes) == ["A", "B", "A", "C"]
    assert Clawback.objects.get().enterprise.uscc == FIRST


def test_what_one_branch_posts_alone_is_numbered_without_gaps(book: SmallBook) -> None:
    other = f"{NORTH[:-1]}9"
    row = {"institution_code": other, "name": "甲银行二支行", "level": "branch"}
    book.enter("institutions", {**row, "parent_code": TREE[0][0], "region_code": "320100"})
    book.lend("C", THIRD)
    post()
    moved = {"institution_code": NORTH, "note_number": "A", "moved_on": "2026-05-01"}
    book.enter("note-transfers", {**moved, "new_institution_code": other})
    guarantee(book, "G1", "C")  # corrected to another note: taken back there, paid here
    assess_notes(at=AT)
    branch = Institution.objects.get(code=NORTH)
    scope = (branch.id, branch.last_id)
    post_guarantee_subsidies(actor="system", at=AT, scope=scope)
    assert verify_guarantees() == []
    post()
    numbers = GuaranteePosting.objects.filter(guarantee__guarantee_number="G1")
    assert sorted(numbers.values_list("sequence", flat=True)) == [0, 1, 2]


def test_fees_not_due_yet_wait(book: SmallBook) -> None:
    assert post(date(2026, 2, 9)) == NOTHING
    assert post(date(2026, 2, 10)) == PostedGuarantees(2, 0, 500_000, 0)


def test_a_scheme_that_holds_waits_for_money(book: SmallBook) -> None:
    book.scheme(more=GUARANTEE, fund="first_come_first_served", shortfall="hold")
    paid_ahead(book, 2_499)
    assert post() == PostedGuarantees(0, 0, 0, 2)
    assert postings() == []
    paid_ahead(book, 1, document="文2")
    assert post() == PostedGuarantees(1, 0, 250_000, 1)
    assert funds() == {"guarantee_fee": (0, -2_500, 2_500, 0, 0)}


def test_a_label_that_is_gone_takes_its_subsidy_back(book: SmallBook) -> None:
    post()
    book.note("A", schemes="")
    assert post() == PostedGuarantees(0, 1, -250_000, 0)
    assert funds()["guarantee_fee"] == (0, 0, 0, -2_500, 2_500)


@pytest.mark.django_db(transaction=True)
def test_verify_names_a_posting_that_was_changed(book: SmallBook, owner_connection) -> None:
    post()
    owner_connection.execute("ALTER TABLE settlement_guaranteeposting DISABLE TRIGGER USER")
    owner_connection.execute(
        "UPDATE settlement_guaranteeposting SET amount_fen = 1 WHERE id ="
        " (SELECT min(id) FROM settlement_guaranteeposting)"
    )
    first = GuaranteePosting.objects.order_by("pk")[0].pk
    assert verify_guarantees() == [
        f"担保费补贴与分录不符 / a guarantee posting differs from its entry: #{first}"
    ]


@pytest.mark.django_db(transaction=True)
def test_several_at_once_pay_once(book: SmallBook) -> None:
    assess_notes(at=AT)

    def attempt(_: int) -> int:
        try:
            return post_guarantee_subsidies(actor="system", at=AT).originals
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(8))) == [*[0] * 7, 2]
    assert postings() == [("G1", 0, 2_500), ("G2", 0, 2_500)]
    assert [*verify_guarantees(), *verify_ledger()] == []


# Compensations


def compensate(number: str, yuan: str, reference: str, at: str = NORTH) -> dict[str, str]:
    return {
        "institution_code": at, "guarantee_number": number, "paid_on": "2026-06-30",
        "unpaid_principal": yuan, "reference": reference,
    }  # fmt: skip


def watched(book: SmallBook) -> dict[str, tuple[str, str, str, str]]:
    assess_notes(at=AT)
    return {
        row["institution_code"]: (
            row["guaranteed"], row["compensated"], row["rate_ppm"], row["stopped"],
        )
        for row in exported("compensations-watch", book.folder)
    }  # fmt: skip


def test_the_compensation_rate_is_watched_by_bank_and_in_all(book: SmallBook) -> None:
    book.enter("compensations", compensate("G1", "60000.00", "D1"))
    south = TREE[2][0]
    assert watched(book) == {
        "": ("2000000.00", "60000.00", "30000", "no"),
        BANK: ("1000000.00", "60000.00", "60000", "yes"),
        south: ("1000000.00", "0.00", "0", "no"),
    }
    book.enter("compensations", compensate("G2", "0.01", "D2", SOUTH))
    assert watched(book)[""] == ("2000000.00", "60000.01", "30000", "yes")
    book.enter("compensations", compensate("G2", "-0.01", "D3", SOUTH))
    assert watched(book)[""] == ("2000000.00", "60000.00", "30000", "no")


def test_shares_of_a_compensation_are_the_engine_s(book: SmallBook) -> None:
    amounts = ("0.01", "0.15", "0.05", "33333.33", "-33333.33", "-0.15")
    book.enter(
        "compensations", *(compensate("G1", yuan, f"D{n}") for n, yuan in enumerate(amounts))
    )
    rows = exported("compensation-shares", book.folder)
    assert [row["unpaid_principal"] for row in rows] == list(amounts)
    for row in rows:
        parts = hundredths(row["guarantor_share"]), hundredths(row["bank_share"])
        assert parts == shares(hundredths(row["unpaid_principal"]))


@pytest.mark.parametrize(
    ("yuan", "column"), [("1000000.01", "unpaid_principal"), ("-0.01", "unpaid_principal")]
)
def test_impossible_compensations_are_refused(book: SmallBook, yuan: str, column: str) -> None:
    (problem,) = refused("compensations", [compensate("G1", yuan, "D1")], book.folder)
    assert problem.startswith(f"row 2, column {column} (未清偿本金): 该担保的代偿本金合计须在 0 与")
    assert problem.endswith(f", {yuan.removesuffix('.00')}")
    (unknown,) = refused("compensations", [compensate("G9", "1.00", "D1")], book.folder)
    assert "column guarantee_number (担保合同号): 该机构没有此担保合同号" in unknown


def test_a_guarantee_is_not_corrected_below_what_was_compensated(book: SmallBook) -> None:
    book.enter("compensations", compensate("G1", "500000.00", "D1"))
    lower = {**exported("guarantees", book.folder)[0], "principal": "499999.99"}
    (problem,) = refused("guarantees", [lower], book.folder)
    assert "column principal (担保本金): 担保本金低于已代偿本金 500000.00" in problem


# Syndicates


def test_a_syndicate_s_parts_tie_to_the_deductions(book: SmallBook) -> None:
    south = TREE[2][0]
    for participant, share in ((BANK, "33.3333"), (south, "33.3331")):
        book.enter(
            "syndicate-shares",
            {
                "institution_code": NORTH, "contract_number": "A", "participant_code": participant,
                "share": share,
            },
        )  # fmt: skip
    for month in (2, 3):
        book.collect("A", month)
    book.collect("B", 2, at=SOUTH)
    run()
    book.repay("A", "2026-03-05", 1_234_567)
    run()
    rows = exported("syndicate-splits", book.folder)
    assert {row["collection_reference"] for row in rows} == {"A-2", "A-3"}
    shares_ppm = {BANK: 333_333, south: 333_331}
    for deduction in exported("deductions", book.folder):
        mine = {
            row["participant_code"]: row
            for row in rows
            if row["collection_reference"] == deduction["collection_reference"]
        }
        if not mine:
            continue
        for tier in ("central", "provincial", "municipal"):
            parts = split(hundredths(deduction[tier]), shares_ppm=shares_ppm, agent=NORTH)
            assert {bank: hundredths(row[tier]) for bank, row in mine.items()} == parts
        assert sum(hundredths(row["total"]) for row in mine.values()) == hundredths(
            deduction["total"]
        )
        assert [row["share"] for row in mine.values()] == ["33.3336", "33.3333", "33.3331"]
        assert [row["is_agent"] for row in mine.values()] == ["yes", "no", "no"]


# Commitments


def committed(book: SmallBook) -> dict[str, tuple[str, ...]]:
    names = ("fund", "notes", "committed", "refused", "earned", "ended", "released", "free")
    return {
        row["institution_code"]: tuple(row[name] for name in names)
        for row in exported("commitments", book.folder)
    }


def test_commitments_of_a_fund_and_what_early_ends_release(book: SmallBook) -> None:
    """Each day of a note is 100 yuan; 1,096 days to maturity commit 109,600 yuan."""
    south = TREE[2][0]
    book.fund(150_000)
    book.collect("A", 2)
    run()
    assert committed(book) == {
        "": ("150000.00", "1", "109600.00", "1", "1000.00", "0", "0.00", "40400.00"),
        BANK: ("", "1", "109600.00", "0", "1000.00", "0", "0.00", ""),
        south: ("", "0", "0.00", "1", "0.00", "0", "0.00", ""),
    }
    book.repay("A", "2026-03-06", 3_600_000)
    book.collect("A", 3)
    run()
    assert committed(book)[""] == (
        "150000.00", "1", "109600.00", "1", "1500.00", "1", "108100.00", "148500.00",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM settlement_enrolment WHERE status = 'eligible'")
        assert cursor.fetchone()[0] == 1  # a release is shown; nobody is judged again by it


@pytest.mark.parametrize(
    ("bank", "seen", "unseen"),
    [("", ("150,000.00", "109,600.00", "40,400.00"), ()), (BANK, ("109,600.00",), ("150,000.00",))],
)
def test_the_scheme_page_shows_commitments_in_scope(
    book: SmallBook,
    web: SignIn,  # noqa: F811
    bank: str,
    seen: tuple[str],
    unseen: tuple[str],
) -> None:
    book.fund(150_000)
    book.collect("A", 2)
    run()
    place = Institution.objects.get(code=bank) if bank else None
    role = Role.CHECKER if bank else Role.ADMINISTRATOR
    number = Scheme.objects.get(code="test").pk
    client, address = web(person(role, place)), url("settlement.scheme", "change", number)
    short = client.get(address).content.decode()
    assert '"?year_funds"' in short
    assert not any(amount in short for amount in seen)
    page = client.get(f"{address}?year_funds").content.decode()
    assert all(amount in page for amount in seen)
    assert not any(amount in page for amount in unseen)


def test_a_fund_without_notes_is_shown(book: SmallBook) -> None:
    book.enter("scheme-funds", {"scheme_code": "test", "year": "2027", "amount": "5.00"})
    assert committed(book)[""] == ("5.00", "0", "0.00", "0", "0.00", "0", "0.00", "5.00")


# The cap together with leasing


def test_the_joint_cap_with_leasing_is_shown(book: SmallBook) -> None:
    """5,000 yuan a year less 3,500 of leasing leaves 1,500 for two notes at two banks (MF-13)."""
    joint = (
        '[[amount_caps]]\nper = "enterprise"\nspan = "year"\ntogether_with = "leasing_interest"\n'
        'yuan = "5000"\nassumed_because = "test"'
    )
    book.scheme(more=joint, code="joint")
    book.lend("J1", THIRD, schemes="joint")
    book.lend("J2", THIRD, schemes="joint", at=SOUTH)
    leasing = {
        "source": "省财政厅", "reference": "X1", "uscc": THIRD, "kind": "leasing_interest",
        "scheme_name": "租赁贴息", "year": "2026", "amount": "3500.00",
    }  # fmt: skip
    book.enter("external-subsidies", leasing)
    book.collect("J1", 2)
    book.collect("J2", 3, at=SOUTH)
    run()
    names = ("leasing", "opening", "subsidy", "together", "cut")
    found = {
        (row["scheme_code"], row["year"], row["institution_code"], row["uscc"]): tuple(
            row[name] for name in names
        )
        for row in exported("joint-caps", book.folder)
    }
    assert found == {
        ("joint", "2026", "", THIRD): ("3500.00", "0.00", "1500.00", "5000.00", "1"),
        ("joint", "2026", TREE[0][0], THIRD): ("3500.00", "0.00", "1000.00", "4500.00", "0"),
        ("joint", "2026", TREE[2][0], THIRD): ("3500.00", "0.00", "500.00", "4000.00", "1"),
    }


def test_every_run_posts_fees_too(book: SmallBook) -> None:
    book.collect("A", 3)
    assert run()["fees"] == PostedGuarantees(2, 0, 500_000, 0)
    assert "fees" not in run()
    assert GuaranteePosting.objects.count() == 2
