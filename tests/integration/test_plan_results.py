"""What one person uploads as the core's answer posts what two released, and nothing beside it."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.kernel.models import Institution, Role, Run
from loans.models import InterestCollection
from settlement.models import GuaranteePosting, Plan, PlannedDeduction, Recomputation, TakenOver
from settlement.services import deductions, recomputations
from settlement.services.verification import verify
from tests import database
from tests.integration.book import AT, run
from tests.integration.small_book import (
    FIRST,
    NORTH,
    SECOND,
    SOUTH,
    THIRD,
    TREE,
    SmallBook,
    agrees,
    capped,
)
from tests.integration.steps import address, everything, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_guarantee_money import GUARANTEE, guarantee
from tests.integration.test_plan_steps import HEADER, planned, released, upload, whole, work
from tests.integration.test_plan_steps import PAGE as PLAN
from tests.integration.test_plans import receive, say
from tests.integration.test_recomputation_steps import PAGE as REDONE
from tests.integration.test_recomputation_steps import kept, tried
from tests.integration.test_taken_over import opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two borrowers served in February and planned for March, a third whose February was not posted."""
    made = SmallBook(tmp_path)
    made.scheme()
    for number, uscc in (("A", FIRST), ("B", SECOND), ("C", THIRD)):
        made.lend(number, uscc)
    made.collect("A", 2)
    made.collect("B", 2)
    receive(made, 9000)
    run()
    for number in ("A", "B"):
        say(made, number, 3)
    made.collect("C", 2)
    return made


@pytest.fixture
def bank(book: SmallBook) -> Institution:
    return Institution.objects.get(code=TREE[0][0])


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


def answers(*rows: tuple[str, int, str]) -> SimpleUploadedFile:
    """The core's answers: note, month and what was collected, in yuan."""
    lines = (
        f"{NORTH},{note},2026-{month:02}-01,2026-{month:02}-11,3000.00,{paid},2026-{month:02}-11,"
        f"{note}-{month}\n"
        for note, month, paid in rows
    )
    return SimpleUploadedFile("answers.csv", (HEADER + "".join(lines)).encode())


def collections() -> list[Any]:
    return whole(lambda: list(InterestCollection.objects.order_by("pk").values()))


def states(plan: int) -> dict[str, str]:
    found = PlannedDeduction.objects.filter(plan=plan).select_related("note")
    return whole(lambda: {one.note.note_number: one.state for one in found})


def test_rows_that_answer_nothing_asked_are_told_and_nothing_is_kept(
    maker: Any, checker: Any
) -> None:
    plan = released(maker, checker)
    before = whole(everything), collections()
    sent = answers(("A", 3, "3000.00"), ("C", 3, "3000.00"), ("A", 2, "3000.00"), ("B", 3, ""))
    response = upload(maker, plan, sent)
    assert faults(response) == {"file": "文件有 3 处错误，未保存任何数据，请更正后重新上传"}
    page = response.content.decode()
    for text in ("C-3", "A-2", "不是本计划扣息指令中的流水号", "缺少实收利息，不是收息结果"):
        assert text in page, text
    assert "A-3" not in page
    assert (whole(everything), collections()) == before


@pytest.mark.parametrize(
    ("controls", "told"),
    [
        ({"rows": "3"}, "您填写 3 行，文件有 2 行"),
        ({"total": "6000.00"}, "合计为 6,000.00 元，文件合计为 4,500.00 元"),
    ],
)
def test_a_file_that_is_not_what_the_core_counted_is_refused(
    maker: Any, checker: Any, controls: dict[str, str], told: str
) -> None:
    plan = released(maker, checker)
    before = whole(everything), collections()
    response = upload(maker, plan, answers(("A", 3, "3000.00"), ("B", 3, "1500.00")), **controls)
    assert faults(response) == {"file": "文件有 1 处错误，未保存任何数据，请更正后重新上传"}
    assert told in response.content.decode()
    assert (whole(everything), collections()) == before


def test_only_the_plan_is_posted(maker: Any, checker: Any, book: SmallBook) -> None:
    with database.as_role("worker"):
        opened(book, "500.00", note_number="C", paid_through="2026-02-01")
    plan = released(maker, checker)
    posted = whole(book.posted)
    assert taken(upload(maker, plan, answers(("A", 3, "3000.00"), ("B", 3, "1500.00"))))
    work()
    assert whole(book.posted)[len(posted) :] == [("A-3", 0, 1000), ("B-3", 0, 500)]
    assert states(plan) == {"A": "posted", "B": "posted"}
    assert whole(TakenOver.objects.count) == 0
    found = whole(verify)
    assert (found.problems, found.waiting_openings) == ([], 1)
    whole(run)
    assert whole(book.posted)[len(posted) + 2 :] == [("C-2", 0, 1000)]
    assert whole(agrees)


def test_results_wait_for_two_people_where_less_is_due_by_now(
    maker: Any, checker: Any, book: SmallBook, bank: Institution
) -> None:
    plan = released(maker, checker)
    with database.as_role("worker"):
        book.repay("A", "2026-02-01", 1_800_000)
    posted = whole(book.posted)
    sent = (("A", 3, "3000.00"), ("B", 3, "3000.00"))
    assert taken(upload(maker, plan, answers(*sent)))
    work()
    assert whole(book.posted)[len(posted) :] == [("B-3", 0, 1000)]
    assert states(plan) == {"A": "reserved", "B": "posted"}
    assert whole(lambda: Plan.objects.get(pk=plan).state) == "checked"
    job = whole(lambda: Run.objects.filter(kind="results").latest("pk"))
    assert job.stats["kept_back"] == 1
    page = maker.get(url("settlement.moneyjob", "change", job.pk)).content.decode()
    assert "借款人另有未入账的调减，待重算后入账" in page

    key = tried(maker, bank)
    assert taken(send(checker, REDONE, "release", key))
    work()
    found = whole(book.posted)[len(posted) + 1 :]
    assert found == [("A-2", 1, -500), ("A-3", 0, 500), ("C-2", 0, 1000)]
    assert states(plan) == {"A": "posted", "B": "posted"}
    assert whole(lambda: Plan.objects.get(pk=plan).state) == "closed"
    assert whole(lambda: agrees(waiting=3))


def test_what_was_taken_out_of_the_draft_is_not_posted_by_its_answer(
    maker: Any, checker: Any, book: SmallBook
) -> None:
    """Whoever released the plan saw it without; so did the core."""
    plan = planned(maker)
    one = whole(lambda: PlannedDeduction.objects.get(note__note_number="A").pk)
    assert taken(send(maker, "settlement.planneddeduction", "leave-out", one, why="缺资料"))
    assert taken(send(maker, PLAN, "send", plan))
    assert taken(send(checker, PLAN, "release", plan))
    before = whole(everything), collections()
    both = answers(("A", 3, "3000.00"), ("B", 3, "3000.00"))
    response = upload(maker, plan, both)
    assert faults(response) == {"file": "文件有 1 处错误，未保存任何数据，请更正后重新上传"}
    assert "不是本计划扣息指令中的流水号" in response.content.decode()
    assert (whole(everything), collections()) == before

    posted = whole(book.posted)
    with database.as_role("worker"):
        say(book, "A", 3, "3000.00")
    assert taken(upload(maker, plan, answers(("B", 3, "3000.00"))))
    work()
    assert whole(book.posted)[len(posted) :] == [("B-3", 0, 1000)]
    assert states(plan) == {"A": "void", "B": "posted"}


def test_what_was_collected_before_the_release_is_not_posted_by_the_plan(
    maker: Any, checker: Any, book: SmallBook
) -> None:
    """The release shows and sets aside nothing of it."""
    plan = planned(maker)
    with database.as_role("worker"):
        say(book, "A", 3, "3000.00")
    assert taken(send(maker, PLAN, "send", plan))
    assert taken(send(checker, PLAN, "release", plan))
    posted = whole(book.posted)
    assert taken(upload(maker, plan, answers(("B", 3, "3000.00"))))
    work()
    assert whole(book.posted)[len(posted) :] == [("B-3", 0, 1000)]
    assert states(plan) == {"A": "released", "B": "posted"}


def test_what_a_checker_voided_later_is_posted_by_its_answer(
    maker: Any, checker: Any, book: SmallBook
) -> None:
    """The instruction has gone out with it; two people released it."""
    plan = released(maker, checker)
    one = whole(lambda: PlannedDeduction.objects.get(note__note_number="A").pk)
    assert taken(send(checker, "settlement.planneddeduction", "void", one, why="改期"))
    posted = whole(book.posted)
    assert taken(upload(maker, plan, answers(("A", 3, "3000.00"), ("B", 3, "3000.00"))))
    work()
    assert whole(book.posted)[len(posted) :] == [("A-3", 0, 1000), ("B-3", 0, 1000)]
    assert states(plan) == {"A": "void", "B": "posted"}


def test_results_wait_also_where_less_is_due_of_the_borrower_at_another_bank(
    tmp_path: Path, web: Any
) -> None:
    """A borrower's limit counts what both banks paid; the other's is too high and not its to take back."""
    made = SmallBook(tmp_path)
    made.scheme(more=capped("enterprise", 1500))
    made.lend("A", FIRST)
    made.lend("B", FIRST, at=SOUTH)
    made.collect("B", 2, at=SOUTH)
    run()
    say(made, "A", 3)
    receive(made, 9000)
    bank = Institution.objects.get(code=TREE[0][0])
    maker, checker = (
        web(person(role, bank, name))
        for role, name in ((Role.MAKER, "zhang"), (Role.CHECKER, "li"))
    )
    plan = released(maker, checker)
    with database.as_role("worker"):
        made.repay("B", "2026-02-01", 1_800_000, at=SOUTH)
    assert taken(upload(maker, plan, answers(("A", 3, "3000.00"))))
    work()
    assert whole(made.posted) == [("B-2", 0, 1000)]
    assert states(plan) == {"A": "reserved"}
    job = whole(lambda: Run.objects.filter(kind="results").latest("pk"))
    assert job.stats["kept_back"] == 1
    whole(run)
    assert whole(made.posted)[1:] == [("A-3", 0, 1000), ("B-2", 1, -500)]
    assert states(plan) == {"A": "posted"}
    assert whole(agrees)


def test_opening_positions_are_tried_shown_and_booked_by_two(
    maker: Any, checker: Any, book: SmallBook, bank: Institution
) -> None:
    with database.as_role("worker"):
        opened(book, "500.00")
    key = tried(maker, bank)
    (row,) = whole(lambda: Recomputation.objects.get(pk=key)).trial["others"]
    assert (row["kind"], row["tier"], row["year"], row["count"]) == (
        "opening", "municipal", 2026, 1,
    )  # fmt: skip
    assert row["amount_fen"] == 50_000
    page = checker.get(address(REDONE, "release", key)).content.decode()
    assert "期初已贴息入账" in page
    with database.as_role("worker"):
        opened(book, "700.00")
    before = kept()
    assert taken(send(checker, REDONE, "release", key))
    work()
    assert kept()[:2] == before[:2]
    assert whole(TakenOver.objects.count) == 0
    assert whole(lambda: Recomputation.objects.get(pk=key)).state == "lapsed"

    key = tried(maker, bank)
    assert taken(send(checker, REDONE, "release", key))
    work()
    assert whole(lambda: TakenOver.objects.get().amount_fen) == 70_000
    assert whole(lambda: Recomputation.objects.get(pk=key)).state == "posted"
    assert whole(lambda: tried_nothing(maker, bank))


def tried_nothing(maker: Any, bank: Institution) -> bool:
    """Whether another trial finds nothing to do."""
    return bool(Recomputation.objects.get(pk=tried(maker, bank)).state == "nothing")


def test_what_is_told_while_it_is_being_posted_waits(
    maker: Any, checker: Any, book: SmallBook, bank: Institution
) -> None:
    key = tried(maker, bank)
    assert taken(send(checker, REDONE, "release", key))
    before = whole(book.posted)
    with database.as_role("worker"):
        begun = recomputations.begin_posting(recomputation_id=key, scope=bank.scope, at=AT)
        assert begun is not None
        through, asked = begun
        book.repay("C", "2026-02-01", 1_800_000)
        started = deductions.start_run(
            actor="li", at=AT, through=through, scope=bank.scope, asked=asked
        )
        assert started is not None
        counts = deductions.work_run(run_id=started.run_id, owner="test", clock=lambda: AT)
    assert counts["moved"] == 3
    assert whole(book.posted) == before


def test_fees_are_shown_with_the_trial_and_posted_by_two(tmp_path: Path, web: Any) -> None:
    made = SmallBook(tmp_path)
    made.scheme(more=GUARANTEE, fund="first_come_first_served")
    made.lend("A", FIRST)
    guarantee(made, "G1", "A")
    bank = Institution.objects.get(code=TREE[0][0])
    maker, checker = (
        web(person(role, bank, name))
        for role, name in ((Role.MAKER, "zhang"), (Role.CHECKER, "li"))
    )
    key = tried(maker, bank)
    (row,) = whole(lambda: Recomputation.objects.get(pk=key)).trial["others"]
    assert (row["kind"], row["count"], row["amount_fen"]) == ("fee", 1, 250_000)
    page = checker.get(address(REDONE, "release", key)).content.decode()
    assert "担保费补贴" in page and "2,500.00" in page
    assert whole(GuaranteePosting.objects.count) == 0
    assert taken(send(checker, REDONE, "release", key))
    work()
    (posted,) = whole(lambda: list(GuaranteePosting.objects.values("amount_fen", "actor")))
    assert posted == {"amount_fen": 250_000, "actor": "li"}
    assert whole(lambda: tried_nothing(maker, bank))
