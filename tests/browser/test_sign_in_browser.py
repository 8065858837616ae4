"""A checker's first sign-in sets up an authenticator; later ones ask for its code; guessing locks the name."""

from django_otp.plugins.otp_totp.models import TOTPDevice

from config.kernel.models import Role, SignIn, User
from tests.browser.door import MARKS, PASSWORD, chromium, code_of, keep
from tests.integration import rows

pytestmark = MARKS


def shoot(page, name):
    keep(page, f"sign-in-{name}", whole=False)


def give_password(page, address, password):
    page.goto(f"{address}/admin/")
    page.fill("#id_username", "he")
    page.fill("#id_password", password)
    with page.expect_navigation():
        page.click("#login-form button[type=submit]")


def set_up(page, key):
    page.fill("#id_code", code_of(key))
    page.click("#code-form button")
    page.wait_for_selector("#codes")
    return page.locator("#codes li").all_inner_texts()


def leave(page):
    with page.expect_navigation():
        page.evaluate("document.getElementById('logout-form').submit()")


def guess_until_locked(page, address):
    """Five wrong passwords; the fifth answer says that the name is locked, the right one then too."""
    for _ in range(5):
        give_password(page, address, "wrong-but-long-enough")
    shoot(page, "locked")
    seen = page.inner_text("#locked")
    give_password(page, address, PASSWORD)
    return seen, page.inner_text("#locked")


def first_time(page, address):
    """Set up an authenticator, led there from wherever one goes; its key and the recovery codes."""
    page.goto(f"{address}/admin/")
    shoot(page, "password")
    give_password(page, address, PASSWORD)
    page.wait_for_url("**/second-factor/enrol/**")
    shoot(page, "enrol")
    assert page.locator("#drawing svg").count() == 1
    key = page.inner_text("#key")
    page.goto(f"{address}/admin/loans/note/")
    assert "/second-factor/enrol/" in page.url
    codes = set_up(page, key)
    shoot(page, "codes")
    page.click("#go-on")
    page.wait_for_selector("#result_list, #content-main")
    assert page.url == f"{address}/admin/loans/note/"
    leave(page)
    return key, codes


def next_time(page, address, key):
    """Sign in with the next code; what the first page and the list of one's own sign-ins say."""
    give_password(page, address, PASSWORD)
    page.wait_for_url("**/second-factor/**")
    shoot(page, "code")
    page.fill("#id_code", code_of(key, steps=1))
    page.click("#code-form button")
    page.wait_for_url("**/admin/")
    shoot(page, "in")
    told = page.inner_text("body")
    page.goto(f"{address}/admin/my-sign-ins/")
    shoot(page, "own")
    listed = page.inner_text("#own-sign-ins")
    leave(page)
    return told, listed


def test_a_checker_sets_up_signs_in_and_is_locked_out(transactional_db, live_server):
    tree = rows.institutions()
    User.objects.create_user(
        "he", password=PASSWORD, role=Role.CHECKER, institution=tree[rows.BANK], is_staff=True
    )
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        failures = []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("response", lambda r: failures.append(r.url) if r.status >= 500 else None)
        key, codes = first_time(page, live_server.url)
        told, listed = next_time(page, live_server.url, key)
        seen, seen_again = guess_until_locked(page, live_server.url)

    assert len(set(codes)) == 10
    assert "上次登录" in told
    assert "绑定双重验证" in listed
    assert "15 分钟后再试" in seen
    assert seen_again == seen
    assert failures == []
    assert TOTPDevice.objects.get().user.username == "he"
    assert list(SignIn.objects.order_by("id").values_list("event", "method")) == [
        ("code_awaited", "password"),
        ("factor_enrolled", ""),
        ("recovery_codes_made", ""),
        ("signed_in", "code"),
        ("signed_out", ""),
        ("code_awaited", "password"),
        ("signed_in", "code"),
        ("signed_out", ""),
        *[("refused", "password")] * 4,
        ("locked", "password"),
        ("locked", "password"),
    ]
