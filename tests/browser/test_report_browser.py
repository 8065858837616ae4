"""A report from its order to finance: its maker follows the job, its checker sees what is signed."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, sync_playwright

from config.kernel.models import Institution, Role, User
from reports.models import Report
from reports.services import jobs, obligations
from reports.tasks import work_job
from tests import database
from tests.browser.door import CHROMIUM, PASSWORD, come_in, has_authenticator
from tests.integration import book, rows

SCREENSHOTS = Path(os.environ.get("SCREENSHOTS") or ".data/screenshots")

pytestmark = [
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and not os.environ.get("CI"), reason="no Chromium here"
    ),
    pytest.mark.django_db(transaction=True),
]


def stage() -> None:
    """A note of a bank, its deadlines, a maker and a checker."""
    places = rows.institutions()
    book.load_shipped()
    rows.note(places[rows.NANJING], "N1", drawn_on=date(2026, 2, 10))
    obligations.refresh(today=date(2026, 4, 1))
    for name, role in (("zhang", Role.MAKER), ("wang", Role.CHECKER)):
        person = User.objects.create_user(
            name, password=PASSWORD, role=role, is_staff=True,
            institution=Institution.objects.get(code=rows.BANK),
        )  # fmt: skip
        has_authenticator(person)


def desk(browser: Browser, address: str, name: str, failures: list[str]) -> Page:
    """Somebody signed in at a desk of their own; what goes wrong in the browser is noted."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("response", lambda r: failures.append(r.url) if r.status >= 400 else None)
    come_in(page, address, name)
    return page


def keep(page: Page, name: str) -> None:
    """A picture of the page, for people to look at; and no serious fault of it."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def aside(do: Callable[[], Any]) -> Any:
    """The answer as a worker gets it, while the web waits; a browser's thread may ask no database."""

    def as_worker() -> Any:
        with database.worker_connections():
            return do()

    with ThreadPoolExecutor(1) as other:
        return other.submit(as_worker).result()


def work() -> None:
    """What a worker does when its bell rings."""
    jobs.work_open_jobs(owner="test", clock=timezone.localtime)


def order(page: Page, address: str) -> None:
    """Order February's report of new loans for all policies."""
    page.goto(f"{address}/admin/reports/report/order/")
    page.select_option("#id_code", "new-loans")
    page.fill("#id_period", "2026-02")
    page.click("#step-form button")
    page.wait_for_selector("#kernel-watch", state="attached")


def test_a_report_from_its_order_to_finance(
    transactional_db: None,
    live_server: Any,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.REPORTS_DIR = tmp_path / "store"
    monkeypatch.setattr(work_job, "delay", lambda **_asked: None)  # `work` does it
    failures: list[str] = []
    stage()
    with database.web_connections(), sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        maker = desk(browser, live_server.url, "zhang", failures)
        order(maker, live_server.url)
        keep(maker, "job")
        aside(work)
        maker.wait_for_selector("#content a:has-text('新发放贷款月报')")  # by itself
        keep(maker, "done")
        maker.click("#content a:has-text('新发放贷款月报')")
        maker.wait_for_selector("text=对应的报送事项")

        checker = desk(browser, live_server.url, "wang", failures)
        checker.click("#home a:text-is('报表')")
        checker.click("#result_list tbody a >> nth=0")
        checker.click("a:has-text('复核报表')")
        checker.wait_for_selector("#step-form")
        signed = checker.inner_text("#content-main")
        keep(checker, "check")
        checker.click("#step-form button")
        checker.wait_for_selector("text=已复核")

        maker.reload()
        maker.click("a:has-text('登记报送')")
        maker.click("#step-form button")
        maker.wait_for_selector("text=已登记报送")
        maker.click("#content a:has-text('2026-03-05')")
        maker.wait_for_selector("text=报送对象")
        answered = maker.inner_text("#content")
        keep(maker, "obligation")
        browser.close()
    report = aside(Report.objects.get)
    assert (report.state, report.scheme_code, report.schemes) == (
        "submitted", "", ["central-sme-2026"],
    )  # fmt: skip
    for text in ("明细合计", "勾稽（两边相等）", "对应的报送事项", "2026-03-05", "sha256"):
        assert text in signed, text
    assert "已报送" in answered
    assert failures == []
