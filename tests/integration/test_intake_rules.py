"""Rules across files: plans and completions, moves of notes and contracts, limits over several files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from config.kernel.models import Institution
from loans.files.kinds import KINDS
from loans.models import (
    Enterprise,
    ExternalSubsidy,
    InterestCollection,
    Note,
    NoteStatus,
    NoteTransfer,
    OpeningPosition,
)
from loans.selectors import facts
from tests.integration.samples import (
    BANK,
    BOOK,
    FIRM,
    FIRM_2,
    FIRM_3,
    NANJING,
    OTHER,
    SUZHOU,
    Row,
    changed,
    load_book,
    refused,
    stored,
    take,
)

pytestmark = pytest.mark.django_db

FIRM_4 = "91320500MA4RLG3R75"
PAID, PLAN = BOOK["interest-collections"]
COMPLETION = changed(PLAN, interest_paid="7000.00", collected_on="2026-07-03")
PLACE = "column reference (流水号)"


def versions() -> dict[str, int]:
    """How often has anything been said about each enterprise?"""
    return dict(Enterprise.objects.values_list("uscc", "facts_version"))


def bumped(action: Callable[[], object]) -> set[str]:
    """Whose counter an import raised."""
    before = versions()
    action()
    return {uscc for uscc, version in versions().items() if version > before.get(uscc, version)}


# Plans and completions


@pytest.fixture
def planned(tmp_path: Path) -> Path:
    load_book(tmp_path, upto="interest-collections")
    return tmp_path


def test_a_plan_is_completed_once_by_a_later_file(planned: Path) -> None:
    assert take("interest-collections", [COMPLETION], planned).inserted == 1
    plan, completion = InterestCollection.objects.filter(reference="S-2").order_by("id")
    assert (plan.interest_paid_fen, plan.completes_id) == (None, None)
    assert (completion.interest_paid_fen, completion.completes_id) == (700_000, plan.pk)
    assert completion.collected_on == date(2026, 7, 3)
    for again in ([COMPLETION], [PLAN], [PLAN, COMPLETION], [COMPLETION, PLAN]):
        outcome = take("interest-collections", again, planned)
        assert (outcome.inserted, outcome.unchanged) == (0, len(again))
    second = changed(COMPLETION, interest_paid="7130.00")
    (problem,) = refused("interest-collections", [second], planned)
    assert problem.startswith(
        f"row 2, {PLACE}: 与已存记录（编号 {completion.pk}）的 interest_paid 不同；"
    )


@pytest.mark.parametrize("completion_first", [False, True])
def test_a_plan_is_completed_in_its_own_file(tmp_path: Path, completion_first: bool) -> None:
    load_book(tmp_path, upto="notes")
    rows = [COMPLETION, PLAN] if completion_first else [PLAN, COMPLETION]
    assert take("interest-collections", rows, tmp_path).inserted == 2
    plan, completion = InterestCollection.objects.order_by("id")
    assert completion.completes_id == plan.pk
    assert facts.collections(enterprise_ids=None)["reference"].to_list() == ["S-2"]


@pytest.mark.parametrize(
    "cells",
    [
        {"interest_due": "7130.01"},
        {"period_start": "2026-03-22"},
        {"period_end": "2026-06-22"},
        {"note_number": "JJ-2"},
    ],
    ids=lambda cells: next(iter(cells)),
)
def test_a_completion_differs_from_its_plan_in_payment_only(
    planned: Path, cells: dict[str, str]
) -> None:
    plan = InterestCollection.objects.get(reference="S-2")
    message = (
        f"与同流水号计划行（已存编号 {plan.pk}）的借据、计息期或应收利息不同，只可补实收利息和收息日"
        " / differs from its planned row: only interest_paid and collected_on may"
    )
    differing = changed(COMPLETION, **cells)
    assert refused("interest-collections", [differing], planned) == [
        f"row 2, {PLACE}: {message}, S-2"
    ]
    assert len(refused("interest-collections", [PLAN, differing], planned)) == 2


def test_a_plan_after_its_collection_is_refused(planned: Path) -> None:
    known = InterestCollection.objects.get(reference="S-1")
    assert refused("interest-collections", [changed(PAID, interest_paid="")], planned) == [
        f"row 2, {PLACE}: 此流水号已收息（已存编号 {known.pk}），不能再补计划"
        " / already collected: no plan after it, S-1"
    ]


def test_references_are_found_again_in_any_month(planned: Path) -> None:
    """Each month is a partition with an index of its own; years outside them share one."""
    far = changed(PAID, reference="S-9", period_start="2033-01-15", period_end="2033-03-21",
                  collected_on="2033-03-21")  # fmt: skip
    take("interest-collections", [far], planned)
    assert take("interest-collections", [far], planned).unchanged == 1
    moved = changed(far, collected_on="2026-03-22")
    assert "collected_on" in refused("interest-collections", [moved], planned)[0]


# Limits over several files


def test_repayments_of_several_files_stay_within_the_principal(tmp_path: Path) -> None:
    load_book(tmp_path, upto="repayments")
    rest = changed(BOOK["repayments"][0], amount="900000.00", reference="R-2")
    over = "还本合计超过放款金额 1000000.00，请核对或先冲正"
    one_fen = changed(rest, amount="900000.01")
    (problem,) = refused("repayments", [one_fen], tmp_path)
    assert problem == (
        f"row 2, column amount (还本金额): {over}"
        " / repayments above the principal: check, or reverse first, 900000.01"
    )
    take("repayments", [rest], tmp_path)
    last = changed(rest, amount="0.01", reference="R-3")
    assert over in refused("repayments", [last], tmp_path)[0]
    reversal = changed(rest, amount="-0.01", reference="R-4")
    assert take("repayments", [last, reversal], tmp_path).inserted == 2


def test_a_principal_is_not_corrected_below_what_is_repaid(tmp_path: Path) -> None:
    load_book(tmp_path, upto="repayments")
    note = changed(BOOK["notes"][0], equipment_amount="0.00")
    below = changed(note, principal="99999.99")
    assert refused("notes", [below], tmp_path) == [
        "row 2, column principal (放款金额): 放款金额低于已还本金 100000.00"
        " / principal below what has been repaid, 99999.99"
    ]
    assert take("notes", [changed(note, principal="100000.00")], tmp_path).corrected == 1


def test_shares_of_several_files_stay_within_the_whole(tmp_path: Path) -> None:
    load_book(tmp_path, upto="syndicate-shares")
    row = changed(BOOK["syndicate-shares"][0], participant_code=SUZHOU, share="59.5001")
    assert refused("syndicate-shares", [row], tmp_path) == [
        "row 2, column share (承贷份额(%)): 该合同各参贷行份额合计超过 100%"
        " / shares of this contract exceed 100 percent, 59.5001"
    ]
    take("syndicate-shares", [changed(row, share="59.5000")], tmp_path)
    lower, higher = changed(row, share="50.0000"), changed(BOOK["syndicate-shares"][0], share="50")
    assert take("syndicate-shares", [lower, higher], tmp_path).corrected == 2


# Notes that move


def scopes() -> dict[str, str]:
    return dict(Note.objects.values_list("note_number", "institution__code"))


def test_a_transfer_moves_the_scope_and_keeps_the_key(tmp_path: Path) -> None:
    load_book(tmp_path)
    assert scopes() == {"JJ-1": NANJING, "JJ-2": SUZHOU}
    move = changed(BOOK["note-transfers"][0], note_number="JJ-1", moved_on="2026-08-01")
    before = {kind: stored(kind, tmp_path) for kind in KINDS if kind != "note-transfers"}
    take("note-transfers", [move], tmp_path)
    assert scopes() == {"JJ-1": SUZHOU, "JJ-2": SUZHOU}
    assert {kind: stored(kind, tmp_path) for kind in before} == before
    assert belongings() == {"loans_externalsubsidy": 1, **dict.fromkeys(FOLLOWING, 1)}


FOLLOWING = (
    "loans_equipmentinvoice", "loans_guarantee", "loans_interestcollection", "loans_openingposition",
    "loans_repayment", "loans_reviewresult",
)  # fmt: skip


def belongings() -> dict[str, int]:
    """In how many institutions are the rows of the two notes, each table at SUZHOU?"""
    at = Institution.objects.get(code=SUZHOU).pk
    counts = {}
    with connection.cursor() as cursor:
        for table in (*FOLLOWING, "loans_externalsubsidy"):
            cursor.execute(
                f"SELECT count(DISTINCT institution_id), min(institution_id) FROM {table}"
            )
            count, found = cursor.fetchone()
            assert found == at, table
            counts[table] = count
    return counts


def test_the_latest_transfer_says_where_a_note_is(tmp_path: Path) -> None:
    load_book(tmp_path)
    first = BOOK["note-transfers"][0]
    take(
        "note-transfers",
        [changed(first, moved_on="2026-06-01", new_institution_code=OTHER)],
        tmp_path,
    )
    assert scopes()["JJ-2"] == SUZHOU
    take(
        "note-transfers",
        [changed(first, moved_on="2026-09-01", new_institution_code=BANK)],
        tmp_path,
    )
    assert scopes()["JJ-2"] == BANK
    take(
        "note-transfers",
        [changed(first, moved_on="2026-09-01", new_institution_code=OTHER)],
        tmp_path,
    )
    assert scopes()["JJ-2"] == OTHER
    assert NoteTransfer.objects.count() == 3
    assert set(NoteStatus.objects.values_list("institution__code", flat=True)) == {OTHER}


def test_facts_of_a_moved_note_belong_where_it_is_now(tmp_path: Path) -> None:
    load_book(tmp_path)
    opening = changed(BOOK["opening-positions"][0], note_number="JJ-2")
    take("opening-positions", [opening], tmp_path)
    assert OpeningPosition.objects.get(note__note_number="JJ-2").institution.code == SUZHOU
    take("notes", [BOOK["notes"][0], changed(BOOK["notes"][1], annual_rate="4.3")], tmp_path)
    assert scopes()["JJ-2"] == SUZHOU


# Outside subsidies


def test_an_outside_subsidy_may_come_before_its_note(tmp_path: Path) -> None:
    load_book(tmp_path, upto="contracts")
    row = changed(BOOK["external-subsidies"][0], note_number="JJ-2", uscc=FIRM_3)
    take("external-subsidies", [row], tmp_path)
    assert facts.external(enterprise_ids=None).is_empty()
    assert bumped(lambda: take("notes", BOOK["notes"], tmp_path)) == {FIRM, FIRM_2}
    assert facts.external(enterprise_ids=None).select("year", "amount_fen").rows() == [
        (2026, 120_000)
    ]
    take("note-transfers", BOOK["note-transfers"], tmp_path)
    assert ExternalSubsidy.objects.get().institution.code == SUZHOU
    assert stored("external-subsidies", tmp_path) == [row]


def test_an_outside_subsidy_may_have_no_institution(tmp_path: Path) -> None:
    load_book(tmp_path, upto="enterprises")
    take("external-subsidies", BOOK["external-subsidies"][1:], tmp_path)
    assert ExternalSubsidy.objects.get().institution is None
    assert facts.leasing(enterprise_ids=None)["amount_fen"].to_list() == [90_000]


# Whose subsidies a change may move


def test_imports_mark_the_enterprises_they_concern(tmp_path: Path) -> None:
    load_book(tmp_path)
    firm_1, both = {FIRM}, {FIRM, FIRM_2}
    changes: dict[str, tuple[Row, set[str]]] = {
        "lpr": (changed(BOOK["lpr"][0], published_on="2026-02-24"), set()),
        "enterprises": (changed(BOOK["enterprises"][0], size="large"), firm_1),
        "enterprise-titles": (changed(BOOK["enterprise-titles"][0], title="little_giant"), firm_1),
        "contracts": (changed(BOOK["contracts"][0], contract_number="HT-9"), set()),
        "notes": (changed(BOOK["notes"][0], note_number="JJ-9"), firm_1),
        "repayments": (changed(BOOK["repayments"][0], reference="R-9"), firm_1),
        "note-statuses": (changed(BOOK["note-statuses"][0], ends_on="2026-06-01"), {FIRM_2}),
        "interest-collections": (changed(PAID, reference="S-9"), firm_1),
        "external-subsidies": (
            changed(BOOK["external-subsidies"][0], reference="X-9", uscc=FIRM_2), both,
        ),
        "note-transfers": (changed(BOOK["note-transfers"][0], moved_on="2026-05-01"), {FIRM_2}),
        "opening-positions": (changed(BOOK["opening-positions"][0], year="2024"), firm_1),
    }  # fmt: skip
    for kind, (row, concerned) in changes.items():
        assert bumped(lambda kind=kind, row=row: take(kind, [row], tmp_path)) == concerned, kind
        assert bumped(lambda kind=kind, row=row: take(kind, [row], tmp_path)) == set(), kind


def test_a_contract_that_changes_hands_marks_both_and_their_project_companions(
    tmp_path: Path,
) -> None:
    load_book(tmp_path, upto="projects")
    firms = [changed(BOOK["enterprises"][0], uscc=uscc) for uscc in (FIRM_3, FIRM_4)]
    take("enterprises", firms, tmp_path)
    of_firm, of_firm_2 = BOOK["contracts"]
    companion = changed(of_firm, contract_number="HT-3", uscc=FIRM_3)
    unconcerned = changed(of_firm_2, contract_number="HT-4", uscc=FIRM_4)
    take("contracts", [of_firm, of_firm_2, companion, unconcerned], tmp_path)
    moved = changed(of_firm, uscc=FIRM_2)
    assert bumped(lambda: take("contracts", [moved], tmp_path)) == {FIRM, FIRM_2, FIRM_3}
    left = changed(moved, project_code="")
    assert bumped(lambda: take("contracts", [left], tmp_path)) == {FIRM_2, FIRM_3}


def test_a_note_that_changes_contracts_marks_both_borrowers(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    moved = changed(BOOK["notes"][0], contract_number="HT-2")
    assert bumped(lambda: take("notes", [moved], tmp_path)) == {FIRM, FIRM_2}
