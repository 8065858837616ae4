"""What is planned and not paid: who may end it, what they are shown, and what the database holds."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from config.kernel.models import Institution, Role
from settlement.models import Plan, PlannedDeduction
from tests import database
from tests.integration.book import AT, import_rows
from tests.integration.small_book import NORTH
from tests.integration.steps import (
    address,
    become,
    choose,
    confirm,
    everything,
    faults,
    seen,
    send,
    taken,
)
from tests.integration.test_admin import person, web
from tests.integration.test_plan_steps import (
    PAGE,
    bank,
    checker,
    content,
    maker,
    money,
    planned,
    released,
    states,
    whole,
)

pytestmark = pytest.mark.django_db

ROW = "settlement.planneddeduction"
CHANGED = "内容在您查看后有变化，请重新核对"
__all__ = ["bank", "checker", "maker", "web"]


def row_of(note: str) -> int:
    return int(whole(lambda: PlannedDeduction.objects.get(note__note_number=note).pk))


def attack(rows: Any, **columns: Any) -> None:
    """Written past the pages, as the worker, who sees everything."""
    with pytest.raises(DatabaseError), database.as_role("worker"), transaction.atomic():
        rows.update(**columns)


@pytest.mark.parametrize("step", ["refuse", "drop"])
def test_a_draft_is_dropped_by_its_maker_or_refused_by_another_for_a_reason(
    step: str, maker: Any, checker: Any, bank: Institution, web: Any
) -> None:
    plan = planned(maker)
    if step == "drop":
        assert taken(send(maker, PAGE, "send", plan))
    who, name = (checker, "li") if step == "refuse" else (maker, "zhang")
    before = whole(everything)
    for why in ("", " ", "字" * 501):
        assert list(faults(send(who, PAGE, step, plan, why=why))) == ["why"]
    colleague = web(person(Role.MAKER, bank, "wang"))
    assert address(PAGE, "drop", plan) not in content(colleague, plan)
    assert "由其本人撤销" in faults(send(colleague, PAGE, "drop", plan, why="x"))[""]
    assert "计划尚未放行" in faults(send(checker, PAGE, "end", plan, why="x"))[""]
    assert whole(everything) == before
    assert taken(send(who, PAGE, step, plan, why="金额有误"))
    found = whole(Plan.objects.get)
    assert (found.state, found.why, found.ended_by) == ("dropped", "金额有误", name)
    assert found.ended_at is not None
    assert f"由 {name} 处理：金额有误" in content(maker, plan)
    assert money() == (1500, 0, 0)
    assert {state for state, _ in states().values()} == {"released"}
    before = whole(everything)
    assert "已结束或已撤销" in faults(send(maker, PAGE, "drop", plan, why="又一次"))[""]
    assert whole(everything) == before
    attack(Plan.objects.filter(pk=plan), why="别的")


def test_a_released_plan_is_ended_by_another_than_made_it(maker: Any, checker: Any) -> None:
    plan = released(maker, checker)
    before = whole(everything)
    assert send(maker, PAGE, "end", plan, why="改期").status_code == 403
    assert "须由未经办该计划的复核人" in faults(send(maker, PAGE, "drop", plan, why="改期"))[""]
    become("zhang", Role.CHECKER)
    assert address(PAGE, "end", plan) not in content(maker, plan)
    assert "须由他人复核" in faults(send(maker, PAGE, "end", plan, why="改期"))[""]
    assert list(faults(send(checker, PAGE, "end", plan, why=" "))) == ["why"]
    page = content(checker, plan, "end")
    for text in ("释放前后资金", "1,500.00", "待收息笔数", "已复核并预留", "已结束"):
        assert text in page, text
    assert whole(everything) == before
    assert taken(send(checker, PAGE, "end", plan, why="改期"))
    found = whole(Plan.objects.get)
    assert (found.state, found.ended_by, found.why) == ("closed", "li", "改期")
    assert (found.made_by, found.sent_by, found.checked_by) == ("zhang", "zhang", "li")
    assert states() == {"A": ("released", 0), "B": ("released", 0), "C": ("released", 0)}
    assert money() == (1500, 0, 0)
    last = checker.get(address(PAGE, "change", plan)).context["stages"][-1]
    assert (str(last.title), last.standing, last.who) == ("已结束", "off", "li")


def test_one_deduction_of_a_released_plan_is_voided_by_another(maker: Any, checker: Any) -> None:
    released(maker, checker)
    one = row_of("A")
    before = whole(everything)
    assert send(maker, ROW, "void", one, why="x").status_code == 403
    assert "须由未经办该计划的复核人" in faults(send(maker, ROW, "leave-out", one, why="x"))[""]
    become("zhang", Role.CHECKER)
    assert "须由他人复核" in faults(send(maker, ROW, "void", one, why="x"))[""]
    assert list(faults(send(checker, ROW, "void", one, why=" "))) == ["why"]
    page = content_of(checker, one)
    for text in ("释放前后资金", "1,000.00", "500.00", "已预留", "已作废"):
        assert text in page, text
    assert whole(everything) == before
    assert taken(send(checker, ROW, "void", one, why="企业已提前还清"))
    assert states()["A"] == ("void", 0)
    assert money() == (1500, 500, 0)
    found = whole(lambda: PlannedDeduction.objects.get(pk=one))
    assert (found.ended_by, found.why) == ("li", "企业已提前还清")
    assert found.ended_at is not None
    before = whole(everything)
    assert "不再变动" in faults(send(checker, ROW, "void", one, why="又一次"))[""]
    assert whole(everything) == before


def content_of(client: Any, pk: int) -> str:
    return str(client.get(address(ROW, "void", pk)).content.decode())


def test_who_takes_out_of_a_draft_does_not_release_it(
    maker: Any, checker: Any, bank: Institution, web: Any
) -> None:
    plan = planned(maker)
    helper = web(person(Role.MAKER, bank, "wang"))
    one = row_of("A")
    assert list(faults(send(helper, ROW, "leave-out", one, why=""))) == ["why"]
    assert taken(send(helper, ROW, "leave-out", one, why="企业不再申请"))
    assert taken(send(maker, PAGE, "send", plan))
    become("wang", Role.CHECKER)
    before = whole(everything)
    assert "须由他人复核" in faults(send(helper, PAGE, "release", plan))[""]
    assert whole(everything) == before
    attack(Plan.objects.filter(pk=plan), state="checked", checked_by="wang", checked_at=AT)
    assert taken(send(checker, PAGE, "release", plan))
    assert states() == {"A": ("void", 0), "B": ("reserved", 1000), "C": ("reserved", 500)}


def test_who_sent_a_plan_is_kept_and_does_not_release_it(
    maker: Any, bank: Institution, web: Any
) -> None:
    plan = planned(maker)
    helper = web(person(Role.MAKER, bank, "wang"))
    assert taken(send(helper, PAGE, "send", plan))
    found = whole(Plan.objects.get)
    assert (found.made_by, found.sent_by) == ("zhang", "wang")
    assert "wang" in content(maker, plan)
    become("wang", Role.CHECKER)
    before = whole(everything)
    assert "须由他人复核" in faults(send(helper, PAGE, "release", plan))[""]
    assert whole(everything) == before
    attack(Plan.objects.filter(pk=plan), state="checked", checked_by="wang", checked_at=AT)
    attack(Plan.objects.filter(pk=plan), sent_by="")


def test_the_list_shows_what_voiding_frees_and_asks_why(maker: Any, checker: Any) -> None:
    released(maker, checker)
    keys = [row_of("A"), row_of("B")]
    before = whole(everything)
    page = choose(checker, ROW, "void", keys).content.decode()
    for text in ("释放前后资金", "1,000.00", "500.00", 'name="why"'):
        assert text in page, text
    assert confirm_why(checker, keys, "") == "这个字段是必填项。"
    assert whole(everything) == before
    assert "已处理 2 条" in confirm(checker, ROW, "void", keys, why="改由现金支付")
    assert states() == {"A": ("void", 0), "B": ("void", 0), "C": ("reserved", 0)}
    assert money() == (1500, 0, 0)
    assert confirm(checker, ROW, "void", keys[:1], why="又一次") == [
        f"#{keys[0]}: 该笔代付已入账、释放或作废，不再变动"
    ]


def confirm_why(client: Any, keys: list[int], why: str) -> str:
    shown: Any = choose(client, ROW, "void", keys)
    data = {"action": "void", "_selected_action": keys, "confirmed": shown.context["seen"]}
    answer = client.post("/admin/settlement/planneddeduction/", {**data, "why": why})
    return str(answer.context["why"].errors[0])


def test_what_changed_since_it_was_looked_at_is_not_released(maker: Any, checker: Any) -> None:
    plan = planned(maker)
    assert taken(send(maker, PAGE, "send", plan))
    looked_at = seen(checker, PAGE, "release", plan)
    assert taken(send(maker, ROW, "leave-out", row_of("A"), why="企业不再申请"))
    before = whole(everything)
    answer = send(checker, PAGE, "release", plan, seen=looked_at)
    assert faults(answer) == {"": CHANGED}
    assert faults(send(checker, PAGE, "release", plan, seen="")) == {"": CHANGED}
    assert whole(everything) == before
    now = answer.context["form"]["seen"].value()  # type: ignore[attr-defined]
    assert now == seen(checker, PAGE, "release", plan) != looked_at
    assert taken(send(checker, PAGE, "release", plan, seen=now))
    assert states() == {"A": ("void", 0), "B": ("reserved", 1000), "C": ("reserved", 500)}


def test_the_database_holds_who_ends_what(maker: Any, checker: Any) -> None:
    plan = released(maker, checker)
    rows, plans = PlannedDeduction.objects.filter(pk=row_of("A")), Plan.objects.filter(pk=plan)
    gone = {"municipal_reserved_fen": 0, "state": "void"}
    before = whole(everything)
    for wrong in (
        {"why": "x"}, {"why": "x", "ended_by": "li"}, {"ended_by": "li", "ended_at": AT},
        {"why": "x", "ended_by": "zhang", "ended_at": AT},
    ):  # fmt: skip
        attack(rows, **gone, **wrong)
        attack(plans, state="closed", **wrong)
    attack(plans, state="closed")
    assert whole(everything) == before
    assert taken(send(checker, ROW, "void", row_of("A"), why="企业已提前还清"))
    for wrong in ({"why": "别的"}, {"ended_by": "wang"}, {"state": "released"}):
        attack(rows, **wrong)


def test_a_branch_takes_nothing_out_of_its_banks_plan(
    maker: Any, bank: Institution, web: Any
) -> None:
    planned(maker)
    branch = Institution.objects.get(code=NORTH)
    before = whole(everything)
    client = web(person(Role.MAKER, branch, "wang"))
    one = row_of("A")
    assert (
        address(ROW, "leave-out", one)
        not in client.get(address(ROW, "change", one)).content.decode()
    )
    answer = send(client, ROW, "leave-out", one, why="x")
    assert answer.status_code == 404 or "由上级机构编制" in faults(answer)[""]
    assert whole(everything) == before


def test_a_plan_of_which_nothing_is_left_is_closed_when_it_is_released(
    maker: Any, checker: Any, tmp_path: Any
) -> None:
    """All of it was collected while it was a draft; no answer is waited for."""
    plan = planned(maker)
    rows = [
        {
            "institution_code": NORTH, "note_number": note, "period_start": "2026-02-01",
            "period_end": "2026-02-11", "interest_due": "3000.00", "interest_paid": "3000.00",
            "collected_on": "2026-02-11", "reference": f"{note}-2",
        }
        for note in "ABC"
    ]  # fmt: skip
    with database.as_role("worker"):
        import_rows("interest-collections", rows, tmp_path)
    assert taken(send(maker, PAGE, "send", plan))
    assert taken(send(checker, PAGE, "release", plan))
    found = whole(Plan.objects.get)
    assert (found.state, found.checked_by, found.ended_by) == ("closed", "li", "")
    assert {state for state, _ in states().values()} == {"released"}
    assert address(PAGE, "results", plan) not in content(maker, plan)


def test_what_is_reserved_is_freed_by_a_person_or_its_result_alone(
    maker: Any, checker: Any, bank: Institution
) -> None:
    plan = released(maker, checker)
    before = whole(everything)
    rows = PlannedDeduction.objects.filter(plan=plan, state="reserved")
    for state in ("posted", "released", "planned", "held"):
        for role in ("app", "worker"):
            with (
                pytest.raises(IntegrityError, match="已预留的代付由收息结果或复核人结束"),
                database.as_role(role, bank),
                transaction.atomic(),
            ):
                rows.update(state=state, municipal_reserved_fen=0)
    assert whole(everything) == before
    assert taken(send(checker, ROW, "void", row_of("A"), why="企业已提前还清"))
    with (
        pytest.raises(IntegrityError),
        database.as_role("app", bank),
        transaction.atomic(),
    ):
        PlannedDeduction.objects.filter(pk=row_of("A")).update(state="reserved")
