"""A maker finds a note that lacks papers, attaches one and sees it off the list; an auditor saves it."""

from pathlib import Path

from config.kernel.models import Role, User
from loans.models import Paper
from tests.browser.door import MARKS, PASSWORD, chromium, come_in, keep
from tests.integration import paper_rows, rows
from tests.integration.paper_files import PDF, sha256

pytestmark = MARKS


def sign_in(browser, address, name, failures):
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("response", lambda r: failures.append(r.url) if r.status >= 500 else None)
    come_in(page, address, name)
    return page


def shot(page, name):
    keep(page, f"papers-{name}")


def attach(page, scan, seen):
    """From the list of notes that lack papers to the note, by way of a page that is no paper."""
    page.click("#nav-sidebar a[href='/admin/settlement/papergap/']")
    seen["list"] = page.inner_text("#result_list")
    shot(page, "missing")
    page.click("#result_list >> text=添加资料")
    page.set_input_files("input[name=file]", str(scan.with_suffix(".html")))
    page.click("#step-form button[type=submit]")
    page.wait_for_selector("text=只接受内容与扩展名一致的")
    shot(page, "refused")
    page.set_input_files("input[name=file]", str(scan))
    page.click("#step-form button[type=submit]")
    page.wait_for_url("**/loans/note/*/change/")
    seen["note"] = page.inner_text("#content-main, #main")
    shot(page, "note")
    page.goto(page.url.partition("/admin/")[0] + "/admin/settlement/papergap/")
    seen["after"] = page.inner_text("body")
    shot(page, "none-missing")


def test_a_paper_is_attached_and_saved(transactional_db, live_server, tmp_path, settings):
    settings.REPORTS_DIR = tmp_path / "store"
    tree = rows.institutions()
    version = rows.scheme_version()
    paper_rows.asked(version)
    for place, number in ((rows.NANJING, "N1"), (rows.OTHER, "N9")):
        paper_rows.judged(rows.note(tree[place], number), version)
    for name, role in (("liu", Role.MAKER), ("sun", Role.AUDITOR)):
        User.objects.create_user(
            name, password=PASSWORD, role=role, institution=tree[rows.BANK], is_staff=True
        )
    scan, seen, failures = tmp_path / "跟踪记录.pdf", {}, []
    scan.write_bytes(PDF)
    scan.with_suffix(".html").write_text("<script>alert(1)</script>")

    with chromium() as browser:
        page = sign_in(browser, live_server.url, "liu", failures)
        attach(page, scan, seen)
        auditor = sign_in(browser, live_server.url, "sun", failures)
        auditor.goto(f"{live_server.url}/admin/loans/paper/")
        with auditor.expect_download() as saved:
            auditor.click("#result_list a >> text=跟踪记录.pdf")
        called, content = saved.value.suggested_filename, Path(saved.value.path()).read_bytes()
        shot(auditor, "list")

    assert "N1" in seen["list"]
    assert "N9" not in seen["list"]
    assert "资金用途跟踪记录" in seen["note"]
    assert "已有" in seen["note"]
    assert "跟踪记录.pdf" in seen["note"]
    assert "N1" not in seen["after"]
    assert (called, content) == ("跟踪记录.pdf", PDF)
    paper = Paper.objects.get()
    assert (paper.note.note_number, paper.made_by, paper.sha256) == ("N1", "liu", sha256(PDF))
    assert failures == []
