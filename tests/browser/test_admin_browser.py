"""A person signs in with a browser and reads a deduction, in Chinese and then in English."""

from config.kernel.models import Role, User
from tests.browser.door import MARKS, PASSWORD, chromium, come_in
from tests.integration import rows

pytestmark = MARKS


def open_deduction(page):
    page.click("#nav-sidebar a[href='/admin/settlement/deduction/']")
    page.wait_for_selector("#result_list")
    page.fill("#searchbar", "N1")
    page.press("#searchbar", "Enter")
    page.wait_for_url("**q=N1**")
    page.click("#result_list tbody a >> nth=0")
    page.wait_for_selector(".kernel-section")


def switch_language(page, code):
    with page.expect_navigation():
        page.evaluate(
            "code => document.querySelector(`input[name=language][value=${code}]`).form.submit()",
            code,
        )


def test_a_person_reads_a_deduction_in_chinese_and_in_english(transactional_db, live_server):
    tree = rows.institutions()
    note = rows.note(tree[rows.NANJING])
    rows.deduction(rows.collection(note))
    rows.deduction(rows.collection(rows.note(tree[rows.OTHER], "N9")))
    User.objects.create_user(
        "liu", password=PASSWORD, role=Role.AUDITOR, institution=tree[rows.BANK], is_staff=True
    )

    with chromium() as browser:
        page = browser.new_page(locale="en-US")
        failures = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("response", lambda r: failures.append(r.url) if r.status >= 500 else None)
        come_in(page, live_server.url, "liu")
        assert "贴息管理系统" in page.title()
        open_deduction(page)
        chinese = page.inner_text("#content-main")
        switch_language(page, "en")
        english = page.inner_text("#content-main")
        page.goto(f"{live_server.url}/admin/settlement/deduction/")
        listed = page.inner_text("#result_list")

    for text in ("中小微企业贷款贴息", "积数（元·天）", "65,000,000.00", "1,234.56", "2026-03-21"):
        assert text in chinese
    for text in (
        "Scheme",
        "Product (yuan-days)",
        "65,000,000.00",
        "1,234.56",
        "By tier",
        "Central",
    ):
        assert text in english
    assert "积数" not in english
    assert "N1" in listed
    assert "N9" not in listed
    assert failures == []
