"""Machines in a browser: a finance department, its client with a secret seen once, a province's system."""

from __future__ import annotations

from typing import Any

from django.test import Client

from config.kernel.models import ApiClient, Role, User
from loans.services.labels import register_label
from settlement.models import ProvinceSystem, Scheme
from tests.browser.desk import Desk, desks, whole
from tests.browser.door import MARKS, PASSWORD, has_authenticator
from tests.integration import rows

pytestmark = MARKS
ROOT, CODE = "root", "central-sme-2026"
SECRET = "not-to-be-seen-0123456789"


def send(desk: Desk, **values: str) -> Any:
    page = desk[ROOT]
    for field, value in values.items():
        page.fill(f"#id_{field}", value)
    page.click("#step-form button[type=submit]")
    page.wait_for_load_state()
    return page


def department(desk: Desk, bank: str) -> None:
    """What answers to it is named by codes; one that there is not is said so."""
    desk.menu(ROOT, "kernel/financedepartment")
    assert "没有财政部门" in desk.look(ROOT, "departments")
    page = desk.press(ROOT, "登记财政部门")
    page.select_option("#id_level", label="市级财政")
    told = {"code": "NJCZ", "name": "南京市财政局", "region_code": "320100", "schemes": CODE}
    send(desk, **told, places="B9999999999999")
    assert "B9999999999999" in desk.look(ROOT, "department-refused")
    send(desk, places=bank)
    assert "南京市财政局" in desk.look(ROOT, "department")


def client(desk: Desk) -> dict[str, str]:
    """Its id, and the secret that is shown once."""
    desk.menu(ROOT, "kernel/apiclient")
    page = desk.press(ROOT, "登记接口客户端")
    page.select_option("#id_department", label="NJCZ 南京市财政局")
    for box in page.locator("input[name=scopes]").all():
        box.check()
    desk.look(ROOT, "client-form")
    page = send(desk, name="nj-treasury")
    page.wait_for_selector("#secret")
    desk.look(ROOT, "client-secret")
    said = {"client_id": page.inner_text("#key-id"), "client_secret": page.inner_text("#secret")}
    page.click("#go-on")
    assert said["client_secret"] not in desk.look(ROOT, "client")
    return said


def token(said: dict[str, str]) -> int:
    """What asking for a token is answered."""
    form = {"grant_type": "client_credentials", **said}
    body = "&".join(f"{name}={value}" for name, value in form.items())
    media = "application/x-www-form-urlencoded"
    return Client().post("/api/v1/oauth/token/", body, content_type=media).status_code


def province(desk: Desk) -> None:
    """Plain HTTP to elsewhere is refused; the secret is never shown again."""
    desk.menu(ROOT, "settlement/provincesystem")
    page = desk.press(ROOT, "登记省级贴息系统")
    page.select_option("#id_definition", value="jiangsu-http")
    send(desk, code="jiangsu", url="http://js.example/api", secret=SECRET)
    assert "https://" in desk.look(ROOT, "province-refused")
    send(desk, url="https://js.example/api", secret=SECRET)
    desk.row(ROOT, "jiangsu")
    shown = desk.look(ROOT, "province")
    assert "https://js.example/api" in shown
    assert SECRET not in page.content()
    desk.press(ROOT, "停用")
    send(desk, why="对方系统下线")
    desk.look(ROOT, "province-closed")
    assert page.locator("#main > header a:has-text('停用')").count() == 0


def test_machines_are_registered_shown_and_closed(transactional_db: None, live_server: Any) -> None:
    tree = rows.institutions()
    register_label(code=CODE, name="中小微企业贷款贴息")
    Scheme.objects.create(code=CODE, name="中小微企业贷款贴息")
    root = User.objects.create_user(ROOT, password=PASSWORD, role=Role.ADMINISTRATOR, is_staff=True)
    has_authenticator(root)
    with desks(live_server.url, "machine") as desk:
        department(desk, tree[rows.BANK].code)
        said = client(desk)
        assert whole(lambda: token(said)) == 200
        desk.press(ROOT, "停用客户端")
        desk[ROOT].click("#step-form button[type=submit]")
        desk.look(ROOT, "client-closed")
        assert whole(lambda: token(said)) == 401
        province(desk)
        assert desk.failures == []
        assert desk.barriers == []
    assert [one.is_active for one in ApiClient.objects.all()] == [False]
    assert [one.is_active for one in ProvinceSystem.objects.all()] == [False]
