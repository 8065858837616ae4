"""The calendar in a browser: what is due is made, checked, filed and accepted; a register taken away as a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reports import tasks
from reports.models import Report
from reports.services import jobs, obligations
from tests.browser.desk import CHECKER, MAKER, Desk, desks, two_people, whole
from tests.browser.door import MARKS
from tests.integration import book, rows
from tests.integration.test_report_life import AT

pytestmark = MARKS

DONE = "#content-main a[href*='/result/']"


@pytest.fixture
def desk(
    transactional_db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch,
    live_server: Any,
) -> Any:  # fmt: skip
    """A bank with a note drawn in February 2026, and its deadlines."""
    settings.REPORTS_DIR = tmp_path / "store"
    tree = rows.institutions()
    book.load_shipped()
    rows.note(
        tree[rows.NANJING], "N1", drawn_on=date(2026, 2, 10), scheme_codes=["central-sme-2026"]
    )
    obligations.refresh(today=date(2026, 9, 1))
    two_people(tree[rows.BANK])
    monkeypatch.setattr(tasks.work_job, "delay", lambda **_asked: None)  # `work` does it
    with desks(live_server.url, "deadline") as made:
        yield made


def work() -> None:
    """What a worker does when its bell rings."""
    whole(lambda: jobs.work_open_jobs(owner="test", clock=lambda: AT))


def made(desk: Desk, what: str, file: str) -> None:
    """The job's page, which shows by itself that the file is there."""
    page = desk.menu(MAKER, "reports/job")
    desk.row(MAKER, what)
    assert "0/1" in desk.look(MAKER, f"{file}-under-way")
    work()
    page.wait_for_selector("#kernel-watch", state="detached", timeout=15_000)
    desk.look(MAKER, f"{file}-done")


def from_the_calendar(desk: Desk) -> None:
    """The maker finds what is due and has it made."""
    page = desk.menu(MAKER, "reports/obligation")
    desk.look(MAKER, "01-calendar")
    page.goto(f"{page.url}?code=new-loans")
    desk.row(MAKER, "2026-02")
    desk.look(MAKER, "02-due")
    desk.press(MAKER, "生成本期报表")
    desk.submit(MAKER)
    made(desk, "新发放贷款月报", "03-job")


def to_finance(desk: Desk) -> None:
    """Checked by another, filed and accepted."""
    desk.waiting(CHECKER, "报表")
    desk.row(CHECKER, "新发放贷款月报")
    desk.look(CHECKER, "05-to-check")
    desk.press(CHECKER, "复核报表")
    desk.look(CHECKER, "06-check")
    assert "已复核" in desk.submit(CHECKER)
    desk.menu(MAKER, "reports/report")
    desk.row(MAKER, "新发放贷款月报")
    desk.press(MAKER, "登记报送")
    assert "已登记报送" in desk.submit(MAKER)
    desk.press(MAKER, "登记受理")
    desk.fill(MAKER, document_number="财审1号")
    assert "已登记受理" in desk.submit(MAKER)
    assert "财审1号" in desk.look(MAKER, "07-accepted")


def test_a_report_goes_from_the_calendar_to_finance(desk: Desk) -> None:
    from_the_calendar(desk)
    desk.menu(MAKER, "reports/report")
    desk.row(MAKER, "新发放贷款月报")
    shown = desk.look(MAKER, "04-report")
    assert "文件" in shown and ".xlsx" in shown and "勾稽（两边相等）" in shown
    desk.cannot(MAKER, "check")
    assert whole(lambda: Report.objects.get().state) == "generated"
    assert desk.saved(MAKER, ".xlsx").startswith(b"PK")
    to_finance(desk)
    found = whole(Report.objects.get)
    assert (found.state, found.made_by, found.checked_by, found.submitted_by) == (
        "accepted", MAKER, CHECKER, MAKER,
    )  # fmt: skip
    page = desk.menu(MAKER, "reports/obligation")
    page.goto(f"{page.url}?code=new-loans")
    desk.row(MAKER, "2026-02")
    assert f"#{found.pk}" in desk.look(MAKER, "08-told")


def test_a_register_is_made_by_a_job_and_taken_away(desk: Desk) -> None:
    desk.menu(MAKER, "reports/job")
    desk.press(MAKER, "导出台账")
    desk.fill(MAKER, register="借据", file_format="csv", scheme="全部政策")
    desk.look(MAKER, "09-export")
    assert "任务已提交" in desk.submit(MAKER)
    made(desk, "借据", "10-export")
    with desk[MAKER].expect_download() as taken:
        desk[MAKER].click(DONE)
    lines = taken.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2 and "N1" in lines[1]
