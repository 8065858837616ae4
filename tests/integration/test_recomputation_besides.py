"""Opening positions and guarantee fees of a recomputation: what was looked at is booked, nothing beside it."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.kernel.models import Institution, Role, Run
from settlement.models import Recomputation, TakenOver
from settlement.services import deductions, guarantee_postings, orders, recomputations, taken_over
from settlement.services.assessments import assess_notes
from tests import database
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook
from tests.integration.steps import address, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_guarantee_money import GUARANTEE, guarantee, paid_ahead, postings
from tests.integration.test_plan_steps import whole, work
from tests.integration.test_plans import plan, receive, say
from tests.integration.test_recomputation_steps import PAGE, page_of, state, tried
from tests.integration.test_taken_over import opened

pytestmark = pytest.mark.django_db

UNSEEN = "试算后才有变化、未入账的期初和担保费"
WAITING = "担保费补贴（待资金到位）"


def lent(folder: Path, shortfall: str = "advance") -> SmallBook:
    """A bank's two borrowers, each guaranteed for 1,000,000 yuan over half a year; nothing posted."""
    made = SmallBook(folder)
    made.scheme(more=GUARANTEE, fund="first_come_first_served", shortfall=shortfall)
    made.lend("A", FIRST)
    made.lend("B", SECOND)
    guarantee(made, "G1", "A")
    return made


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """One fee and an opening position of 500 yuan are to be posted."""
    made = lent(tmp_path)
    opened(made, "500.00")
    return made


@pytest.fixture
def bank(tmp_path: Path, request: pytest.FixtureRequest) -> Institution:
    request.getfixturevalue("holding" if "holding" in request.fixturenames else "book")
    return Institution.objects.get(code=TREE[0][0])


@pytest.fixture
def holding(tmp_path: Path) -> SmallBook:
    """A scheme that advances nothing; its fund for fees is empty."""
    return lent(tmp_path, shortfall="hold")


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


def meanwhile(monkeypatch: pytest.MonkeyPatch, told: Callable[[], None]) -> None:
    """Have something told after the posting has begun and before it books anything."""
    begin = recomputations.begin_posting

    def begun(**asked: Any) -> Any:
        found = begin(**asked)
        assert found is not None
        told()
        return found

    monkeypatch.setattr(recomputations, "begin_posting", begun)


def openings() -> list[tuple[int, int]]:
    found = TakenOver.objects.order_by("pk").values_list("sequence", "amount_fen")
    return whole(lambda: list(found))  # type: ignore[no-any-return]


def last_job() -> Run:
    return whole(lambda: Run.objects.filter(kind="post").latest("pk"))  # type: ignore[no-any-return]


def others(key: int) -> list[tuple[str, int, int]]:
    found = state(key).trial["others"]
    return [(one["kind"], one["count"], one["amount_fen"]) for one in found]


def test_an_opening_position_told_after_it_began_waits_for_the_next(
    maker: Any, checker: Any, bank: Institution, book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tried(maker, bank)
    assert others(key) == [("fee", 1, 250_000), ("opening", 1, 50_000)]
    assert taken(send(checker, PAGE, "release", key))
    with monkeypatch.context() as patch:
        meanwhile(patch, lambda: opened(book, "700.00"))
        work()
    assert openings() == []
    assert whole(postings) == [("G1", 0, 2_500)]
    assert state(key).state == "posted"
    job = last_job()
    assert (job.state, job.stats["unseen"]) == ("done", 1)
    page = checker.get(url("settlement.moneyjob", "change", job.pk)).content.decode()
    assert UNSEEN in page

    key = tried(maker, bank)
    assert others(key) == [("opening", 1, 70_000)]
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert openings() == [(0, 70_000)]
    assert "unseen" not in last_job().stats


def test_a_fee_told_or_changed_after_it_began_waits_for_the_next(
    maker: Any, checker: Any, bank: Institution, book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.as_role("worker"):
        guarantee(book, "G2", "B", yuan=600_000)
    key = tried(maker, bank)
    assert others(key) == [("fee", 2, 400_000), ("opening", 1, 50_000)]
    assert taken(send(checker, PAGE, "release", key))

    def told() -> None:
        guarantee(book, "G2", "B", yuan=800_000)

    with monkeypatch.context() as patch:
        meanwhile(patch, told)
        work()
    assert openings() == [(0, 50_000)]
    assert whole(postings) == [("G1", 0, 2_500)]
    assert last_job().stats["unseen"] == 1

    key = tried(maker, bank)
    assert others(key) == [("fee", 1, 200_000)]
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert whole(postings) == [("G1", 0, 2_500), ("G2", 0, 2_000)]


def test_fees_that_changed_places_are_not_those_that_were_shown(
    maker: Any, checker: Any, bank: Institution, book: SmallBook
) -> None:
    """Their number and sum are what they were."""
    with database.as_role("worker"):
        guarantee(book, "G2", "B", yuan=600_000)
    key = tried(maker, bank)
    shown = others(key)
    with database.as_role("worker"):
        guarantee(book, "G1", "A", yuan=600_000)
        guarantee(book, "G2", "B", yuan=1_000_000)
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert (state(key).state, whole(postings), openings()) == ("lapsed", [], [])
    again = tried(maker, bank)
    assert (state(again).state, others(again)) == ("ready", shown)


def test_the_same_amount_once_more_is_another_posting(
    maker: Any, checker: Any, bank: Institution, book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command books what was shown; then as much again becomes due, which nobody has looked at."""
    key = tried(maker, bank)
    assert taken(send(checker, PAGE, "release", key))

    def told() -> None:
        run(date(2026, 3, 31))
        opened(book, "1000.00")

    with monkeypatch.context() as patch:
        meanwhile(patch, told)
        work()
    assert openings() == [(0, 50_000)]
    assert last_job().stats["unseen"] == 1


def test_whoever_takes_over_a_dead_workers_run_posts_what_was_shown(
    maker: Any, checker: Any, bank: Institution, book: SmallBook
) -> None:
    key = tried(maker, bank)
    assert taken(send(checker, PAGE, "release", key))
    with database.as_role("worker"):
        begun = recomputations.begin_posting(recomputation_id=key, scope=bank.scope, at=AT)
        assert begun is not None
        through, asked = begun
        deductions.start_run(actor="li", at=AT, through=through, scope=bank.scope, asked=asked)
        guarantee(book, "G2", "B")
        assess_notes(at=AT)
        deductions.work_open_runs(owner="heir", clock=lambda: AT)
    assert (openings(), whole(postings)) == ([(0, 50_000)], [("G1", 0, 2_500)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["opening", "fee"])
def test_what_is_told_while_it_waits_for_its_lock_is_compared(book: SmallBook, where: str) -> None:
    """The posting stands before the lock under which it books; what is told then is in no trial."""
    release_tried(Institution.objects.get(code=TREE[0][0]))
    lock = {"opening": taken_over.LOCK, "fee": guarantee_postings.LOCK}[where]

    def post() -> None:
        try:
            orders.work_open_orders(owner="other", clock=lambda: AT)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock])
        posting = pool.submit(post)
        try:
            wait_for_it(cursor, lock)
            opened(book, "700.00")
            guarantee(book, "G1", "A", yuan=800_000)
            assess_notes(at=AT)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
        posting.result(timeout=60)
    booked: list[tuple[int, int]] = {"opening": [], "fee": [(0, 50_000)]}[where]
    assert (openings(), postings()) == (booked, [])
    assert last_job().stats["unseen"] == {"opening": 2, "fee": 1}[where]


def release_tried(bank: Institution) -> None:
    """Tried by one, released by another, ordered to be posted; as the admin's steps do it."""
    by = {"scope": bank.scope, "at": AT}
    key = recomputations.propose(
        institution_id=bank.pk, through=date(2026, 3, 31), actor="zhang", at=AT
    )
    recomputations.record_trial(recomputation_id=key, tell=lambda _: None, **by)
    with database.as_role("app", bank):
        recomputations.release(recomputation_id=key, actor="li", at=AT)
        orders.order(kind="post", params={"recomputation": key}, actor="li", **by)


def wait_for_it(cursor: Any, lock: int) -> None:
    """Until somebody waits for this lock."""
    for _ in range(600):
        cursor.execute(
            "SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
            " AND ((classid::bigint << 32) | objid::bigint) = %s",
            [lock],
        )
        if cursor.fetchall():
            return
        time.sleep(0.05)
    pytest.fail("nobody came to the lock")


def test_a_fee_that_waits_for_money_alone_is_nothing_to_post_and_said_so(
    maker: Any, checker: Any, bank: Institution, holding: SmallBook
) -> None:
    with database.as_role("worker"):
        paid_ahead(holding, 2_499)
    key = tried(maker, bank)
    found = state(key)
    assert (found.state, others(key)) == ("nothing", [("waiting", 1, 250_000)])
    assert found.why.startswith("只有待资金到位的金额")
    page = page_of(maker, key)
    assert WAITING in page and "2,500.00" in page and "只有待资金到位的金额" in page

    with database.as_role("worker"):
        paid_ahead(holding, 1, document="文2")
    key = tried(maker, bank)
    assert (state(key).state, others(key)) == ("ready", [("fee", 1, 250_000)])
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert whole(postings) == [("G1", 0, 2_500)]
    assert (state(tried(maker, bank)).state, state(key).state) == ("nothing", "posted")


def test_money_is_promised_in_the_order_in_which_it_is_posted(
    maker: Any, checker: Any, bank: Institution, holding: SmallBook
) -> None:
    """The first fee takes what there is; the second waits, and is posted if money comes in before."""
    with database.as_role("worker"):
        guarantee(holding, "G2", "B", yuan=600_000, starts="2026-02-09")
        paid_ahead(holding, 2_500)
    key = tried(maker, bank)
    assert others(key) == [("fee", 1, 150_000), ("waiting", 1, 250_000)]
    page = checker.get(address(PAGE, "release", key)).content.decode()
    assert WAITING in page
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert whole(postings) == [("G2", 0, 1_500)]
    job = last_job()
    assert (job.stats["fees_waiting"], job.stats.get("unseen")) == (1, None)
    assert state(key).state == "posted"
    key = tried(maker, bank)
    assert (state(key).state, others(key)) == ("nothing", [("waiting", 1, 250_000)])


def test_a_waiting_fee_that_was_shown_is_posted_once_there_is_money(
    maker: Any, checker: Any, bank: Institution, holding: SmallBook
) -> None:
    with database.as_role("worker"):
        opened(holding, "500.00")
    key = tried(maker, bank)
    assert others(key) == [("opening", 1, 50_000), ("waiting", 1, 250_000)]
    with database.as_role("worker"):
        paid_ahead(holding, 2_500)
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert (openings(), whole(postings)) == ([(0, 50_000)], [("G1", 0, 2_500)])
    assert whole(lambda: Recomputation.objects.get(pk=key)).state == "posted"


def test_deductions_that_wait_for_money_alone_are_nothing_to_post_either(
    maker: Any, checker: Any, bank: Institution, holding: SmallBook
) -> None:
    with database.as_role("worker"):
        holding.collect("A", 2)
        holding.collect("B", 2)
        receive(holding, 999)
    key = tried(maker, bank)
    assert others(key) == [("held", 2, 200_000), ("waiting", 1, 250_000)]
    assert (state(key).state, state(key).trial["sums"]) == ("nothing", [])
    page = page_of(maker, key)
    assert "贴息（待资金到位）" in page and "2,000.00" in page

    with database.as_role("worker"):
        receive(holding, 1, number=2)
    key = tried(maker, bank)
    assert state(key).state == "ready"
    assert others(key) == [("held", 1, 100_000), ("waiting", 1, 250_000)]
    assert [one["first_fen"] for one in state(key).trial["sums"]] == [100_000]
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert whole(holding.posted) == [("A-2", 0, 1000)]
    assert last_job().stats["held"] == 1
    assert state(tried(maker, bank)).state == "nothing"


def test_what_was_set_aside_for_a_planned_deduction_is_there_for_its_result(
    maker: Any, checker: Any, bank: Institution, holding: SmallBook
) -> None:
    with database.as_role("worker"):
        say(holding, "B", 2)
        receive(holding, 1000)
        plan()
        holding.collect("A", 2)
        say(holding, "B", 2, "3000.00")
    key = tried(maker, bank)
    assert others(key) == [("held", 1, 100_000), ("waiting", 1, 250_000)]
    assert taken(send(checker, PAGE, "release", key))
    work()
    assert whole(holding.posted) == [("B-2", 0, 1000)]
