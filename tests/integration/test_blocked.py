"""What a finding blocks waits: neither a run nor a plan nor a recomputation pays it until it is dismissed."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from config.kernel.models import SCOPE_ALL, Institution
from loans.values.errors import DomainError
from settlement.models import (
    BlockedSubsidy,
    Deduction,
    EnterprisePosting,
    Finding,
    FindingDecision,
    LedgerEntry,
    PlanException,
    Recomputation,
)
from settlement.selectors.stops import waiting
from settlement.services import checked_runs, deductions, findings, plans, recomputations
from settlement.services import duplicates as duplicates_service
from settlement.services.assessments import assess_notes
from settlement.services.duplicates import check_duplicates
from settlement.services.verification import Verified, verify
from tests import database
from tests.integration.book import AT, exported
from tests.integration.planted import A2, B1, EQUIPMENT, MAKING, SME, Planted
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook
from tests.integration.test_plans import LATE, plan, receive, say, states

pytestmark = pytest.mark.django_db


def run() -> dict[str, int]:
    """A run of its own accord: a check of what changed, then the posting; its counts."""
    begun = checked_runs.begin_run(actor="system", clock=lambda: AT)
    assert begun is not None and begun.why_not == ""
    return deductions.work_run(run_id=begun.run.run_id, owner="test", clock=lambda: AT)


def twice() -> Finding:
    """The loan that was entered twice."""
    return Finding.objects.get(rule="P2")


def told(small: SmallBook) -> dict[str, str]:
    """What the list of findings says of it."""
    (row,) = (row for row in exported("findings", small.folder) if row["rule"] == "P2")
    return row


def decide(outcome: str, rule: str = "P2") -> int:
    """Two people say what it is."""
    finding = Finding.objects.get(rule=rule)
    made = findings.propose_decision(
        finding_id=finding.pk, outcome=outcome, why="合同原件核对", actor="maker", at=AT
    )
    findings.check_decision(decision_id=made, actor="checker", at=AT)
    return int(finding.pk)


def left(found: Verified) -> tuple[list[str], int, int]:
    return found.problems, found.waiting, found.blocked


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """One loan entered twice, at two branches, and another; a month's interest of each."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("JK-1", FIRST)
    book.lend("JK1", FIRST, at=SOUTH)
    book.lend("B", SECOND)
    for number, at in (("JK-1", NORTH), ("JK1", SOUTH), ("B", NORTH)):
        book.collect(number, 2, at=at, reference=f"{number}-2")
    return book


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


def test_a_run_of_some_institutions_leaves_the_rest_as_it_was(small: SmallBook) -> None:
    south = Institution.objects.get(code=SOUTH)
    begun = checked_runs.begin_run(
        actor="system", clock=lambda: AT, scope=(south.pk, south.last_id), scheme="test"
    )
    assert begun is not None
    counts = deductions.work_run(run_id=begun.run.run_id, owner="test", clock=lambda: AT)
    assert (counts["blocked"], small.net(), EnterprisePosting.objects.count()) == (1, {}, 0)
    assert not LedgerEntry.objects.exists()


def test_a_plan_leaves_out_what_is_blocked_and_says_so(small: SmallBook) -> None:
    run()
    for number, at in (("JK-1", NORTH), ("JK1", SOUTH), ("B", NORTH)):
        say(small, number, 3, at=at)
    made = checked_runs.begin_plans(actor="system", clock=lambda: AT, through=LATE, scope=SCOPE_ALL)
    assert made.why_not == "" and set(states()) == {"JK-1-3", "B-3"}
    (left_out,) = PlanException.objects.filter(reason="blocked")
    finding = twice()
    assert (left_out.collection.reference, left_out.scheme_code, left_out.detail) == (
        "JK1-3", "test", f"#{finding.pk} P2",
    )  # fmt: skip
    decide("dismissed")
    plan(check=False)
    assert set(states()) == {"JK-1-3", "B-3", "JK1-3"}


def test_a_draft_with_what_is_blocked_by_now_is_not_checked(small: SmallBook) -> None:
    for number, at in (("JK-1", NORTH), ("JK1", SOUTH)):
        say(small, number, 3, at=at)
    drafts = plan(check=False)  # before anybody looked
    assert set(states()) == {"JK-1-3", "JK1-3"}
    check_duplicates(at=AT)
    before = states()
    refused = []
    for draft in drafts:
        try:
            plans.check_plan(plan_id=draft, actor="checker", at=AT)
        except DomainError as error:
            refused.append(error)
    assert [error.code for error in refused] == ["findings_block"]
    assert f"JK1 #{twice().pk}" in refused[0].message
    assert states() == before | {"JK-1-3": ("reserved", states()["JK-1-3"][1])}
    decide("dismissed")
    for draft in drafts[1:]:
        plans.check_plan(plan_id=draft, actor="checker", at=AT)
    assert states()["JK1-3"][0] == "reserved"


def test_what_a_checked_plan_let_the_core_deduct_is_posted_all_the_same(small: SmallBook) -> None:
    receive(small, 9000)
    for number, at in (("JK-1", NORTH), ("JK1", SOUTH)):
        say(small, number, 3, at=at)
    plan()
    check_duplicates(at=AT)
    assert twice().is_blocking
    for number, at in (("JK-1", NORTH), ("JK1", SOUTH)):
        say(small, number, 3, "3000.00", at=at)
    assert run()["blocked"] == 1  # February, which was in no plan
    net = small.net()
    assert (net.get("JK1-2"), net["JK-1-2"], sum(net.values())) == (None, 1000, 3000 + 1000)


def tried(number: int) -> Recomputation:
    """A trial of the southern branch's deductions."""
    south = Institution.objects.get(code=SOUTH)
    key = recomputations.propose(
        institution_id=south.pk, through=date(2026, 12, 31), actor=f"maker{number}", at=AT
    )
    recomputations.record_trial(
        recomputation_id=key, scope=(south.pk, south.last_id), at=AT, tell=lambda _: None
    )
    return Recomputation.objects.get(pk=key)


def test_a_trial_tells_what_is_blocked_and_lapses_when_that_changes(small: SmallBook) -> None:
    assess_notes(at=AT)
    check_duplicates(at=AT)
    found = tried(1)
    assert (found.state, found.trial["sums"]) == ("nothing", [])
    (waits,) = found.trial["others"]
    assert (waits["kind"], waits["tier"], waits["amount_fen"]) == ("blocked", "municipal", 100_000)
    assert "因核查事项暂停" in found.why

    small.lend("C", SECOND, at=SOUTH)
    small.collect("C", 2, at=SOUTH, reference="C-2")
    found = tried(2)
    assert found.state == "ready"
    assert [one["first_fen"] for one in found.trial["sums"]] == [100_000]
    south = Institution.objects.get(code=SOUTH)
    with database.as_role("app", south):
        recomputations.release(recomputation_id=found.pk, actor="checker", at=AT)
    decide("dismissed")
    scope = (south.pk, south.last_id)
    assert recomputations.begin_posting(recomputation_id=found.pk, scope=scope, at=AT) is None
    assert (small.net(), tried(3).trial["sums"][0]["first_fen"]) == ({}, 200_000)


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
