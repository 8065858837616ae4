"""A maker brings a file in: refused with its errors, then confirmed; two people take it back."""

from config.kernel.models import Institution, Role, User
from loans.files.kinds import KINDS
from loans.models import FileImport, ImportUndo, Repayment
from tests import database
from tests.browser.door import MARKS, PASSWORD, barriers, chromium, come_in, has_authenticator, keep
from tests.integration.samples import BOOK, NANJING, changed, csv_bytes, load_book

pytestmark = MARKS


def sign_in(browser, address, who):
    page = browser.new_page(locale="zh-CN", viewport={"width": 1366, "height": 768})
    page.failures = []
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    page.on("response", lambda r: page.failures.append(r.url) if r.status >= 500 else None)
    come_in(page, address, who)
    return page


def look(page, name):
    keep(page, f"import-{name}")


def assert_accessible(page):
    assert barriers(page) == []


def upload(page, address, path, rows, total):
    page.goto(f"{address}/admin/loans/fileimport/")
    page.click("text=导入文件")
    page.wait_for_selector("#step-form")
    page.set_input_files("input[name=file]", path)
    page.fill("input[name=rows]", rows)
    page.fill("input[name=total]", total)
    look(page, "1-upload")
    page.click("#step-form button[type=submit]")
    page.wait_for_selector("#import-preview")
    return page.inner_text("#content-main")


def take_back(browser, address, page):
    """The maker asks from the batch's page, the checker agrees."""
    page.click("a[href*='/loans/importbatch/']:has-text('#')")
    page.click("text=申请撤销")
    page.fill("textarea[name=reason]", "来源系统重发")
    look(page, "5-ask")
    page.click("#step-form button[type=submit]")
    page.wait_for_url("**/loans/importundo/*/change/")
    checker = sign_in(browser, address, "wang")
    checker.goto(page.url)
    checker.click("text=同意撤销")
    look(checker, "6-agree")
    checker.click("#step-form button[type=submit]")
    checker.wait_for_selector("a[href$='/rows/']")
    look(checker, "7-undone")
    assert_accessible(checker)
    return checker


def test_a_file_is_refused_confirmed_and_taken_back(
    transactional_db, live_server, tmp_path, settings
):
    settings.REPORTS_DIR = tmp_path / "store"
    load_book(tmp_path, upto="notes")
    branch = Institution.objects.get(code=NANJING)
    for who, role in (("liu", Role.MAKER), ("wang", Role.CHECKER)):
        has_authenticator(
            User.objects.create_user(
                who, password=PASSWORD, role=role, institution=branch, is_staff=True
            )
        )
    row = BOOK["repayments"][0]
    headers = [column.header_zh for column in KINDS["repayments"].columns]
    bad, good = tmp_path / "还本-错.csv", tmp_path / "还本.csv"
    broken = [changed(row, amount="十万"), changed(row, note_number="JJ-9", reference="R-2")]
    bad.write_bytes(csv_bytes(broken, headers=headers))
    good.write_bytes(csv_bytes([row], headers=headers))
    with chromium() as browser:
        address = live_server.url
        page = sign_in(browser, address, "liu")
        refused = upload(page, address, bad, "3", "100000")
        look(page, "2-errors")
        assert_accessible(page)
        with page.expect_download() as download:
            page.click("text=查看全部")
        errors = download.value.path().read_text(encoding="utf-8-sig")
        shown = upload(page, address, good, "1", "100,000.00")
        look(page, "3-preview")
        assert_accessible(page)
        with database.connect("worker") as aside:
            before = aside.execute("SELECT count(*) FROM loans_repayment").fetchone()[0]
        page.click("#confirm-form button")
        page.wait_for_selector("a[href*='/loans/importbatch/']:has-text('#')")
        done = page.inner_text("body")
        look(page, "4-done")
        checker = take_back(browser, address, page)
        failures = page.failures + checker.failures

    for text in ("有错误", "您填写 3 行，文件有 2 行", "还本金额", "十万", "请先导入借据", "JJ-9"):
        assert text in refused
    assert errors.startswith("行,列,表头,值,说明,in English\n1,")
    for text in ("待确认", "新增 1", "100,000.00", "尚未保存任何数据；请核对后确认导入"):
        assert text in shown
    assert "已导入：新增 1 行，更正 0 行，未变 0 行" in done
    undo = ImportUndo.objects.get()
    assert (before, Repayment.objects.count(), undo.state, undo.removed) == (0, 0, "done", 1)
    assert (undo.made_by, undo.checked_by, undo.reason) == ("liu", "wang", "来源系统重发")
    assert list(FileImport.objects.order_by("pk").values_list("state", "kind")) == [
        ("refused", "repayments"), ("done", "repayments"),
    ]  # fmt: skip
    assert failures == []
