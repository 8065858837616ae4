"""Plans of an interest day: what is reserved, what results post, release or leave (domain §5)."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from config.kernel.models import Institution
from loans.models import InterestCollection
from loans.values.errors import DomainError
from settlement.models import Clawback, Fund, Plan, PlanException, PlannedDeduction, Scheme
from settlement.selectors import plans as plans_selected
from settlement.selectors.institutions import fund_institutions
from settlement.services import ended_plans, plans
from settlement.services.funds import FundKey
from settlement.services.verification import verify
from tests.integration.book import AT, exported, pre_allocate, run
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook

pytestmark = pytest.mark.django_db

LATE = date(2026, 12, 31)


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    book = SmallBook(tmp_path)
    book.scheme()
    return book


def say(small: SmallBook, number: str, month: int, paid: str = "", at: str = NORTH) -> None:
    """Ten days' interest of 3,000 yuan on the 11th: planned, or its result."""
    small.enter(
        "interest-collections",
        {
            "institution_code": at, "note_number": number,
            "period_start": date(2026, month, 1), "period_end": date(2026, month, 11),
            "interest_due": "3000.00", "interest_paid": paid,
            "collected_on": date(2026, month, 11), "reference": f"{number}-{month}",
        },
    )  # fmt: skip


def receive(small: SmallBook, yuan: int, number: int = 1) -> None:
    """Money for the north bank's fund of the scheme."""
    place = InterestCollection.objects.filter(origin__code=NORTH)[0].institution_id
    key = FundKey(
        fund_institutions(level="provincial")[place],
        Scheme.objects.get(code="test").pk,
        "municipal",
    )
    pre_allocate(key, yuan * 100, f"文号 {number}")


def plan(check: bool = True) -> list[int]:
    made = plans.make_plans(through=LATE, actor="system", at=AT)
    for plan_id in made if check else []:
        plans.check_plan(plan_id=plan_id, actor="checker", at=AT)
    return made


def fund() -> tuple[int, int, int]:
    """Special account, reserved and the bank's advance, in yuan."""
    one = Fund.objects.get(special_account_fen__gt=0)
    return (
        one.special_account_fen // 100,
        one.reserved_fen // 100,
        -one.bank_advance_fen // 100,
    )


def states() -> dict[str, tuple[str, int]]:
    """Each planned deduction's state and what is reserved for it, in yuan."""
    rows = PlannedDeduction.objects.select_related("collection").order_by("pk")
    return {row.collection.reference: (row.state, row.reserved_fen // 100) for row in rows}


@pytest.fixture
def two(small: SmallBook) -> SmallBook:
    """Two enterprises with planned interest, and money for one and a half."""
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        small.lend(number, uscc)
        say(small, number, 2)
    receive(small, 1500)
    return small


def test_a_plan_reserves_once_checked_and_results_post_it(two: SmallBook) -> None:
    (draft,) = plan(check=False)
    assert fund() == (1500, 0, 0)
    assert states() == {"A-2": ("planned", 0), "B-2": ("planned", 0)}
    plans.check_plan(plan_id=draft, actor="checker", at=AT)
    assert fund() == (1500, 1500, 0)
    assert states() == {"A-2": ("reserved", 1000), "B-2": ("reserved", 500)}
    assert run() == {} and two.net() == {}

    say(two, "A", 2, "1500.00")
    run()
    assert two.net() == {"A-2": 500}
    assert fund() == (1000, 500, 0)
    assert states() == {"A-2": ("posted", 0), "B-2": ("reserved", 500)}
    assert Plan.objects.get().state == "checked"

    say(two, "B", 2, "0.00")
    run()
    assert two.net() == {"A-2": 500, "B-2": 0}
    assert fund() == (1000, 0, 0)
    assert states() == {"A-2": ("posted", 0), "B-2": ("released", 0)}
    assert Plan.objects.get().state == "closed"
    (line,) = plans_selected.funds_of_plan(plan_id=draft)
    assert (line.planned_fen, line.posted_fen, line.ended_fen) == (0, 100_000, 100_000)
    assert plan() == []


def test_paid_in_full_is_posted_in_full_and_advanced_where_money_lacks(two: SmallBook) -> None:
    plan()
    assert verify().problems == []
    PlannedDeduction.objects.filter(place=2).update(municipal_reserved_fen=49_999)
    (wrong,) = verify().problems
    assert "reserved differs" in wrong and "150000 ≠ 149999" in wrong
    PlannedDeduction.objects.filter(place=2).update(municipal_reserved_fen=50_000)
    for number in "AB":
        say(two, number, 2, "3000.00")
    run()
    assert verify().problems == []
    assert two.net() == {"A-2": 1000, "B-2": 1000}
    (one,) = Fund.objects.all()
    assert (one.special_account_fen, one.reserved_fen, one.bank_advance_fen) == (0, 0, -50_000)


def test_planning_twice_changes_nothing_and_what_is_posted_is_not_planned(two: SmallBook) -> None:
    first = plan()
    before = (list(PlannedDeduction.objects.values_list()), fund())
    assert plan() == []
    assert (list(PlannedDeduction.objects.values_list()), fund()) == before
    say(two, "A", 2, "3000.00")
    run()
    ended_plans.end_plan(plan_id=first[0], actor="checker", at=AT, why="重做")
    assert fund() == (500, 0, 0)
    plan()
    assert [row.collection.reference for row in PlannedDeduction.objects.filter(state="reserved")] == ["B-2"]  # fmt: skip
    row = PlannedDeduction.objects.get(state="reserved")
    row.pk = None
    with pytest.raises(IntegrityError, match="planned_once_per_collection"), transaction.atomic():
        row.save(force_insert=True)


def test_void_and_drop_free_the_money(two: SmallBook) -> None:
    (number,) = plan()
    first = PlannedDeduction.objects.get(place=1)
    with pytest.raises(DomainError, match="原因"):
        ended_plans.void_planned(ids=[first.pk], actor="maker", at=AT, why=" ")
    assert fund() == (1500, 1500, 0)
    assert ended_plans.void_planned(ids=[first.pk], actor="maker", at=AT, why="客户要求") == 1
    assert fund() == (1500, 500, 0)
    assert states()["A-2"] == ("void", 0)
    ended_plans.end_plan(plan_id=number, actor="maker", at=AT, why="改期")
    assert fund() == (1500, 0, 0)
    (again,) = plan(check=False)
    assert states()["B-2"] == ("planned", 0)
    assert PlannedDeduction.objects.filter(plan_id=again).count() == 1
    ended_plans.refuse_plan(plan_id=again, actor="maker", at=AT, why="不做")
    assert [p.state for p in Plan.objects.order_by("pk")] == ["closed", "dropped"]


def test_a_plan_is_checked_once_and_by_another(two: SmallBook) -> None:
    (number,) = plan(check=False)
    with pytest.raises(DomainError, match="须由他人复核"):
        plans.check_plan(plan_id=number, actor="system", at=AT)
    assert fund() == (1500, 0, 0)
    plans.check_plan(plan_id=number, actor="checker", at=AT)
    with pytest.raises(DomainError, match="不是待复核状态"):
        plans.check_plan(plan_id=number, actor="other", at=AT)
    assert fund() == (1500, 1500, 0)


def test_what_was_collected_before_the_check_is_not_reserved(two: SmallBook) -> None:
    (number,) = plan(check=False)
    say(two, "A", 2, "3000.00")
    plans.check_plan(plan_id=number, actor="checker", at=AT)
    assert states() == {"A-2": ("released", 0), "B-2": ("reserved", 1000)}
    assert fund() == (1500, 1000, 0)


def test_a_holding_scheme_reserves_whole_or_holds(tmp_path: Path) -> None:
    small = SmallBook(tmp_path)
    path = tmp_path / "test.toml"
    small.scheme()
    path.write_text(path.read_text().replace('"advance"', '"hold"'), encoding="utf-8")
    call_command("load_schemes", str(path), stdout=io.StringIO())
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        small.lend(number, uscc)
        say(small, number, 2)
    receive(small, 1500)
    plan()
    assert states() == {"A-2": ("reserved", 1000), "B-2": ("held", 0)}
    assert fund() == (1500, 1000, 0)
    assert plan() == []


def test_what_was_reserved_is_not_used_for_what_comes_before_it(tmp_path: Path) -> None:
    small = SmallBook(tmp_path)
    small.scheme(shortfall="hold")
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        small.lend(number, uscc)
    say(small, "B", 2)
    receive(small, 1500)
    plan()
    assert states() == {"B-2": ("reserved", 1000)}
    say(small, "A", 2, "3000.00")
    say(small, "B", 2, "3000.00")
    counts = run()
    assert (counts["originals"], counts["held"]) == (1, 1)
    assert small.net() == {"B-2": 1000}
    assert states() == {"B-2": ("posted", 0)}
    assert fund() == (500, 0, 0)
    receive(small, 500, 2)
    run()
    assert small.net() == {"A-2": 1000, "B-2": 1000}
    assert verify().problems == []


def test_exceptions_and_instructions(two: SmallBook, tmp_path: Path) -> None:
    two.participation(valid_to="2026-01-01")
    two.lend("C", SECOND, at=SOUTH)
    say(two, "C", 2, at=SOUTH)
    plan()
    found = PlanException.objects.values_list("collection__reference", "reason", "detail")
    assert sorted(found) == [
        (f"{number}-2", "ineligible", "institution_not_participating") for number in "ABC"
    ]
    assert PlannedDeduction.objects.count() == 0
    two.participation()
    plan()
    listed = exported("instructions", tmp_path)
    assert [(r["reference"], r["interest_open"], r["total"], r["net_to_collect"]) for r in listed] == [
        (f"{number}-2", "3000.00", "1000.00", "2000.00") for number in "ABC"
    ]  # fmt: skip


@pytest.mark.parametrize(("checked", "state"), [(True, "closed"), (False, "dropped")])
def test_exceptions_told_once_make_no_plan_again(two: SmallBook, checked: bool, state: str) -> None:
    """Neither after the plan that told them is closed nor after it was dropped."""
    two.participation(valid_to="2026-01-01")
    (first,) = plan(check=checked)
    assert (PlannedDeduction.objects.count(), PlanException.objects.count()) == (0, 2)
    assert plan() == []
    end, actor = (ended_plans.end_plan, "checker") if checked else (ended_plans.drop_plan, "system")
    end(plan_id=first, actor=actor, at=AT, why="没有可代付的")
    assert (Plan.objects.get().state, plan()) == (state, [])
    two.participation()
    (second,) = plan()
    assert (Plan.objects.get(pk=second).planned_fen, PlanException.objects.count()) == (200_000, 2)


def owing(small: SmallBook, scheme: str = "advance") -> None:
    """A owes 500 yuan back, B nothing; the next interest of both is planned."""
    small.scheme(shortfall=scheme)
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        small.lend(number, uscc)
    receive_for(small, 3000)
    small.collect("A", 2)
    run()
    small.repay("A", "2026-01-20", 1_800_000)
    run()
    for number in "AB":
        say(small, number, 3)


def receive_for(small: SmallBook, yuan: int) -> None:
    """Money before anything was collected."""
    say(small, "B", 2)
    receive(small, yuan)
    say(small, "B", 2, "0.00")


def instructed(folder: Path) -> dict[str, tuple[str, ...]]:
    names = ("total", "offset", "net_to_collect", "paid_out")
    return {r["reference"]: tuple(r[n] for n in names) for r in exported("instructions", folder)}


def test_what_is_owed_back_is_collected_with_the_interest(tmp_path: Path) -> None:
    small = SmallBook(tmp_path)
    owing(small)
    assert fund() == (2000, 0, 0)
    plan()
    assert instructed(tmp_path) == {
        "A-3": ("500.00", "500.00", "3000.00", "0.00"),
        "B-3": ("1000.00", "0.00", "2000.00", "0.00"),
    }
    assert fund() == (2000, 1000, 0)
    (line,) = plans_selected.funds_of_plan(plan_id=Plan.objects.get().pk)
    assert (line.planned_fen, line.offset_fen, line.reserved_fen) == (150_000, 50_000, 100_000)
    assert (line.available_fen, line.shortfall_fen) == (100_000, 0)
    for number in "AB":
        say(small, number, 3, "3000.00")
    run()
    assert fund() == (1000, 0, 0)
    assert Clawback.objects.values_list("amount_fen", "offset_fen").get() == (50_000, 50_000)
    assert instructed(tmp_path)["A-3"] == ("500.00", "500.00", "3000.00", "0.00")
    assert verify().problems == []


def test_a_debt_is_offset_in_one_plan_only_and_not_where_staff_decided_so(tmp_path: Path) -> None:
    small = SmallBook(tmp_path)
    owing(small)
    Clawback.objects.update(is_offset=False)
    (first,) = plan()
    assert instructed(tmp_path)["A-3"] == ("500.00", "0.00", "2500.00", "0.00")
    ended_plans.end_plan(plan_id=first, actor="maker", at=AT, why="改为抵扣")
    Clawback.objects.update(is_offset=True)
    plan()
    say(small, "A", 4)
    plan()
    found = instructed(tmp_path)
    assert found["A-3"] == ("500.00", "500.00", "3000.00", "0.00")
    assert found["A-4"] == ("500.00", "0.00", "2500.00", "0.00")
    assert fund() == (2000, 1500, 0)


def test_a_holding_scheme_holds_nothing_back_that_needs_no_money(tmp_path: Path) -> None:
    small = SmallBook(tmp_path)
    owing(small, "hold")
    receive(small, -1900, 2)
    plan()
    assert states() == {"A-3": ("reserved", 0), "B-3": ("held", 0)}
    say(small, "A", 3, "3000.00")
    run()
    assert small.net() == {"A-2": 500, "A-3": 500, "B-2": 0}
    assert fund() == (100, 0, 0)


def test_the_command_plans_checks_and_prints(two: SmallBook) -> None:
    out = io.StringIO()
    call_command("run_deductions", "--plan", "--through", "2026-02-28", stdout=out)
    assert "2,000.00 元" in out.getvalue()
    assert out.getvalue().splitlines()[-1].split()[-5:] == [
        "2,000.00",
        "0.00",
        "1,500.00",
        "0.00",
        "500.00",
    ]
    out = io.StringIO()
    call_command("run_deductions", "--plan", stdout=out)
    assert "nothing new to plan" in out.getvalue()


def test_the_command_says_in_one_line_what_a_rule_refuses(
    two: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.kernel.services.second_person.CHECKER", "system")
    with pytest.raises(CommandError, match="须由他人复核"):
        call_command("run_deductions", "--plan", stdout=io.StringIO())
    assert Plan.objects.get().state == Plan.State.DRAFT
    assert not Fund.objects.exclude(reserved_fen=0).exists()


def test_the_web_checks_voids_and_ends_in_its_scope_only(
    two: SmallBook, as_role: Callable[..., AbstractContextManager[None]]
) -> None:
    (number,) = plan(check=False)
    branch = Institution.objects.get(code=NORTH)
    with pytest.raises(DomainError, match="上级机构的资金"), as_role("app", branch):
        plans.check_plan(plan_id=number, actor="checker", at=AT)
    assert states() == {"A-2": ("planned", 0), "B-2": ("planned", 0)}
    with as_role("app", branch.parent):
        plans.check_plan(plan_id=number, actor="checker", at=AT)
        assert fund() == (1500, 1500, 0)
        first = PlannedDeduction.objects.get(place=1)
        assert ended_plans.void_planned(ids=[first.pk], actor="maker", at=AT, why="客户要求") == 1
        ended_plans.end_plan(plan_id=number, actor="maker", at=AT, why="改期")
    assert states() == {"A-2": ("void", 0), "B-2": ("released", 0)}
    assert fund() == (1500, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_two_reserving_at_once_never_overspend(two: SmallBook) -> None:
    ended_plans.drop_plan(plan_id=plan(check=False)[0], actor="system", at=AT, why="分两次")
    (first,) = plan(check=False)
    say(two, "A", 3)
    (second,) = plan(check=False)
    ready = threading.Barrier(2)

    def check(plan_id: int) -> None:
        try:
            ready.wait()
            plans.check_plan(plan_id=plan_id, actor="checker", at=AT)
        finally:
            connection.close()

    threads = [threading.Thread(target=check, args=(number,)) for number in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fund() == (1500, 1500, 0)
    assert sum(reserved for _, reserved in states().values()) == 1500
    assert Plan.objects.filter(state="checked").count() == 2
