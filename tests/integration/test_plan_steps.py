"""An interest day in the admin: planned, sent, released, instructed, answered by the core, posted."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from config.kernel.models import Institution, Role, Run
from loans.models import ImportBatch, InterestCollection
from settlement.models import Deduction, Fund, Plan, PlannedDeduction
from settlement.services import orders
from tests import database
from tests.integration.book import AT
from tests.integration.small_book import FIRST, NORTH, SECOND, THIRD, TREE, SmallBook
from tests.integration.steps import address, become, everything, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_plans import receive, say

pytestmark = pytest.mark.django_db

PAGE = "settlement.plan"
HEADER = (
    "institution_code,note_number,period_start,period_end,interest_due,interest_paid,collected_on,"
    "reference\n"
)


@pytest.fixture
def bank(tmp_path: Path) -> Institution:
    """Three enterprises with planned interest, one whose label is refused, and money for one and a half."""
    book = SmallBook(tmp_path)
    book.scheme()
    for number, uscc in (("A", FIRST), ("B", SECOND), ("C", THIRD)):
        book.lend(number, uscc)
        say(book, number, 2)
    book.note("D", schemes="", contract="A")
    receive(book, 1500)
    return Institution.objects.get(code=TREE[0][0])


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


def work() -> None:
    """What a worker does when its bell rings."""
    with database.as_role("worker"):
        orders.work_open_orders(owner="test", clock=lambda: AT)


def whole(ask: Any) -> Any:
    """The answer as a worker sees it: everything."""
    with database.as_role("worker"):
        return ask()


def planned(maker: Any, through: str = "2026-12-31") -> int:
    """Order a plan and have it worked on; its key."""
    assert taken(send(maker, PAGE, "order", through=through))
    work()
    return int(whole(lambda: Plan.objects.latest("pk").pk))


def released(maker: Any, checker: Any) -> int:
    plan = planned(maker)
    assert taken(send(maker, PAGE, "send", plan))
    assert taken(send(checker, PAGE, "release", plan))
    return plan


def results(*rows: tuple[str, str], name: str = "results.csv") -> SimpleUploadedFile:
    """The core's answers: note and what was collected, in yuan."""
    lines = (
        f"{NORTH},{note},2026-02-01,2026-02-11,3000.00,{paid},2026-02-11,{note}-2\n"
        for note, paid in rows
    )
    return SimpleUploadedFile(name, (HEADER + "".join(lines)).encode())


def upload(client: Any, plan: int, sent: SimpleUploadedFile, **controls: str) -> Any:
    """Send a file with the control totals that it adds up to, unless others are given."""
    _no_stage()
    rows = [line.split(",") for line in sent.read().decode(errors="replace").splitlines()[1:]]
    sent.seek(0)
    paid = [Decimal(row[5]) for row in rows if len(row) > 5 and row[5].replace(".", "").isdigit()]
    totals = {"rows": str(len(rows)), "total": f"{sum(paid, Decimal(0)):.2f}", **controls}
    answer = client.post(address(PAGE, "results", plan), {"file": sent, **totals})
    _no_stage()
    return answer


def _no_stage() -> None:
    """Temporary tables are whose role made them; a test is one transaction for every role."""
    with database.as_role("worker"), connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("DISCARD TEMP")


def states() -> dict[str, tuple[str, int]]:
    """Each planned deduction's state and what is set aside for it, in yuan."""
    found = PlannedDeduction.objects.select_related("note").order_by("pk")
    return whole(
        lambda: {one.note.note_number: (one.state, one.reserved_fen // 100) for one in found}
    )


def money() -> tuple[int, int, int]:
    """Special account, set aside and the bank's advance, in yuan."""
    one = whole(lambda: Fund.objects.get(special_account_fen__gt=0))
    return one.special_account_fen // 100, one.reserved_fen // 100, -one.bank_advance_fen // 100


def content(client: Any, plan: int, page: str = "change") -> str:
    return str(client.get(address(PAGE, page, plan)).content.decode())


def test_from_the_plan_to_what_is_posted(maker: Any, checker: Any) -> None:
    plan = planned(maker)
    job = whole(lambda: Run.objects.get(kind="plan"))
    page = maker.get(url("settlement.moneyjob", "change", job.pk)).content.decode()
    assert url(PAGE, "change", plan) in page
    assert "kernel-watch" not in page
    page = content(maker, plan)
    assert "下一步：经办查看例外后送复核" in page
    assert "3,000.00" in page
    assert address(PAGE, "release", plan) not in content(checker, plan)

    assert taken(send(maker, PAGE, "send", plan))
    before = whole(everything)
    page = content(checker, plan, "release")
    for text in ("放行前后资金", "3,000.00", "1,500.00", "缺口，由银行垫付"):
        assert text in page, text
    assert whole(everything) == before
    assert taken(send(checker, PAGE, "release", plan))
    assert states() == {"A": ("reserved", 1000), "B": ("reserved", 500), "C": ("reserved", 0)}
    assert money() == (1500, 1500, 0)

    response = upload(maker, plan, results(("A", "3000.00"), ("B", "1500.00"), ("C", "0.00")))
    assert taken(response)
    assert money() == (1500, 1500, 0)
    work()
    paid = whole(lambda: dict(Deduction.objects.values_list("note__note_number", "municipal_fen")))
    assert paid == {"A": 100_000, "B": 50_000, "C": 0}
    assert states() == {"A": ("posted", 0), "B": ("posted", 0), "C": ("released", 0)}
    found = whole(lambda: Fund.objects.get(subsidy_applied_fen__gt=0))
    assert (found.subsidy_applied_fen, found.special_account_fen, found.reserved_fen) == (
        150_000, 0, 0,
    )  # fmt: skip
    page = content(maker, plan)
    assert "已结束" in page
    assert address(PAGE, "results", plan) not in page


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_cores_file_is_what_the_command_exports(
    file_format: str, maker: Any, checker: Any, tmp_path: Path
) -> None:
    plan = planned(maker)
    target = reverse("admin:settlement_plan_instructions", args=[plan, file_format])
    assert target not in content(maker, plan)
    assert taken(send(maker, PAGE, "send", plan)) and taken(send(checker, PAGE, "release", plan))
    assert target in content(maker, plan)
    answer = maker.get(target)
    assert f"instructions-{TREE[0][0]}-2026-02-11.{file_format}" in answer["Content-Disposition"]
    found = b"".join(answer.streaming_content)
    out = tmp_path / f"instructions.{file_format}"
    with database.as_role("worker"):
        call_command(
            "export", "instructions", "--out", str(out), "--since", "2026-02-11", "--until",
            "2026-02-11", stdout=io.StringIO(),
        )  # fmt: skip
    if file_format == "csv":
        assert found == out.read_bytes()
        lines = found.decode().splitlines()
        assert [line.split(",")[1] for line in lines[1:]] == ["A", "B", "C"]
        assert [line.split(",")[11] for line in lines[1:]] == ["2000.00"] * 3
    else:
        assert len(found) == out.stat().st_size


def test_a_bad_file_is_told_by_row_and_column_and_changes_nothing(maker: Any, checker: Any) -> None:
    plan = released(maker, checker)
    before = whole(everything), whole(lambda: list(InterestCollection.objects.values()))
    response = upload(maker, plan, results(("A", "30x"), ("NOPE", "1.00"), ("B", "3000.00")))
    assert faults(response) == {"file": "文件有 2 处错误，未保存任何数据，请更正后重新上传"}
    page = response.content.decode()
    for text in ("实收利息", "30x", "不是数字", "借据号", "NOPE", "该机构没有此借据号"):
        assert text in page, text
    after = whole(everything), whole(lambda: list(InterestCollection.objects.values()))
    assert after == before
    for junk in (b"\xff\xfe\x00junk", b""):
        broken = upload(maker, plan, SimpleUploadedFile("a.xlsx", junk))
        assert list(faults(broken)) == ["file"]
    assert "“pdf”" in faults(upload(maker, plan, results(("A", "1.00"), name="a.pdf")))["file"]
    nothing = maker.post(address(PAGE, "results", plan), {})
    assert list(faults(nothing)) == ["file", "rows", "total"]
    assert (whole(everything), whole(lambda: list(InterestCollection.objects.values()))) == before


def test_twice_is_once(maker: Any, checker: Any) -> None:
    assert taken(send(maker, PAGE, "order", through="2026-12-31"))
    assert (
        "正在进行，未重复提交"
        in faults(send(maker, PAGE, "order", through="2026-12-31"))["through"]
    )
    work()
    plan = int(whole(lambda: Plan.objects.get().pk))
    assert taken(send(maker, PAGE, "order", through="2026-12-31"))
    work()
    assert whole(Plan.objects.count) == 1

    assert taken(send(maker, PAGE, "send", plan))
    before = whole(everything)
    assert "已送复核" in faults(send(maker, PAGE, "send", plan))[""]
    assert whole(everything) == before
    assert taken(send(checker, PAGE, "release", plan))
    before = whole(everything)
    assert "不是待复核状态" in faults(send(checker, PAGE, "release", plan))[""]
    assert "不是待复核状态" in faults(send(checker, PAGE, "refuse", plan, why="x"))[""]
    assert whole(everything) == before

    sent = (("A", "3000.00"), ("B", "1500.00"))
    assert taken(upload(maker, plan, results(*sent)))
    kept = whole(lambda: list(InterestCollection.objects.values()))
    assert "正在进行，未重复提交" in faults(upload(maker, plan, results(*sent)))["file"]
    assert whole(lambda: list(InterestCollection.objects.values())) == kept
    work()
    once = whole(Deduction.objects.count)
    assert taken(upload(maker, plan, results(*sent)))
    work()
    assert whole(Deduction.objects.count) == once == 2


def test_nobody_releases_their_own(bank: Institution, web: Any) -> None:
    boss = web(person(Role.MAKER, bank, "boss"))
    plan = planned(boss)
    become("boss", Role.CHECKER)
    before = whole(everything)
    assert "尚未送复核" in faults(send(boss, PAGE, "release", plan))[""]
    assert whole(everything) == before
    become("boss", Role.MAKER)
    assert taken(send(boss, PAGE, "send", plan))
    become("boss", Role.CHECKER)
    before = whole(everything)
    for step in ("release", "refuse"):
        assert address(PAGE, step, plan) not in content(boss, plan)
        assert "须由他人复核" in faults(send(boss, PAGE, step, plan, why="x"))[""]
    assert whole(everything) == before
    with pytest.raises(IntegrityError), database.as_role("worker"), transaction.atomic():
        Plan.objects.filter(pk=plan).update(checked_by="boss", checked_at=AT, state="checked")


def test_a_plan_not_sent_is_released_by_nobody_the_database_says_so(maker: Any) -> None:
    plan = planned(maker)
    with pytest.raises(IntegrityError), database.as_role("worker"), transaction.atomic():
        Plan.objects.filter(pk=plan).update(checked_by="li", checked_at=AT, state="checked")


def test_results_wait_for_the_release(maker: Any) -> None:
    plan = planned(maker)
    before = whole(lambda: list(InterestCollection.objects.values()))
    assert "计划尚未放行" in faults(upload(maker, plan, results(("A", "3000.00"))))[""]
    assert whole(lambda: list(InterestCollection.objects.values())) == before


def test_who_may_do_what(maker: Any, checker: Any, bank: Institution, web: Any) -> None:
    plan = planned(maker)
    assert taken(send(maker, PAGE, "send", plan))
    before = whole(everything)
    for role in (Role.AUDITOR, Role.FINANCE_VIEWER):
        client = web(person(role, bank))
        for step in ("send", "release", "refuse", "results", "drop", "end"):
            assert send(client, PAGE, step, plan, why="x").status_code == 403
        assert send(client, PAGE, "order", through="2026-12-31").status_code == 403
    assert send(maker, PAGE, "release", plan).status_code == 403
    assert send(checker, PAGE, "order", through="2026-12-31").status_code == 403
    other = Institution.objects.get(code=TREE[2][0])
    stranger = web(person(Role.CHECKER, other, "wai"))
    assert send(stranger, PAGE, "release", plan).status_code == 404
    assert stranger.get(f"/admin/settlement/plan/{plan}/instructions.csv").status_code == 404
    assert whole(everything) == before


def test_results_are_the_banks_whatever_the_files_name(
    bank: Institution, maker: Any, checker: Any
) -> None:
    plan = planned(maker)
    assert taken(send(maker, PAGE, "send", plan)) and taken(send(checker, PAGE, "release", plan))
    name = "结" * 250 + ".csv"
    assert taken(upload(maker, plan, results(("A", "3000.00"), name=name)))
    work()
    assert states()["A"] == ("posted", 0)
    batch = whole(lambda: ImportBatch.objects.latest("pk"))
    assert (batch.institution_id, batch.actor) == (bank.pk, "zhang")


def test_the_day_is_refused_at_its_field(maker: Any) -> None:
    for text in ("", "2026-02-30", "x"):
        assert list(faults(send(maker, PAGE, "order", through=text))) == ["through"]
    assert whole(lambda: Run.objects.filter(kind="plan").count()) == 0
