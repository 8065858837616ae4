"""Corrections in the admin: a trial shows what late facts change, a second person has it posted."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.kernel.models import Institution, Role, Run
from settlement.models import Deduction, LedgerEntry, Recomputation
from settlement.services import recomputations
from tests import database
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, SECOND, SOUTH, TREE, SmallBook, agrees
from tests.integration.steps import address, become, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_plan_steps import whole, work

pytestmark = pytest.mark.django_db

PAGE = "settlement.recomputation"


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """Two banks' notes, each with two collections posted; then a repayment told late at each."""
    book = SmallBook(tmp_path)
    book.scheme()
    book.lend("A", FIRST)
    book.lend("B", SECOND, at=SOUTH)
    for month in (2, 3):
        book.collect("A", month)
        book.collect("B", month, at=SOUTH)
    run()
    book.repay("A", "2026-03-01", 1_800_000)
    book.repay("B", "2026-03-01", 1_800_000, at=SOUTH)
    return book


@pytest.fixture
def bank(small: SmallBook) -> Institution:
    return Institution.objects.get(code=TREE[0][0])


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


def tried(maker: Any, bank: Institution) -> int:
    assert taken(send(maker, PAGE, "order", institution=str(bank.pk), through="2026-03-31"))
    work()
    return int(whole(lambda: Recomputation.objects.latest("pk").pk))


def kept() -> list[Any]:
    """What is posted and said, whoever sees it."""
    models = (Deduction, LedgerEntry, Recomputation)
    return whole(lambda: [list(model.objects.order_by("pk").values()) for model in models])


def state(key: int) -> Any:
    return whole(lambda: Recomputation.objects.get(pk=key))


def test_a_late_fact_is_tried_seen_and_posted(
    maker: Any, checker: Any, bank: Institution, small: SmallBook
) -> None:
    before = whole(small.posted)
    key = tried(maker, bank)
    assert whole(small.posted) == before
    found = state(key)
    assert (found.state, found.made_by, found.trial["differences"]) == ("ready", "zhang", 1)
    (row,) = found.trial["rows"]
    assert (row["municipal_fen_was"], row["municipal_fen"], row["sequence"]) == (
        100_000,
        -50_000,
        1,
    )
    page = checker.get(address(PAGE, "release", key)).content.decode()
    for text in (
        "重算的收息（1 笔有差额）",
        "A-3",
        "1,000.00",
        "-500.00",
        "500.00",
        "2,000.00",
        "1,500.00",
    ):
        assert text in page, text
    assert address(PAGE, "release", key) not in maker.get(url(PAGE, "change", key)).content.decode()

    assert taken(send(checker, PAGE, "release", key))
    assert whole(small.posted) == before
    work()
    added = whole(small.posted)[len(before) :]
    assert added == [("A-3", 1, -500)]
    found = state(key)
    assert (found.state, found.checked_by) == ("posted", "li")
    assert "已入账的差额" in checker.get(url(PAGE, "change", key)).content.decode()
    assert whole(lambda: agrees(waiting=2))
    after = kept()
    assert "现为“已入账”" in faults(send(checker, PAGE, "release", key))[""]
    work()
    assert kept() == after


def test_the_same_again_finds_nothing(maker: Any, checker: Any, bank: Institution) -> None:
    key = tried(maker, bank)
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert state(tried(maker, bank)).state == "nothing"


def test_twice_is_once(maker: Any, bank: Institution) -> None:
    sent = {"institution": str(bank.pk), "through": "2026-03-31"}
    assert taken(send(maker, PAGE, "order", **sent))
    before = kept(), whole(Run.objects.count)
    assert "未重复提交" in faults(send(maker, PAGE, "order", **sent))["institution"]
    assert (kept(), whole(Run.objects.count)) == before


def test_what_changed_since_the_trial_is_not_posted(
    maker: Any, checker: Any, bank: Institution, small: SmallBook
) -> None:
    key = tried(maker, bank)
    with database.as_role("worker"):
        small.repay("A", "2026-03-05", 900_000)
    before = whole(small.posted)
    assert taken(send(checker, PAGE, "release", key))
    work()
    found = state(key)
    assert (found.state, found.run_id) == ("lapsed", None)
    assert found.why.startswith("事实或政策已变化")
    assert whole(small.posted) == before


def test_a_posting_that_failed_is_ordered_again(
    maker: Any, checker: Any, bank: Institution, small: SmallBook
) -> None:
    key = tried(maker, bank)
    before = kept()
    assert "不在待入账状态" in faults(send(checker, PAGE, "again", key))[""]
    assert kept() == before
    assert taken(send(checker, PAGE, "release", key))
    assert "正在进行，未重复提交" in faults(send(checker, PAGE, "again", key))[""]
    with database.as_role("worker"):
        Run.objects.filter(kind="post").update(state="failed")
    assert state(key).state == "released"
    assert send(maker, PAGE, "again", key).status_code == 403
    assert taken(send(checker, PAGE, "again", key))
    work()
    assert state(key).state == "posted"
    assert whole(small.posted)[-1] == ("A-3", 1, -500)


def test_what_an_attempt_posted_before_it_failed_is_shown_too(
    maker: Any, checker: Any, bank: Institution, small: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker died when all was posted; the run that ends it posts nothing more."""
    key = tried(maker, bank)
    assert taken(send(checker, PAGE, "release", key))
    finish = recomputations.finish_posting
    attempts = []

    def fails_once(**posted: Any) -> None:
        attempts.append(posted["run_id"])
        if len(attempts) == 1:
            raise ConnectionError
        finish(**posted)

    monkeypatch.setattr(recomputations, "finish_posting", fails_once)
    work()
    first, second = attempts
    assert first < second == state(key).run_id
    assert whole(lambda: {one.run_id for one in Deduction.objects.filter(sequence=1)}) == {first}
    assert whole(small.posted)[-1] == ("A-3", 1, -500)
    assert "-500.00" in page_of(checker, key).split("已入账的差额")[1]


def test_a_refusal_says_why_and_posts_nothing(maker: Any, checker: Any, bank: Institution) -> None:
    key = tried(maker, bank)
    before = kept()
    assert list(faults(send(checker, PAGE, "refuse", key, why=" "))) == ["why"]
    assert send(maker, PAGE, "refuse", key, why="x").status_code == 403
    assert kept() == before
    assert taken(send(checker, PAGE, "refuse", key, why="还本日期待核实"))
    found = state(key)
    assert (found.state, found.why, found.checked_by) == ("refused", "还本日期待核实", "li")
    before = kept()
    assert "现为“已退回”" in faults(send(checker, PAGE, "release", key))[""]
    assert kept() == before


def test_nobody_releases_their_own(bank: Institution, web: Any) -> None:
    boss = web(person(Role.MAKER, bank, "boss"))
    key = tried(boss, bank)
    become("boss", Role.CHECKER)
    before = kept()
    for step in ("release", "refuse"):
        assert "另一人复核" in faults(send(boss, PAGE, step, key, why="x"))[""]
        assert address(PAGE, step, key) not in boss.get(url(PAGE, "change", key)).content.decode()
    with pytest.raises(IntegrityError), database.as_role("app", bank), transaction.atomic():
        Recomputation.objects.filter(pk=key).update(
            state="released", checked_by="boss", checked_at=AT
        )
    assert kept() == before


def test_nobody_begins_with_a_result_of_their_own(maker: Any, bank: Institution) -> None:
    made = {"institution": bank, "through": AT.date(), "made_by": "x", "made_at": AT}
    for forged in ({"state": "ready"}, {"trial": {}}, {"checked_by": "y", "state": "released"}):
        with pytest.raises(IntegrityError), database.as_role("app", bank), transaction.atomic():
            Recomputation.objects.create(**made, **forged)
    assert whole(Recomputation.objects.count) == 0


def test_its_maker_and_nobody_else_gives_it_up_for_a_reason(
    maker: Any, bank: Institution, web: Any
) -> None:
    key = tried(maker, bank)
    before = kept()
    assert list(faults(send(maker, PAGE, "withdraw", key, why=""))) == ["why"]
    colleague = web(person(Role.MAKER, bank, "wang"))
    assert address(PAGE, "withdraw", key) not in page_of(colleague, key)
    assert "由其本人撤回" in faults(send(colleague, PAGE, "withdraw", key, why="x"))[""]
    for forged in ({}, {"withdrawn_by": "wang", "withdrawn_at": AT}, {"withdrawn_by": "zhang"}):
        with pytest.raises(IntegrityError), database.as_role("app", bank), transaction.atomic():
            Recomputation.objects.filter(pk=key).update(state="lapsed", why="x", **forged)
    assert kept() == before
    assert taken(send(maker, PAGE, "withdraw", key, why="不需要了"))
    found = state(key)
    assert (found.state, found.why, found.withdrawn_by) == ("lapsed", "不需要了", "zhang")
    assert found.withdrawn_at is not None
    assert "不需要了" in page_of(colleague, key)


def page_of(client: Any, key: int) -> str:
    return str(client.get(url(PAGE, "change", key)).content.decode())


def test_a_trial_that_never_ends_is_refused_by_a_second_person(
    maker: Any, bank: Institution, web: Any
) -> None:
    today = {"institution": str(bank.pk), "through": "2026-03-31"}
    assert taken(send(maker, PAGE, "order", **today))
    key = whole(lambda: Recomputation.objects.get().pk)
    assert state(key).state == "trying"
    checker = web(person(Role.CHECKER, bank, "li"))
    assert taken(send(checker, PAGE, "refuse", key, why="经办已离岗"))
    work()
    found = state(key)
    assert (found.state, found.checked_by, found.trial) == ("refused", "li", None)


def test_another_bank_neither_sees_nor_orders_it(maker: Any, bank: Institution, web: Any) -> None:
    key = tried(maker, bank)
    other = Institution.objects.get(code=TREE[2][0])
    before = kept()
    stranger = web(person(Role.CHECKER, other, "wai"))
    assert send(stranger, PAGE, "release", key).status_code == 404
    foreign = web(person(Role.MAKER, other, "wai2"))
    wrong = send(foreign, PAGE, "order", institution=str(bank.pk), through="2026-03-31")
    assert list(faults(wrong)) == ["institution"]
    assert kept() == before


def test_the_web_takes_no_step_of_a_worker_nor_out_of_order(
    maker: Any, checker: Any, bank: Institution
) -> None:
    assert taken(send(maker, PAGE, "order", institution=str(bank.pk), through="2026-03-31"))
    key = whole(lambda: Recomputation.objects.get().pk)
    refused_of(key, bank, "ready", "nothing", "posted")
    work()
    refused_of(key, bank, "nothing", "trying")
    assert taken(send(checker, PAGE, "release", key))
    refused_of(key, bank, "posted", "refused", "ready")


def refused_of(key: int, bank: Institution, *states: str) -> None:
    before = kept()
    for one in states:
        with pytest.raises(IntegrityError), database.as_role("app", bank), transaction.atomic():
            Recomputation.objects.filter(pk=key).update(state=one, why="x")
    assert kept() == before
