"""Plans, their results and recomputations leave out what a finding blocks, and let what the core deducted be."""

# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from datetime import date, timedelta

import pytest

from config.kernel.models import SCOPE_ALL, Institution
from loans.values.errors import DomainError
from settlement.models import (
    Finding,
    PlanException,
    PlannedDeduction,
    Recomputation,
)
from settlement.services import (
    checked_runs,
    deductions,
    ended_plans,
    plans,
    recomputations,
)
from settlement.services.assessments import assess_notes
from settlement.services.duplicates import check_duplicates
from tests import database
from tests.integration.blocked_book import decide, left, run, small, told, twice  # noqa: F401
from tests.integration.book import AT
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook
from tests.integration.test_plans import LATE, plan, receive, say, states

pytestmark = pytest.mark.django_db


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


def test_a_result_of_a_draft_that_is_blocked_is_released_and_not_called_posted(
    small: SmallBook,
) -> None:
    run()
    decided = decide("dismissed")
    say(small, "JK1", 3, at=SOUTH)
    plan(check=False)
    Finding.objects.filter(pk=decided).update(state="open", decision=None)  # on other facts
    say(small, "JK1", 3, "3000.00", at=SOUTH)
    assert run()["blocked"] == 2
    assert states()["JK1-3"] == ("released", 0)
    assert run().get("blocked", 0) == 0 and "JK1-3" not in small.net()


def test_a_checked_plan_that_was_ended_has_let_the_core_deduct_and_a_voided_row_has_not(
    small: SmallBook,
) -> None:
    deductions_of = ("JK1-3", "JK1-4")
    for month in (3, 4):
        say(small, "JK1", month, at=SOUTH)
    plan()
    check_duplicates(at=AT)
    rows = PlannedDeduction.objects.in_bulk()
    third, fourth = sorted(rows.values(), key=lambda row: row.collection.collected_on)
    later = AT + timedelta(hours=1)
    with database.as_role(None):
        ended_plans.end_plan(plan_id=third.plan_id, actor="boss", at=later, why="x")
        ended_plans.void_planned(ids=[fourth.pk], actor="boss", at=later, why="x")
    for month in (3, 4):
        say(small, "JK1", month, "3000.00", at=SOUTH)
    assert run()["blocked"] == 2  # February too
    assert {one: small.net().get(one) for one in deductions_of} == {"JK1-3": 1000, "JK1-4": None}


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


def test_a_posting_under_way_leaves_alone_what_was_not_looked_at(small: SmallBook) -> None:
    small.lend("C", FIRST, at=SOUTH)
    small.collect("C", 2, at=SOUTH, reference="C-2")
    assess_notes(at=AT)
    check_duplicates(at=AT)
    found = tried(1)
    south = Institution.objects.get(code=SOUTH)
    scope = (south.pk, south.last_id)
    with database.as_role("app", south):
        recomputations.release(recomputation_id=found.pk, actor="checker", at=AT)
    begun = recomputations.begin_posting(recomputation_id=found.pk, scope=scope, at=AT)
    assert begun is not None
    started = deductions.start_run(actor="x", at=AT, through=begun[0], scope=scope, asked=begun[1])
    assert started is not None
    decide("dismissed")
    counts = deductions.work_run(run_id=started.run_id, owner="test", clock=lambda: AT)
    assert (counts["moved"], small.net()) == (1, {})
