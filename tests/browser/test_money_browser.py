"""Maker and checker in a browser: a pre-allocation, an interest day to its results, a settlement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from settlement import tasks
from settlement.models import Fund, LedgerEntry, Plan, Settlement
from settlement.services import orders
from tests.browser.desk import Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.integration.book import AT
from tests.integration.small_book import FIRST, NORTH, SECOND, TREE, SmallBook

HEADER = (
    "institution_code,note_number,period_start,period_end,interest_due,interest_paid,collected_on,"
    "reference\n"
)

pytestmark = MARKS


@pytest.fixture
def bank(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Institution:
    """Two enterprises with interest planned for 11 February; two people of their bank."""
    book = SmallBook(tmp_path)
    book.scheme()
    for number, uscc in (("A", FIRST), ("B", SECOND)):
        book.lend(number, uscc)
        book.collect(number, 2, paid="")
    place = Institution.objects.get(code=TREE[0][0])
    two_people(place)
    monkeypatch.setattr(tasks.work_order, "delay", lambda **_asked: None)  # `work` does it
    return place


@pytest.fixture
def desk(bank: Institution, live_server: Any) -> Iterator[Desk]:
    with desks(live_server.url, "money") as made:
        yield made


def work() -> None:
    """What a worker does when its bell rings."""
    whole(lambda: orders.work_open_orders(owner="test", clock=lambda: AT))


def receive(desk: Desk) -> None:
    """The maker enters 1,500 yuan that finance paid ahead; the checker books it."""
    page = desk.go("zhang", "loans/preallocation/enter/")
    page.select_option("#id_scheme_code", "test")
    page.select_option("#id_institution_code", TREE[0][0])
    offered = page.eval_on_selector_all("#id_tier option", "all => all.map(one => one.value)")
    assert (offered, page.input_value("#id_tier")) == (["", "municipal"], "municipal")
    page.select_option("#id_purpose", "interest")
    page.fill("#id_document_number", "财预1号")
    page.fill("#id_received_on", "2026-01-04")
    page.fill("#id_amount", "1,500.00")
    desk.look("zhang", "01-enter")
    assert "已登记，待他人复核入账" in desk.submit("zhang")
    key = whole(lambda: list(_pre_allocations()))[-1]
    own = desk.go("zhang", f"loans/preallocation/{key}/change/").inner_text("body")
    assert "当前步骤" in own and "复核入账" in own
    assert desk["zhang"].locator(f"a[href$='/{key}/book/']").count() == 0
    desk.go("li", f"loans/preallocation/{key}/refuse/")
    assert "必填" in desk.submit("li")
    page = desk.go("li", f"loans/preallocation/{key}/change/")
    page.click(f"a[href$='/{key}/book/']")
    page.wait_for_load_state()
    told = page.inner_text("#content-main")
    for text in ("将入账的分录", "入账前后余额", "1,500.00"):
        assert text in told, text
    desk.look("li", "02-book")
    assert "已入账" in desk.submit("li")


def _pre_allocations() -> Any:
    from loans.models import PreAllocation

    return PreAllocation.objects.order_by("pk").values_list("pk", flat=True)


def plan(desk: Desk) -> int:
    """The maker plans and sends, the checker releases: 1,000 yuan and 500 are set aside."""
    desk.go("zhang", "settlement/plan/")
    desk.press("zhang", "编制结息日计划")
    assert "任务已提交" in desk.submit("zhang")
    assert desk["zhang"].locator("#kernel-watch").count() == 1
    work()
    desk["zhang"].wait_for_selector(
        "a[href*='/settlement/plan/'][href$='/change/']", timeout=15_000
    )
    desk.look("zhang", "03-planned")
    key = int(whole(lambda: Plan.objects.get().pk))
    desk.go("zhang", f"settlement/plan/{key}/change/")
    desk.press("zhang", "送复核")
    assert "已送复核" in desk.submit("zhang")
    desk.go("li", f"settlement/plan/{key}/change/")
    desk.press("li", "复核放行")
    told = desk["li"].inner_text("#content-main")
    for text in ("放行前后资金", "2,000.00", "1,500.00", "500.00"):
        assert text in told, text
    desk.look("li", "04-release")
    assert "已放行" in desk.submit("li")
    return key


def answer(desk: Desk, key: int, folder: Path) -> None:
    """The maker takes the instructions away, brings a bad file and then the results."""
    page = desk.go("zhang", f"settlement/plan/{key}/change/")
    with page.expect_download() as taken:
        page.click("a:has-text('下载扣息指令 CSV')")
    lines = Path(taken.value.path()).read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["A", "B"]
    row = f"{NORTH},{{}},2026-02-01,2026-02-11,3000.00,{{}},2026-02-11,{{}}-2\n"
    bad, good = folder / "bad.csv", folder / "results.csv"
    bad.write_text(HEADER + row.format("A", "x", "A"), encoding="utf-8")
    good.write_text(
        HEADER + row.format("A", "3000.00", "A") + row.format("B", "1500.00", "B"),
        encoding="utf-8",
    )
    page = desk.go("zhang", f"settlement/plan/{key}/results/")
    page.set_input_files("#id_file", bad)
    desk.fill("zhang", rows="1", total="3000.00")
    assert "不是数字" in desk.submit("zhang")
    desk.look("zhang", "05-bad-file")
    page.set_input_files("#id_file", good)
    desk.fill("zhang", rows="2", total="4500.00")
    assert "已导入 2 行" in desk.submit("zhang")
    work()
    told = desk.go("zhang", f"settlement/plan/{key}/change/").inner_text("#content-main")
    assert "已入账" in told and "已结束" in told
    desk.look("zhang", "06-posted")
    fund = whole(lambda: Fund.objects.get(subsidy_applied_fen__gt=0))
    assert (fund.subsidy_applied_fen, fund.special_account_fen, fund.bank_advance_fen) == (
        150_000, 0, 0,
    )  # fmt: skip


def settle(desk: Desk) -> None:
    """Drafted, submitted, decided in part, refused, decided in full, booked."""
    page = desk.go("zhang", "settlement/settlement/draft/")
    page.select_option("#id_kind", "final")
    page.fill("#id_year", "2026")
    assert "草稿已生成" in desk.submit("zhang")
    key = int(whole(lambda: Settlement.objects.get().pk))
    desk.look("zhang", "07-draft")
    desk.go("li", f"settlement/settlement/{key}/submit/")
    assert "提交前后" in desk["li"].inner_text("#content-main")
    assert "下一步：财政批复后由经办录入认可额" in desk.submit("li")
    _decide(desk, key, "1400.00")
    assert "财政批复：部分认可" in desk["zhang"].inner_text("#content-main")
    page = desk.go("li", f"settlement/settlement/{key}/refuse-decision/")
    assert "必填" in desk.submit("li")
    page.fill("#id_why", "认可额应为全额")
    assert "认可额应为全额" in desk.submit("li")
    desk.look("li", "08-refused")
    _decide(desk, key, "1500.00")
    told = desk.go("li", f"settlement/settlement/{key}/book/").inner_text("#content-main")
    assert "财政批复：全额认可" in told and "入账前后余额" in told
    desk.look("li", "09-book")
    entries = whole(LedgerEntry.objects.count)
    assert "已入账" in desk.submit("li")
    assert whole(LedgerEntry.objects.count) == entries + 1
    desk.go("li", f"settlement/settlement/{key}/book/")
    assert "现为“已入账”" in desk.submit("li")
    assert whole(LedgerEntry.objects.count) == entries + 1


def _decide(desk: Desk, key: int, approved: str) -> None:
    page = desk.go("zhang", f"settlement/settlement/{key}/decide/")
    page.fill("#id_document_number", "财批1号")
    page.fill("#id_decided_on", "2027-02-18")
    page.fill("input[name^=approved_]", approved)
    desk.submit("zhang")


def test_two_people_take_money_from_its_receipt_to_its_settlement(
    desk: Desk, tmp_path: Path
) -> None:
    receive(desk)
    key = plan(desk)
    answer(desk, key, tmp_path)
    settle(desk)


def test_what_is_released_is_voided_by_somebody_who_did_not_make_it(desk: Desk) -> None:
    receive(desk)
    key = plan(desk)
    rows = f"settlement/planneddeduction/?plan__id__exact={key}"
    page = desk.go("zhang", rows)
    assert page.locator("select[name=action] option[value=void]").count() == 0
    page = desk.go("li", rows)
    page.locator("input.action-select").first.check()
    page.select_option("select[name=action]", "void")
    page.click("button[name=index]")
    page.wait_for_load_state()
    told = page.inner_text("#content-main")
    for text in ("释放前后资金", "1,000.00", "1,500.00", "500.00", "已预留", "已作废"):
        assert text in told, text
    desk.look("li", "10-void")
    page.click("#chosen-form button[type=submit]")
    page.wait_for_load_state()
    assert "必填" in page.inner_text("body")
    page.fill("#id_why", "企业已提前还清")
    page.click("#chosen-form button[type=submit]")
    page.wait_for_load_state()
    assert "已处理 1 条" in page.inner_text("body")
    desk.look("li", "11-voided")
    desk.go("li", f"settlement/plan/{key}/change/")
    desk.press("li", "结束计划")
    desk["li"].fill("#id_why", "改期")
    desk.look("li", "12-end")
    assert "由 li 处理：改期" in desk.submit("li")
    desk.look("li", "13-ended")
    found = whole(lambda: Fund.objects.get(special_account_fen__gt=0))
    assert (found.special_account_fen, found.reserved_fen) == (150_000, 0)
