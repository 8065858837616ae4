"""Events, deliveries and addresses in the admin: who sees them, what is done about them, secrets once."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from config.kernel.models import (
    ApiClient,
    DeliveryStep,
    Institution,
    OutboxDelivery,
    OutboxEvent,
    Role,
    WebhookEndpoint,
    WebhookSecret,
)
from config.kernel.services import sealed, webhooks
from tests import database
from tests.integration import rows, told_rows
from tests.integration.test_admin import person, tree, url, web  # noqa: F401
from tests.integration.webhook_rows import client as api_client
from tests.integration.webhook_rows import endpoint

pytestmark = pytest.mark.django_db

Web = Callable[[Any], Client]
Tree = dict[str, Institution]
DELIVERY, ENDPOINT = "kernel.outboxdelivery", "kernel.webhookendpoint"


def whole(ask: Callable[[], Any]) -> Any:
    """What there is, whoever looks."""
    with database.as_role("worker"):
        return ask()


@pytest.fixture
def delivery(tree: Tree) -> OutboxDelivery:
    """A dead letter of the Nanjing branch."""
    made = told_rows.told(tree[rows.NANJING], rows.AT)
    OutboxDelivery.objects.update(state="dead")
    return made


def stood() -> list[Any]:
    return whole(
        lambda: [
            list(model.objects.order_by("pk").values())
            for model in (OutboxDelivery, DeliveryStep, WebhookEndpoint, WebhookSecret)
        ]
    )


def send(web: Client, label: str, step: str, *pk: Any, **data: Any) -> Any:
    return web.post(url(label, step, *pk), data)


def test_a_dead_letter_is_sent_again_by_an_administrator_who_says_why(
    delivery: OutboxDelivery, web: Web
) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    page = root.get(url(DELIVERY, "change", delivery.pk)).content.decode()
    assert (reverse("admin:kernel_outboxdelivery_resend", args=[delivery.pk]) in page) is True
    refused = send(root, DELIVERY, "resend", delivery.pk, why=" ")
    assert refused.context["form"].errors.keys() == {"why"}
    assert whole(lambda: OutboxDelivery.objects.get().state) == "dead"
    taken = send(root, DELIVERY, "resend", delivery.pk, why="接收方已修复")
    assert (taken.status_code, taken.url) == (302, url(DELIVERY, "change", delivery.pk))
    now = whole(OutboxDelivery.objects.get)
    assert (now.state, now.attempts, now.last_error) == ("waiting", 0, "HTTP 500: x")
    step = whole(lambda: DeliveryStep.objects.latest("pk"))
    assert (step.step, step.actor, step.why, step.attempts) == (
        "resent",
        "root",
        "接收方已修复",
        24,
    )
    page = root.get(url(DELIVERY, "change", delivery.pk)).content.decode()
    assert "接收方已修复" in page
    assert reverse("admin:kernel_outboxdelivery_resend", args=[delivery.pk]) not in page


def test_a_step_taken_twice_is_refused_the_second_time(delivery: OutboxDelivery, web: Web) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    send(root, DELIVERY, "resend", delivery.pk, why="再试")
    before = stood()
    again = send(root, DELIVERY, "resend", delivery.pk, why="再试")
    assert again.context["form"].non_field_errors() == ["该送达记录现为“待送达”，不能办理此步骤"]
    assert stood() == before


def test_a_dead_letter_is_given_up(delivery: OutboxDelivery, web: Web) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    assert send(root, DELIVERY, "give-up", delivery.pk, why="已电话告知").status_code == 302
    assert whole(lambda: OutboxDelivery.objects.get().state) == "given_up"


@pytest.mark.parametrize("role", [one for one in Role if one != Role.ADMINISTRATOR])
def test_nobody_else_sends_again_gives_up_or_registers(
    delivery: OutboxDelivery, tree: Tree, web: Web, role: Role
) -> None:
    before = stood()
    somebody = web(person(role, tree[rows.BANK]))
    for step in ("resend", "give-up"):
        assert send(somebody, DELIVERY, step, delivery.pk, why="x").status_code == 403
    assert send(somebody, ENDPOINT, "new", url="https://a.example/").status_code == 403
    assert stood() == before
    seen = somebody.get(url(DELIVERY)).status_code
    assert seen == (200 if role == Role.AUDITOR else 403)
    assert somebody.get(url(ENDPOINT)).status_code == 403


def test_another_banks_administrator_neither_sees_nor_sends_again(
    delivery: OutboxDelivery, tree: Tree, web: Web
) -> None:
    told_rows.told(tree[rows.OTHER], rows.AT)
    before = stood()
    other = web(person(Role.ADMINISTRATOR, tree[rows.OTHER]))
    for label in (DELIVERY, "kernel.outboxevent", "kernel.deliverystep"):
        shown = other.get(url(label)).context["cl"].result_list
        assert [row.institution_id for row in shown] == [tree[rows.OTHER].pk], label
    assert send(other, DELIVERY, "resend", delivery.pk, why="x").status_code == 404
    assert stood() == before
    assert other.get(url(ENDPOINT)).status_code == 403


def test_dead_letters_wait_on_the_home_page_and_are_listed_by_state(
    delivery: OutboxDelivery, tree: Tree, web: Web
) -> None:
    told_rows.told(tree[rows.SUZHOU], rows.AT)  # given up
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    assert "未能送达的事件" in root.get(reverse("admin:index")).content.decode()
    of_one = {"receiver_kind": "webhook", "receiver_id": 1, "state__exact": "dead"}
    found = {"q": f"run:{tree[rows.NANJING].pk}"}
    for query in ({"state__exact": "dead"}, {"waiting": "dead"}, of_one, found):
        shown = root.get(url(DELIVERY, **query)).context["cl"].result_list
        assert [(row.pk, row.receiver_name) for row in shown] == [(delivery.pk, "webhook:1")]


@pytest.fixture
def core(tree: Tree) -> ApiClient:
    return api_client("core", at=rows.AT, bank=tree[rows.BANK])


def test_an_address_is_registered_and_its_key_shown_this_once(core: ApiClient, web: Web) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    assert root.get(url(ENDPOINT, "new")).status_code == 200
    answer = send(
        root, ENDPOINT, "new", client=core.pk, url="https://core.example/in",
        topics=["run.posted", "finding.opened"],
    )  # fmt: skip
    made = whole(WebhookEndpoint.objects.get)
    key = whole(WebhookSecret.objects.get)
    secret = sealed.unseal(key.material)
    page = answer.content.decode()
    assert (secret in page, key.key_id in page, key.key_id) == (
        True,
        True,
        f"webhook-{made.pk}-{key.pk}",
    )
    assert "no-store" in answer.headers["Cache-Control"]
    assert (made.client_id, made.url, made.topics) == (
        core.pk, "https://core.example/in", ["finding.opened", "run.posted"],
    )  # fmt: skip
    assert (made.made_by, made.is_active) == ("root", True)
    for label, pk in ((ENDPOINT, made.pk), ("kernel.webhooksecret", key.pk)):
        page = root.get(url(label, "change", pk)).content.decode()
        assert (secret in page, key.material in page) == (False, False)


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"url": "http://core.example/"}, "__all__", "地址须以 https:// 开头"),
        (
            {"url": "https://10.0.0.1/"},
            "__all__",
            "不得指向内网地址；确需时由运维在 WEBHOOK_PRIVATE_HOSTS 中列明",
        ),
        ({"url": ""}, "url", None),
        ({"topics": []}, "topics", None),
        ({"topics": ["all"]}, "topics", None),
        ({"client": 999}, "client", None),
        ({"url": "https://core.example/\0"}, "url", None),
    ],
)
def test_an_address_that_cannot_be_is_refused_where_it_was_entered(
    core: ApiClient, web: Web, sent: dict[str, Any], field: str, said: str | None
) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    before = stood()
    whole_form = {
        "client": core.pk,
        "url": "https://core.example/",
        "topics": ["run.posted"],
        **sent,
    }
    answer = send(root, ENDPOINT, "new", **whole_form)
    errors = answer.context["form"].errors
    assert set(errors) == {field}
    if said is not None:
        assert errors[field] == [said]
    assert stood() == before


def test_an_address_is_changed_its_key_replaced_and_it_is_deactivated(
    core: ApiClient, tree: Tree, web: Web
) -> None:
    made = endpoint(core, "https://core.example/", at=rows.AT)
    delivery = told_rows.told(tree[rows.NANJING], rows.AT, receiver_id=made.endpoint_id)
    OutboxDelivery.objects.update(state="waiting")
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    key = made.endpoint_id
    shown = root.get(url(ENDPOINT, "edit", key)).context["form"]
    assert shown.initial["url"] == "https://core.example/"
    changed = send(root, ENDPOINT, "edit", key, url="https://new.example/", topics=["run.posted"])
    assert changed.status_code == 302
    answer = send(root, ENDPOINT, "rotate", key)
    newest, oldest = whole(lambda: list(WebhookSecret.objects.order_by("-pk")))
    assert sealed.unseal(newest.material) in answer.content.decode()
    assert (newest.ends_at, (oldest.ends_at - newest.made_at)) == (None, webhooks.OVERLAP)
    listed = root.get(url(DELIVERY)).context["cl"].result_list
    assert [row.receiver_name for row in listed] == ["core https://new.example/"]
    assert send(root, ENDPOINT, "deactivate", key, why="换系统").status_code == 302
    found = whole(WebhookEndpoint.objects.get)
    assert (found.is_active, found.url, found.topics) == (
        False,
        "https://new.example/",
        ["run.posted"],
    )
    assert whole(lambda: OutboxDelivery.objects.get(pk=delivery.pk).state) == "given_up"
    before = stood()
    for step, data in (
        ("edit", {"url": "https://x.example/", "topics": ["run.posted"]}),
        ("rotate", {}),
    ):
        refused = send(root, ENDPOINT, step, key, **data)
        assert refused.context["form"].non_field_errors() == ["推送地址不存在或已停用"]
    assert stood() == before


def test_the_web_can_change_nothing_else_of_a_delivery_or_a_key(
    delivery: OutboxDelivery, core: ApiClient, as_role: Any
) -> None:
    endpoint(core, "https://core.example/", at=rows.AT)
    before = stood()
    refused = [
        "UPDATE kernel_outboxdelivery SET delivered_at = now(), state = 'delivered'",
        "UPDATE kernel_outboxdelivery SET aggregate = 'run:9'",
        "INSERT INTO kernel_outboxdelivery SELECT * FROM kernel_outboxdelivery",
        "DELETE FROM kernel_outboxdelivery",
        "UPDATE kernel_webhooksecret SET material = ''",
        "DELETE FROM kernel_webhooksecret",
        "UPDATE kernel_outboxevent SET payload = '{}'",
        "DELETE FROM kernel_outboxpending",
    ]
    for statement in refused:
        with pytest.raises(Exception, match="permission denied"), as_role("app", everything=True):
            connection.cursor().execute(statement)
    assert (stood(), whole(OutboxEvent.objects.count)) == (before, 1)
