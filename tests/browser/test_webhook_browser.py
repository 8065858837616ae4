"""Webhooks in a browser: registered, told, a dead letter found from home and sent again, a key replaced."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from config.kernel.models import OutboxDelivery, Role, User
from config.kernel.services import outbox, relay
from tests.browser.desk import Desk, desks, whole
from tests.browser.door import MARKS, PASSWORD, has_authenticator
from tests.integration import rows
from tests.integration.listening import listening
from tests.integration.webhook_rows import client

pytestmark = MARKS
ROOT = "root"
ENDPOINTS, DELIVERIES = "kernel/webhookendpoint", "kernel/outboxdelivery"


def register(desk: Desk, url: str) -> str:
    """An administrator registers an address; the key's id."""
    desk.menu(ROOT, ENDPOINTS)
    desk.press(ROOT, "登记推送地址")
    page = desk[ROOT]
    page.fill("#id_url", "http://core.example/")
    page.select_option("#id_client", label="core")
    for box in page.locator("input[name=topics]").all():
        box.check()
    page.click("#step-form button[type=submit]")
    assert "地址须以 https:// 开头" in desk.look(ROOT, "refused")
    page.fill("#id_url", url)
    page.click("#step-form button[type=submit]")
    page.wait_for_selector("#secret")
    desk.look(ROOT, "secret")
    key = page.inner_text("#key-id")
    assert len(page.inner_text("#secret")) == 43
    page.click("#go-on")
    assert url in desk.look(ROOT, "endpoint")
    return str(key)


def happened(place: Any) -> relay.Relayed:
    """A run is told of; what the relay made of it."""
    with transaction.atomic():
        outbox.emit(
            topic="run.posted", aggregate="run:7", institution_id=place.pk,
            scheme_code="central-sme-2026", payload={"run_id": 7}, at=timezone.localtime(),
        )  # fmt: skip
    return relay.relay(clock=timezone.localtime)


def test_an_address_is_registered_and_a_dead_letter_is_sent_again(
    transactional_db: None, live_server: Any
) -> None:
    tree = rows.institutions()
    client("core", at=rows.AT, bank=tree[rows.BANK])
    root = User.objects.create_user(ROOT, password=PASSWORD, role=Role.ADMINISTRATOR, is_staff=True)
    has_authenticator(root)
    with listening() as receiver, desks(live_server.url, "webhook") as desk:
        key = register(desk, f"{receiver.origin}/in")
        receiver.statuses = [410]
        assert whole(lambda: happened(tree[rows.NANJING])).dead == 1
        desk.waiting(ROOT, "未能送达的事件")
        assert "HTTP 410: thanks" in desk.look(ROOT, "dead-list")
        desk.row(ROOT, "run:7")
        desk.look(ROOT, "dead")
        desk.press(ROOT, "重新发送")
        desk.fill(ROOT, why="接收方已修复")
        desk.look(ROOT, "resend")
        assert "已排队重新发送" in desk.submit(ROOT)
        assert whole(lambda: relay.relay(clock=timezone.localtime)).delivered == 1
        desk.go(ROOT, f"{DELIVERIES}/")
        assert "已送达" in desk.look(ROOT, "delivered")
        assert receiver.ids[0] == receiver.ids[1]
        desk.menu(ROOT, ENDPOINTS)
        desk.row(ROOT, "core")
        desk.press(ROOT, "更换密钥")
        page = desk[ROOT]
        page.click("#step-form button[type=submit]")
        page.wait_for_selector("#secret")
        assert page.inner_text("#key-id") != key
        page.click("#go-on")
        desk.look(ROOT, "rotated")
    assert OutboxDelivery.objects.get().state == "delivered"
