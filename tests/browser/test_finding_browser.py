"""A finding in a browser: both sides seen, said by one, agreed to or sent back by another, asked back."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from typing import Any

import pytest

from config.kernel.models import Institution
from settlement.models import Clawback, Finding, FindingDecision
from tests.browser.desk import CHECKER, MAKER, Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.integration.planted import HEAD_A, Planted
from tests.integration.test_findings import book  # noqa: F401

pytestmark = MARKS

FOUND, SAID = "settlement/finding", "settlement/findingdecision"


@pytest.fixture
def desk(transactional_db: None, book: Planted, live_server: Any) -> Any:
    two_people(Institution.objects.get(code=HEAD_A))
    with desks(live_server.url, "finding") as made:
        yield made


def state(rule: str) -> str:
    return whole(lambda: str(Finding.objects.get(rule=rule).state))


def say(desk: Desk, rule: str, title: str, why: str) -> None:
    """The maker opens the finding and says what it is."""
    desk.menu(MAKER, FOUND)
    desk.row(MAKER, rule)
    desk.press(MAKER, title)
    desk.fill(MAKER, why=why)
    assert "已提交结论，待他人复核" in desk.submit(MAKER)


def agree(desk: Desk) -> None:
    """The checker comes from home to what was said, and agrees."""
    desk.waiting(CHECKER, "核查结论")
    desk.look(CHECKER, "05-waiting")
    desk.row(CHECKER, "属实")
    desk.press(CHECKER, "复核通过")


def test_one_says_what_a_finding_is_and_another_agrees(desk: Desk) -> None:
    desk.menu(MAKER, FOUND)
    listed = desk.look(MAKER, "01-list")
    assert "P2 合同或借据号重复录入" in listed and "4,200.00" in listed
    desk.row(MAKER, "P2")
    shown = desk.look(MAKER, "02-both-sides")
    for text in ("双方对照", "JK-31", "JK31", "2 应退方", "3,600,000.00", "4,200.00", "≠"):
        assert text in shown, text
    desk.press(MAKER, "属实")
    assert "必填" in desk.submit(MAKER)
    desk.look(MAKER, "03-no-reason")
    desk.fill(MAKER, why="同一笔贷款")
    assert "已提交结论，待他人复核" in desk.submit(MAKER)
    assert state("P2") == "open"
    said = whole(lambda: FindingDecision.objects.get().pk)
    desk.go(MAKER, f"{SAID}/{said}/change/")
    desk.look(MAKER, "04-own")
    desk.cannot(MAKER, "check")
    desk.cannot(MAKER, "refuse")

    agree(desk)
    shown = desk.look(CHECKER, "06-agree")
    for text in ("复核前后", "待处理", "JK31", "同一笔贷款"):
        assert text in shown, text
    assert "已复核" in desk.submit(CHECKER)
    assert state("P2") == "confirmed"
    assert "同一笔贷款" in desk.look(CHECKER, "07-confirmed")

    desk.menu(MAKER, FOUND)
    desk.row(MAKER, "P2")
    desk.press(MAKER, "提出追回")
    assert "已提出追回 1 笔，待他人复核" in desk.submit(MAKER)
    assert "4,200.00" in desk.look(MAKER, "08-asked-back")
    asked = whole(lambda: list(Clawback.objects.values_list("amount_fen", "state", "made_by")))
    assert asked == [(420_000, "proposed", MAKER)]


def test_what_was_said_is_sent_back_with_a_reason_and_said_anew(desk: Desk) -> None:
    say(desk, "P2", "不属实", "两笔不同贷款")
    desk.waiting(CHECKER, "核查结论")
    desk.row(CHECKER, "不属实")
    desk.press(CHECKER, "退回")
    assert "必填" in desk.submit(CHECKER)
    desk.fill(CHECKER, why="请附借款合同")
    assert "已退回，事项仍待处理" in desk.submit(CHECKER)
    assert "请附借款合同" in desk.look(CHECKER, "09-sent-back")
    assert state("P2") == "open"
    say(desk, "P2", "不属实", "合同证明两笔不同")
    desk.waiting(CHECKER, "核查结论")
    desk.row(CHECKER, "合同证明两笔不同")
    desk.press(CHECKER, "复核通过")
    assert "已复核" in desk.submit(CHECKER)
    assert state("P2") == "dismissed"
    desk.look(CHECKER, "10-dismissed")
