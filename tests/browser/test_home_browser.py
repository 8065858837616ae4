"""The home page in a browser: a fresh installation, then a checker who follows what waits and the money."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

from config.kernel.models import Role, User
from loans.models import SchemeLabel
from tests.browser.door import MARKS, PASSWORD, barriers, chromium, come_in, has_authenticator, keep
from tests.integration import rows
from tests.integration.test_settlements import Money

pytestmark = MARKS


def enter(page: Page, address: str, name: str) -> None:
    """Sign in, and be at home."""
    page.context.clear_cookies()
    come_in(page, address, name)
    page.wait_for_selector("#home")


def follow(page: Page, text: str) -> str:
    """Go where a figure or a kind of work leads, tell what is listed, and come back."""
    page.click(f"#home a:text-is('{text}') >> nth=0")
    page.wait_for_selector("#result_list")
    shown = page.inner_text("#result_list")
    page.go_back()
    page.wait_for_selector("#home")
    return shown


def person(name: str, role: str, **more: Any) -> None:
    has_authenticator(
        User.objects.create_user(name, password=PASSWORD, role=role, is_staff=True, **more)
    )


def book() -> None:
    """Money received and used in March, a deduction of it, and a plan that waits."""
    money = Money()
    SchemeLabel.objects.create(code="test", name="试验贴息")
    money.receive(1_000_000)
    money.pay(123_456)
    note = rows.note(rows.institutions()[rows.NANJING])
    SchemeLabel.objects.create(code="central-sme-2026", name="中小微企业贷款贴息")
    rows.deduction(rows.collection(note))
    rows.settlement.Plan.objects.create(
        institution=money.bank, collected_on="2026-12-21", planned_fen=1, made_by="zhang",
        made_at=rows.AT, sent_by="maker", sent_at=rows.AT,
    )  # fmt: skip
    person("wang", Role.CHECKER, institution=money.bank)


@contextmanager
def browsing(failures: list[str]) -> Iterator[Page]:
    """A browser's page, served by the role `app`; what goes wrong in it is noted."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("response", lambda r: failures.append(r.url) if r.status >= 400 else None)
        yield page


def test_home_from_the_first_day_on(transactional_db: None, live_server: Any) -> None:
    failures: list[str] = []
    person("root", Role.ADMINISTRATOR)
    with browsing(failures) as page:
        enter(page, live_server.url, "root")
        assert "请依次完成以下各步" in page.inner_text("#home")
        assert page.inner_text("#home li >> nth=0") == "导入机构"
        keep(page, "home-fresh")
        assert barriers(page) == []
    book()
    with browsing(failures) as page:
        enter(page, live_server.url, "wang")
        keep(page, "home-checker")
        assert barriers(page) == []
        shown = page.inner_text("#home")
        drawn = page.evaluate("Chart.getChart(document.querySelector('canvas.chart')).data")
        plans, deductions = follow(page, "代付计划"), follow(page, "1,234.56")
        used = follow(page, "10,000.00")
    for text in ("待我复核", "试验贴息", "10,000.00", "8,765.44", "2026-03"):
        assert text in shown, text
    assert drawn["labels"][2] == "2026-03"
    assert drawn["datasets"][0]["data"][2] == 1_235
    assert "2026-12-21" in plans
    assert "1,234.56" in deductions
    assert "预拨到账" in used
    assert failures == []
