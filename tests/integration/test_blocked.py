"""What a finding blocks waits: neither a run nor a plan nor a recomputation pays it until it is dismissed."""

# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from config.kernel.models import Institution
from loans.values.errors import DomainError
from settlement.models import (
    BlockedSubsidy,
    Clawback,
    Deduction,
    EnterprisePosting,
    Finding,
    FindingDecision,
    LedgerEntry,
)
from settlement.selectors.stops import changed_since, waiting
from settlement.services import (
    checked_runs,
    deductions,
    findings,
    verification,
)
from settlement.services import duplicates as duplicates_service
from settlement.services.duplicates import check_duplicates
from settlement.services.verification import verify
from tests import database
from tests.integration.blocked_book import decide, left, run, small, told, twice  # noqa: F401
from tests.integration.book import AT
from tests.integration.planted import A2, B1, EQUIPMENT, MAKING, SME, Planted
from tests.integration.small_book import SECOND, SOUTH, SmallBook

pytestmark = pytest.mark.django_db


def test_what_a_finding_blocks_is_not_posted_until_it_is_dismissed(small: SmallBook) -> None:
    assert run()["blocked"] == 1
    assert small.net() == {"JK-1-2": 1000, "B-2": 1000}
    finding = twice()
    assert (finding.rule, finding.note.note_number, finding.blocked_schemes) == (
        "P2",
        "JK1",
        ["test"],
    )
    assert finding.is_blocking and finding.municipal_fen == 0
    note = finding.note_id
    assert waiting(finding_id=finding.pk) == [(note, "JK1", "test", 1, (0, 0, 100_000))]

    small.collect("JK1", 3, at=SOUTH, reference="JK1-3")
    small.collect("JK-1", 3, reference="JK-1-3")
    assert run()["blocked"] == 2
    assert small.net() == {"JK-1-2": 1000, "JK-1-3": 1000, "B-2": 1000}
    assert waiting(finding_id=finding.pk) == [(note, "JK1", "test", 2, (0, 0, 200_000))]
    assert left(verify()) == ([], 0, 2)

    began = run()  # nothing is new
    assert (began.get("originals", 0), began.get("blocked", 0)) == (0, 0)

    decide("dismissed")
    assert waiting(finding_id=finding.pk) == []
    assert left(verify()) == ([], 1, 0)  # it waits for a run now
    assert run()["originals"] == 2
    assert small.net()["JK1-2"] == small.net()["JK1-3"] == 1000
    assert left(verify()) == ([], 0, 0)
    check_duplicates(at=AT)  # money is at stake by now
    again = twice()
    assert (again.state, again.municipal_fen, again.is_blocking) == ("dismissed", 200_000, False)


def test_what_people_said_is_true_stays_blocked_and_money_is_asked_back_of_nobody(
    small: SmallBook,
) -> None:
    run()
    finding = decide("confirmed")
    small.collect("JK1", 3, at=SOUTH, reference="JK1-3")
    assert run()["blocked"] == 2
    assert small.net() == {"JK-1-2": 1000, "B-2": 1000}
    assert left(verify()) == ([], 0, 2)
    with pytest.raises(DomainError, match="nothing was paid"):
        findings.propose_clawbacks(finding_id=finding, actor="maker", at=AT)


def test_what_is_blocked_is_paid_once_its_facts_are_gone(small: SmallBook) -> None:
    run()
    small.contract("JK1", SECOND, at=SOUTH)  # it was another borrower's
    assert run()["originals"] == 1
    assert small.net() == {"JK-1-2": 1000, "JK1-2": 1000, "B-2": 1000}
    assert twice().gone_at is not None
    assert left(verify()) == ([], 0, 0)


def test_a_finding_of_what_is_posted_stops_what_comes_and_lets_money_go_back(
    small: SmallBook,
) -> None:
    started = deductions.start_run(actor="system", at=AT)  # nobody had looked
    assert started is not None
    deductions.work_run(run_id=started.run_id, owner="test", clock=lambda: AT)
    assert small.net() == {"JK-1-2": 1000, "JK1-2": 1000, "B-2": 1000}
    small.collect("JK1", 3, at=SOUTH, reference="JK1-3")
    small.collect("JK1", 2, at=SOUTH, reference="JK1-2R", paid="-1500.00")
    counts = run()
    assert (counts["blocked"], counts["originals"]) == (1, 1)
    assert small.net() == {"JK-1-2": 1000, "JK1-2": 1000, "JK1-2R": -500, "B-2": 1000}
    assert (twice().municipal_fen, left(verify())) == (100_000, ([], 0, 1))


def test_a_reversal_of_what_waits_waits_with_it(small: SmallBook) -> None:
    run()
    small.collect("JK1", 2, at=SOUTH, reference="JK1-2R", paid="-3000.00")
    counts = run()
    assert (counts["blocked"], counts.get("originals", 0)) == (2, 0)
    assert small.net() == {"JK-1-2": 1000, "B-2": 1000}
    assert not Clawback.objects.exists()
    assert left(verify()) == ([], 0, 2)
    decide("dismissed")
    run()
    assert sum(fen for reference, fen in small.net().items() if "JK1-2" in reference) == 0
    assert left(verify()) == ([], 0, 0)


def test_a_run_of_some_institutions_leaves_the_rest_as_it_was(small: SmallBook) -> None:
    south = Institution.objects.get(code=SOUTH)
    begun = checked_runs.begin_run(
        actor="system", clock=lambda: AT, scope=(south.pk, south.last_id), scheme="test"
    )
    assert begun is not None
    counts = deductions.work_run(run_id=begun.run.run_id, owner="test", clock=lambda: AT)
    assert (counts["blocked"], small.net(), EnterprisePosting.objects.count()) == (1, {}, 0)
    assert not LedgerEntry.objects.exists()


def test_a_blocked_deduction_is_explained_exported_and_told(small: SmallBook) -> None:
    out = io.StringIO()
    call_command("run_deductions", stdout=out, stderr=out)
    finding = twice().pk
    assert "因核查事项暂停 blocked by findings: 1 笔" in out.getvalue()
    out = io.StringIO()
    call_command("explain", "JK1", stdout=out)
    assert f"因核查事项 #{finding} P2 暂停" in out.getvalue()
    out = io.StringIO()
    call_command("explain", "JK-1", stdout=out)
    assert "暂停" not in out.getvalue()
    out = io.StringIO()
    call_command("verify", stdout=out)
    assert "1 笔因核查事项暂停" in out.getvalue()
    row = told(small)
    assert (row["blocks"], row["blocked_schemes"], row["blocked_amount"]) == (
        "yes",
        "test",
        "1000.00",
    )
    decide("dismissed")
    row = told(small)
    assert (row["blocks"], row["blocked_schemes"], row["blocked_amount"]) == ("no", "test", "0.00")


def lends(book: Planted, **second: object) -> None:
    """Two notes of one borrower at two banks, the second drawn later."""
    firm = book.enterprise()
    book.project(firm, "XM1")
    book.note(firm, "N1", contract="H1", project="XM1")
    book.note(
        firm, "N2", at=B1, contract="H2", **({"drawn": "2026-02-04", "yuan": 3_700_000} | second)
    )  # type: ignore[arg-type]


def same_note(book: Planted) -> None:
    firm = book.enterprise()
    book.note(firm, "N1", contract="H1")
    book.note(firm, "N1", at=B1, contract="H2", drawn="2026-02-04", schemes=f"{EQUIPMENT};{MAKING}")


def same_contract(book: Planted) -> None:
    firm = book.enterprise()
    book.note(firm, "N1", contract="H-1")
    book.note(firm, "N2", at=B1, contract="h1", drawn="2026-02-04", yuan=3_700_000)


def same_invoice(book: Planted) -> None:
    lends(book)
    for number, at in (("N1", "C0001320100001"), ("N2", B1)):
        book.invoice(number, "12345678901234567890", at=at)


def invoice_in_parts(book: Planted) -> None:
    lends(book)
    for number, at, yuan in (("N1", "C0001320100001", 100_000), ("N2", B1, 90_000)):
        book.invoice(number, "12345678901234567890", at=at, yuan=yuan)


def same_name(book: Planted) -> None:
    for number, at in (("N1", A2), ("N2", B1)):
        book.note(book.enterprise("同名企业有限公司"), number, at=at, contract=f"H{number}")


@pytest.mark.parametrize(
    ("plant", "rule", "blocked"),
    [
        (same_note, "P1", {EQUIPMENT, SME}),  # what excludes each other; the province's is another matter
        (same_contract, "P2", {EQUIPMENT, SME}),
        (same_invoice, "P5", {SME}),
        (invoice_in_parts, "P5", set()),
        (same_name, "P3", set()),
        (lambda book: lends(book, project="XM1"), "P4", set()),
    ],
)  # fmt: skip
def test_exact_keys_block_and_what_a_person_must_judge_does_not(
    plant: Callable[[Planted], None], rule: str, blocked: set[str], tmp_path: Path
) -> None:
    book = Planted(tmp_path)
    plant(book)
    book.load()
    run()
    check_duplicates(at=AT)
    finding = Finding.objects.get(rule=rule)
    assert set(finding.blocked_schemes) == blocked
    paid = Deduction.objects.filter(note_id=finding.note_id).values_list("scheme__code", flat=True)
    assert not set(paid) & blocked
    labels = {SME} if rule != "P1" else {EQUIPMENT, MAKING}
    assert set(paid) == labels - blocked
    assert check_duplicates(at=AT).changes == 0
    assert (run().get("originals", 0), Finding.objects.get(pk=finding.pk).gone_at) == (0, None)


def test_a_re_keyed_number_whose_days_cannot_meet_is_told_and_blocks_nothing(
    tmp_path: Path,
) -> None:
    book = Planted(tmp_path)
    firm = book.enterprise()
    book.note(firm, "N-1", contract="H1", collected=False)
    book.repay("N-1", "2026-03-01", 3_600_000)
    book.note(firm, "N1", at=B1, contract="H2", drawn="2026-03-02")
    book.load()
    assert run()["originals"] == 1
    assert (twice().severity, twice().blocked_schemes) == ("violation", [])


def test_each_institution_has_its_own_matter_of_a_contract_entered_twice(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    firm = book.enterprise()
    book.note(firm, "N1", contract="H-1")
    book.note(firm, "N2", at=A2, contract="h1", drawn="2026-02-04", yuan=3_700_000)
    book.note(firm, "N3", at=A2, contract="h1", drawn="2026-02-04", yuan=3_500_000)
    book.rows["note-transfers"].append(
        {
            "institution_code": A2,
            "note_number": "N3",
            "moved_on": "2026-02-20",
            "new_institution_code": B1,
        }
    )
    book.load()
    assert run()["blocked"] == 2
    found = Finding.objects.filter(rule="P2")
    assert {one.institution_id for one in found} == {
        Institution.objects.get(code=code).pk for code in (A2, B1)
    }
    for code in (A2, B1):
        place = Institution.objects.get(code=code)
        with database.as_role("app", place):
            assert [one.institution_id for one in BlockedSubsidy.objects.all()].count(place.pk) == 2
            assert BlockedSubsidy.objects.exclude(institution_id=place.pk).count() == 0
            assert changed_since() == []
    assert left(verify()) == ([], 0, 2)


def test_what_is_on_record_as_blocked_is_held_to_the_evidence(small: SmallBook) -> None:
    run()
    assert list(
        BlockedSubsidy.objects.values_list("note__note_number", "collections", "municipal_fen")
    ) == [("JK1", 1, 100_000)]
    row = BlockedSubsidy.objects.get()
    row.delete()
    row.pk, row.municipal_fen = None, 99_999
    row.save(force_insert=True)
    (problem,) = verify().problems
    assert problem.startswith("暂停的贴息与重算不符")


def test_a_project_paid_for_at_two_banks_is_found_though_one_of_them_is_stopped(
    tmp_path: Path,
) -> None:
    book = Planted(tmp_path)
    lends(book, project="XM1")
    for number, at in (("N1", "C0001320100001"), ("N2", B1)):
        book.invoice(number, "12345678901234567890", at=at)
    book.load()
    run()
    check_duplicates(at=AT)
    found = {one.rule: (one.severity, one.central_fen) for one in Finding.objects.all()}
    assert found == {"P4": ("violation", 0), "P5": ("violation", 0)}
    assert check_duplicates(at=AT).changes == 0
    decide("dismissed", "P5")
    run()
    check_duplicates(at=AT)
    assert set(Finding.objects.filter(central_fen__gt=0).values_list("rule", flat=True)) == {
        "P4",
        "P5",
    }


def test_one_number_at_two_banks_whose_days_do_not_meet_is_no_finding(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    firm = book.enterprise()
    book.note(firm, "N1", contract="H1", collected=False)
    book.rows["notes"][-1]["matures_on"] = "2026-03-01"
    book.note(firm, "N1", at=B1, contract="H2", drawn="2026-03-02")
    book.load()
    assert run()["originals"] == 1
    assert not Finding.objects.filter(rule="P1").exists()


def test_what_another_borrowers_correction_frees_is_posted_by_the_same_run(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    book.note(book.enterprise(), "N1", contract="H1")
    book.note(book.enterprise(), "N2", at=B1, contract="H2", drawn="2026-02-04", yuan=3_700_000)
    for number, at in (("N1", "C0001320100001"), ("N2", B1)):
        book.invoice(number, "12345678901234567890", at=at)
    book.load()
    assert run()["blocked"] == 1
    book.invoice("N1", "12345678901234567890", yuan=90_000)  # it had been typed wrongly
    book.load()
    assert run()["originals"] == 1
    assert left(verify()) == ([], 0, 0)
    book.invoice("N1", "12345678901234567890")
    book.collect("N2", "2026-03-02", "2026-04-02", at=B1)
    book.load()
    assert run()["blocked"] == 1
    assert left(verify()) == ([], 0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_run_waits_for_a_check_under_way_and_goes_on_without_one_that_fails(
    tmp_path: Path, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Planted(tmp_path)
    same_invoice(book)
    book.load()
    monkeypatch.setattr(checked_runs, "RUN_PATIENCE", "300ms")
    owner_connection.execute("SELECT pg_advisory_lock(%s)", [duplicates_service.CHECKING_LOCK])
    try:
        begun = checked_runs.begin_run(actor="system", clock=lambda: AT)
        assert begun is not None and begun.checked is None and "核查失败" in begun.why_not
    finally:
        owner_connection.execute("SELECT pg_advisory_unlock_all()")
    assert run()["blocked"] == 1


def test_only_a_violation_blocks_and_a_proposal_never_does(small: SmallBook) -> None:
    run()
    finding = twice()
    with pytest.raises(IntegrityError, match="only_violations_block"), transaction.atomic():
        Finding.objects.filter(pk=finding.pk).update(severity="warning")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM settlement_finding WHERE blocked_schemes <> '{}'")
        assert cursor.fetchone() == (1,)
    assert not FindingDecision.objects.exists()


def test_verify_says_nothing_of_what_is_decided_while_it_looks(
    small: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    gather, decided = verification.gather, []

    def meanwhile(**of: Any) -> Any:
        if not decided:
            decided.append(decide("dismissed"))
        return gather(**of)

    monkeypatch.setattr(verification, "gather", meanwhile)
    assert left(verify()) == ([], 1, 0) and decided
