"""A correction in a browser: a late fact brought in, tried, its differences seen, posted by another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution
from settlement import tasks
from settlement.models import Recomputation
from tests.browser.desk import CHECKER, MAKER, Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.browser.test_money_browser import work
from tests.integration.book import run
from tests.integration.small_book import FIRST, NORTH, TREE, SmallBook, agrees

pytestmark = MARKS

JOB = "**/settlement/moneyjob/*/change/"
LATE = (
    "institution_code,note_number,repaid_on,amount,reference\n"
    f"{NORTH},A,2026-03-01,1800000.00,R-1\n"
)


@pytest.fixture
def book(
    transactional_db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> SmallBook:
    """A note with two collections posted: 1,000 yuan each."""
    settings.REPORTS_DIR = tmp_path / "store"
    made = SmallBook(tmp_path)
    made.scheme()
    made.lend("A", FIRST)
    for month in (2, 3):
        made.collect("A", month)
    run()
    two_people(Institution.objects.get(code=TREE[0][0]))
    monkeypatch.setattr(tasks.work_order, "delay", lambda **_asked: None)  # `work` does it
    return made


def bring_in(desk: Desk, folder: Path) -> None:
    """The maker brings in that half of the loan had been repaid on 1 March."""
    path = folder / "repayments.csv"
    path.write_text(LATE, encoding="utf-8")
    page = desk.menu(MAKER, "loans/fileimport")
    desk.press(MAKER, "导入文件")
    page.set_input_files("#id_file", path)
    desk.fill(MAKER, rows="1", total="1,800,000.00")
    desk.submit(MAKER)
    assert "待确认" in desk.look(MAKER, "01-import")
    page.click("#confirm-form button")
    page.wait_for_selector("a[href*='/loans/importbatch/']:has-text('#')")


def try_it(desk: Desk) -> int:
    """The maker has it tried; the job's page shows by itself that it is done."""
    page = desk.menu(MAKER, "settlement/recomputation")
    desk.press(MAKER, "重算（先试算）")
    place = page.locator("#id_institution option", has_text="甲银行").last.inner_text()
    desk.fill(MAKER, institution=place, through="2026-03-31")
    assert "试算任务已提交" in desk.submit(MAKER)
    page.wait_for_url(JOB)
    assert "办理中，本页自动刷新" in desk.look(MAKER, "02-job")
    work()
    page.wait_for_selector("#content-main a[href*='/settlement/recomputation/']", timeout=15_000)
    page.wait_for_selector("#kernel-watch", state="detached", timeout=15_000)
    desk.look(MAKER, "03-tried")
    page.click("#content-main a[href*='/settlement/recomputation/']")
    return int(whole(lambda: Recomputation.objects.get().pk))


def test_a_late_fact_is_tried_and_its_differences_are_posted_by_another(
    book: SmallBook, live_server: Any, tmp_path: Path
) -> None:
    before = whole(book.posted)
    with desks(live_server.url, "recomputation") as desk:
        bring_in(desk, tmp_path)
        key = try_it(desk)
        shown = desk.look(MAKER, "04-differences")
        for text in ("重算的收息（1 笔有差额）", "A-3", "1,000.00", "-500.00", "500.00"):
            assert text in shown, text
        desk.cannot(MAKER, "release")
        desk.cannot(MAKER, "refuse")
        assert whole(book.posted) == before

        desk.waiting(CHECKER, "重算")
        desk.row(CHECKER, "待复核")
        desk.press(CHECKER, "复核并入账")
        shown = desk.look(CHECKER, "05-release")
        for text in ("将入账的金额", "2,000.00", "1,500.00", "-500.00"):
            assert text in shown, text
        assert "已复核，正在入账" in desk.submit(CHECKER)
        assert whole(book.posted) == before
        work()
        desk[CHECKER].wait_for_selector("#kernel-watch", state="detached", timeout=15_000)
        desk.go(CHECKER, f"settlement/recomputation/{key}/change/")
        shown = desk.look(CHECKER, "06-posted")
        assert "已入账的差额" in shown and "-500.00" in shown

    posted = book.posted()
    assert posted[len(before) :] == [("A-3", 1, -500)]
    run()
    assert book.posted() == posted
    assert agrees()
