"""The main pages as people who see, read, type or print meet them: axe, keyboard, screens, paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config.kernel.models import Role, User
from settlement.models import Finding
from tests.browser.door import MARKS, PASSWORD, SHOTS, barriers, chromium, come_in, keep
from tests.integration import rows

pytestmark = MARKS

SCREENS = {"small": (1366, 768), "wide": (1920, 1080)}
LISTS = {
    "home": "/admin/", "notes": "/admin/loans/note/", "deductions": "/admin/settlement/deduction/",
    "funds": "/admin/settlement/fund/", "findings": "/admin/settlement/finding/",
    "deadlines": "/admin/reports/obligation/", "reports": "/admin/reports/report/",
    "history": "/admin/loans/noteevent/", "jobs": "/admin/reports/job/",
    "plans": "/admin/settlement/plan/", "settlements": "/admin/settlement/settlement/",
    "clawbacks": "/admin/settlement/clawback/", "payouts": "/admin/settlement/payout/",
}  # fmt: skip
ROWS = {
    "note": "loans/note", "finding": "settlement/finding", "report": "reports/report",
    "deduction": "settlement/deduction", "obligation": "reports/obligation",
}  # fmt: skip
STEP = "/admin/loans/preallocation/enter/"
CLIPPED = """() => [...document.querySelectorAll('.simplebar-content-wrapper')]
  .filter(box => box.querySelector('#result_list') && box.scrollWidth > box.clientWidth)
  .map(box => box.scrollWidth + ' of ' + box.clientWidth)"""
WHOLE = {
    "notes",
    "deductions",
    "funds",
    "findings",
    "deadlines",
    "settlements",
    "clawbacks",
    "payouts",
}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Amounts: right-aligned, figures of one width; their column says the unit. Where each line is another
# fact, as in what two sides say, the line does.
LOOSE = """() => [...document.querySelectorAll('#result_list td, table.kernel-section td')]
  .filter(cell => /^-?[0-9,]+[.][0-9]{2}%?$/.test(cell.innerText.trim()))
  .filter(cell => !/[（(]元[）)]/.test(cell.parentElement.children[0].innerText))
  .filter(cell => {
    const style = getComputedStyle(cell);
    return style.textAlign !== 'right' || style.fontVariantNumeric !== 'tabular-nums';
  }).map(cell => cell.className + ': ' + cell.innerText.trim())"""
UNNAMED = """() => [...document.querySelectorAll('#result_list tbody tr:first-child td, table.kernel-section tbody tr:first-child td')]
  .filter(cell => /^-?[0-9,]+[.][0-9]{2}$/.test(cell.innerText.trim()))
  .filter(cell => !/[（(]元[）)]/.test(cell.parentElement.children[0].innerText))
  .map(cell => cell.closest('table').querySelectorAll('thead tr:last-child th')[
    [...cell.parentElement.children].indexOf(cell)].innerText.trim())
  .filter(title => !/[（(](元|元·天|万元)[）)]/.test(title))"""


@pytest.fixture
def page(transactional_db: None, live_server: Any) -> Iterator[Any]:
    """A maker of a bank with one whole book, signed in at 1366 × 768, far from Beijing."""
    tree = rows.institutions()
    note = rows.whole_book(tree[rows.NANJING])
    found = Finding.objects.get()
    for position, fen in ((2, 100_000_000), (3, 90_000_000)):
        facts = {"note_number": "N1", "principal_fen": fen, "drawn_on": "2026-01-15"}
        found.sides.create(
            institution_id=note.institution_id, note=note, position=position, facts=facts
        )
    User.objects.create_user(
        "liu", password=PASSWORD, role=Role.MAKER, institution=tree[rows.BANK], is_staff=True
    )
    with chromium() as browser:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": 1366, "height": 768},
            color_scheme="light",
            timezone_id="America/New_York",
        )
        yield context.new_page()


def faults(page: Any, name: str) -> list[str]:
    """What axe finds grave in the light theme, and of contrast in the dark one; both are kept as pictures."""
    keep(page, f"{name}-light")
    found = [("light", barriers(page))]
    page.evaluate("document.documentElement.classList.add('dark')")
    keep(page, f"{name}-dark", whole=False)
    found.append(("dark", barriers(page, {"runOnly": ["color-contrast"]})))
    page.evaluate("document.documentElement.classList.remove('dark')")
    return [f"{name} {theme}: {one}" for theme, told in found for one in told]


def beside_the_screen(page: Any, name: str) -> list[str]:
    """Which screens the page is too wide for; tables scroll by themselves."""
    found = []
    for screen, (width, height) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        if page.evaluate(OVERFLOW) > 0:
            found.append(f"{name}: wider than the {screen} screen")
        keep(page, f"{name}-{screen}", whole=False)
    page.set_viewport_size({"width": 1366, "height": 768})
    return found


def test_the_main_pages_have_no_grave_fault(page: Any) -> None:
    page.goto("/admin/login/")
    found = faults(page, "login")
    come_in(page, "", "liu")
    addresses = dict(LISTS)
    for name, model in ROWS.items():
        page.goto(f"/admin/{model}/")
        addresses[name] = page.get_attribute(
            "#result_list tbody th a, #result_list tbody td a", "href"
        )
    for name, address in {**addresses, "step": STEP}.items():
        page.goto(address)
        if name == "step":
            page.press("#id_document_number", "Enter")
            page.wait_for_selector("#id_document_number_error, .text-red-600")
        page.wait_for_load_state("networkidle")
        found += faults(page, name)
        found += [f"{name}: {one} is loose" for one in page.evaluate(LOOSE)]
        found += [f"{name}: “{one}” has no unit" for one in page.evaluate(UNNAMED)]
        if name in WHOLE:
            found += [f"{name}: columns cut off, {one}" for one in page.evaluate(CLIPPED)]
        found += beside_the_screen(page, name)
    assert found == []


def test_a_day_is_typed_and_chosen_as_it_is_shown(page: Any) -> None:
    come_in(page, "", "liu")
    page.goto(STEP)
    page.fill("#id_received_on", "2026-03-05")
    page.click("#calendarlink0")
    assert page.inner_text("#calendarbox0 caption") == "三月 2026"
    assert page.inner_text("#calendarbox0 td.selected") == "5"
    page.click("#calendarbox0 td a:text-is('6')")
    assert page.input_value("#id_received_on") == "2026-03-06"


def focused(page: Any) -> Any:
    """What has the focus: its id or name, and whether a ring is drawn around it."""
    return page.evaluate(
        "() => { const one = document.activeElement, style = getComputedStyle(one);"
        " return [one.id || one.name || one.className, style.outlineStyle !== 'none'"
        " && parseFloat(style.outlineWidth) >= 2] }"
    )


def test_everything_is_reached_by_keyboard(page: Any) -> None:
    come_in(page, "", "liu")
    page.goto(STEP)
    page.keyboard.press("Tab")
    assert focused(page) == ["kernel-skip", True]
    assert page.evaluate("document.querySelector('.kernel-skip').getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert focused(page)[0] == "content"
    order = []
    for _ in range(8):
        page.keyboard.press("Tab")
        order.append(focused(page))
    assert order == [
        [f"id_{name}", True]
        for name in (
            "scheme_code", "institution_code", "tier", "purpose", "document_number", "received_on",
        )
    ] + [["calendarlink0", True], ["id_amount", True]]  # fmt: skip
    page.keyboard.press("Enter")
    page.wait_for_selector(".text-red-600")
    assert (
        page.evaluate("document.querySelector('#id_amount').getAttribute('aria-invalid')") == "true"
    )
    page.goto("/admin/loans/note/")
    opened = page.locator("[role=button]", has_text="筛选").first
    opened.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#changelist-filter", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#changelist-filter", state="hidden")


RIGHT_EDGES = """() => [...document.querySelectorAll('table.kernel-section')].map(table =>
  [...table.querySelectorAll('tbody tr')].map(row => [...row.querySelectorAll('td.number')].map(
    cell => Math.round(cell.getBoundingClientRect().right)).join()))"""


def test_a_printed_note_is_the_note_alone(page: Any) -> None:
    come_in(page, "", "liu")
    page.goto("/admin/loans/note/")
    page.click("#result_list tbody a >> nth=0")
    page.wait_for_selector(".kernel-section")
    assert not page.is_visible(".kernel-printed")
    page.evaluate("document.documentElement.classList.add('dark')")
    page.emulate_media(media="print")
    for gone in ("#nav-sidebar", "#main > header", ".kernel-skip"):
        assert not page.is_visible(gone), gone
    head = page.inner_text(".kernel-printed")
    assert "贴息管理系统" in head and "N1" in head
    assert "liu 打印于" in head and "北京时间" in head
    assert page.evaluate("getComputedStyle(document.querySelector('#main')).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    for table in page.evaluate(RIGHT_EDGES):
        assert len(set(table)) <= 1
    assert "1,234.56" in page.inner_text("#content-main")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.pdf(path=SHOTS / "note.pdf", prefer_css_page_size=True)
    assert (SHOTS / "note.pdf").read_bytes().startswith(b"%PDF-")


def test_an_empty_list_says_what_to_do_next(page: Any) -> None:
    come_in(page, "", "liu")
    page.goto("/admin/settlement/clawback/?state__exact=dismissed")
    assert page.inner_text("#empty-list h2") == "没有符合条件的记录"
    page.click("#empty-list a")
    page.wait_for_selector("#result_list")
    page.goto("/admin/loans/noteevent/?q=999")
    keep(page, "empty", whole=False)
