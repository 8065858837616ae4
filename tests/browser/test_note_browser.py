"""A maker labels a note that missed its subsidy, reads its life, and how a deduction came about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Institution, Role, User
from loans.models import Enterprise, Note
from settlement.services.missed_labels import find_missed_labels
from tests.browser.door import MARKS, PASSWORD, barriers, chromium, come_in, keep
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, NORTH, SOUTH, SmallBook, capped

pytestmark = MARKS


@pytest.fixture
def book(transactional_db: None, tmp_path: Path) -> SmallBook:
    """A cap that two banks share, and a note of one of them that carries no label."""
    made = SmallBook(tmp_path)
    made.scheme(more=capped("enterprise", 1500))
    made.lend("A", FIRST)
    made.lend("B", FIRST, at=SOUTH)
    made.lend("N", FIRST, schemes="")
    for number, month, at in (("A", 2, NORTH), ("B", 2, SOUTH), ("A", 3, NORTH)):
        made.collect(number, month, at=at)
    run()
    find_missed_labels(at=AT)
    place = Institution.objects.get(code=NORTH)
    User.objects.create_user(
        "liu", password=PASSWORD, role=Role.MAKER, institution=place, is_staff=True
    )
    return made


def shot(page: Any, name: str) -> None:
    keep(page, name)


def label_what_is_missing(page: Any, address: str) -> None:
    page.goto(f"{address}/admin/settlement/missedlabel/")
    shot(page, "missed-labels")
    page.check("#result_list tbody input.action-select")
    page.select_option("select[name=action]", "label_chosen")
    page.click("#changelist-actions button[type=submit], button[name=index]")
    page.wait_for_selector("#step-form")
    shot(page, "label-step")
    page.click("#step-form button[type=submit]")
    page.wait_for_url("**/admin/settlement/missedlabel/")


def faults(page: Any) -> list[str]:
    """What axe finds serious on the page."""
    return barriers(page)


def unfold(page: Any, address: str, note: int) -> str:
    page.goto(f"{address}/admin/loans/note/{note}/change/")
    page.locator("details.life-more > summary").last.click()
    page.wait_for_selector(".life-unfolded table")
    shot(page, "note-life")
    text: str = page.locator("details.life-more").last.inner_text()
    return text


def test_from_a_missing_label_to_the_explained_deduction(book: SmallBook, live_server: Any) -> None:
    note = Note.objects.get(note_number="A").pk
    enterprise = Enterprise.objects.get(uscc=FIRST).pk
    with chromium() as browser:
        page = browser.new_page(locale="zh-CN", viewport={"width": 1366, "height": 768})
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("response", lambda r: failures.append(r.url) if r.status >= 400 else None)
        come_in(page, live_server.url, "liu")
        barriers: list[str] = []
        label_what_is_missing(page, live_server.url)
        told = page.inner_text("body")
        working = unfold(page, live_server.url, note)
        barriers += faults(page)
        page.goto(f"{live_server.url}/admin/loans/enterprise/{enterprise}/change/")
        shot(page, "enterprise")
        barriers += faults(page)
        bar = page.get_by_role("meter", name="试验 企业上限 2026 年")
        used = bar.get_attribute("aria-valuenow")

    assert "已加标签，待认定：试验 1 笔" in told
    assert Note.objects.get(note_number="N").scheme_codes == ["test"]
    for text in (
        "④ 上限",
        "企业上限（核减）",
        "本系统已贴 1,500.00",
        "⑤ 贴息 0.00 元，核减 1,000.00 元",
    ):
        assert text in working
    assert "乙银行" not in working
    assert used == "100"
    assert (failures, barriers) == ([], [])
