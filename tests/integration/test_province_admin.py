"""Connecting a province's system in the admin: by administrators, sealed, within what is possible."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from config.kernel.models import Institution, OutboxDelivery, Role
from config.kernel.services import outbox, sealed
from settlement.models import ProvinceAnswer, ProvinceCursor, ProvinceSystem
from tests import database
from tests.integration import rows
from tests.integration.province_rows import answered, connected
from tests.integration.test_admin import person, tree, url, web  # noqa: F401

pytestmark = pytest.mark.django_db

Web = Callable[[Any], Client]
Tree = dict[str, Institution]
SYSTEM, ANSWER = "settlement.provincesystem", "settlement.provinceanswer"
SECRET = "given-by-the-province"
NEW = {
    "code": "jiangsu",
    "definition": "jiangsu-http",
    "url": "https://fw.example/",
    "secret": SECRET,
}


def systems() -> list[dict[str, Any]]:
    with database.as_role("worker"):
        return list(ProvinceSystem.objects.order_by("pk").values())


def test_an_administrator_connects_changes_and_closes_a_system(tree: Tree, web: Web) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    assert root.post(url(SYSTEM, "new"), NEW).status_code == 302
    (made,) = systems()
    assert (made["code"], made["bound_to_id"], made["made_by"]) == ("jiangsu", None, "root")
    assert sealed.unseal(made["secret"]) == SECRET
    shown = root.get(url(SYSTEM, "change", made["id"])).content.decode()
    assert ("https://fw.example/" in shown, SECRET in shown) == (True, False)
    edit = root.get(url(SYSTEM, "edit", made["id"])).content.decode()
    assert (SECRET in edit, made["secret"] in edit) == (False, False)
    root.post(url(SYSTEM, "edit", made["id"]), {"url": "https://fw.example/v2", "secret": ""})
    (moved,) = systems()
    assert (moved["url"], moved["secret"]) == ("https://fw.example/v2", made["secret"])
    assert (moved["secret_set_by"], moved["secret_set_at"]) == ("root", made["secret_set_at"])
    elsewhere = {"url": "https://fw.example:8443/v2", "secret": ""}
    refused = root.post(url(SYSTEM, "edit", made["id"]), elsewhere).content.decode()
    assert ("换了主机或端口须重新填写" in refused, systems()) == (True, [moved])
    root.post(url(SYSTEM, "edit", made["id"]), elsewhere | {"secret": "given-for-the-new-port"})
    (rotated,) = systems()
    assert sealed.unseal(rotated["secret"]) == "given-for-the-new-port"
    assert rotated["secret_set_at"] > made["secret_set_at"]
    root.post(url(SYSTEM, "close", made["id"]), {"why": "合同到期"})
    assert [one["is_active"] for one in systems()] == [False]
    assert root.post(url(SYSTEM, "new"), NEW).status_code == 302
    assert len(systems()) == 2


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"url": "http://fw.example/"}, "https://"),
        ({"url": "https://10.0.0.1/"}, "内网地址"),
        ({"url": ""}, "地址无法识别"),
        ({"url": "https://fw.example/?a=1"}, "不能含查询参数"),
        ({"secret": "short"}, "16–500"),
        ({"secret": ""}, "16–500"),
        ({"secret": "密钥" * 20}, "16–500"),
        ({"code": "../../etc"}, "编码"),
        ({"definition": "nothing"}, "nothing"),
        ({"definition": "jiangsu-file"}, "文件交换不用地址和密钥"),
        ({"schemes": ["nothing"]}, "nothing"),
    ],
)
def test_what_is_not_possible_is_refused_and_changes_nothing(
    tree: Tree, web: Web, given: dict[str, Any], why: str
) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    answer = root.post(url(SYSTEM, "new"), NEW | given)
    assert (answer.status_code, why in answer.content.decode()) == (200, True)
    assert systems() == []


def test_a_second_active_system_of_one_code_is_refused(tree: Tree, web: Web) -> None:
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    root.post(url(SYSTEM, "new"), NEW)
    assert "已有启用的同名系统" in root.post(url(SYSTEM, "new"), NEW).content.decode()
    assert len(systems()) == 1


def test_others_neither_see_nor_connect(tree: Tree, web: Web) -> None:
    for role in (Role.MAKER, Role.CHECKER):
        clerk = web(person(role, tree[rows.BANK]))
        assert clerk.get(url(SYSTEM)).status_code == 403
        assert clerk.post(url(SYSTEM, "new"), NEW).status_code == 403
    assert systems() == []


def test_a_refused_answer_shows_every_reason_and_what_is_stuck_is_on_the_home_page(
    tree: Tree, web: Web
) -> None:
    system = connected("https://fw.example", at=rows.AT)
    answer = ProvinceAnswer.objects.create(
        system=system, kind="review-results", source="/results", sha256="0" * 64, at=rows.AT,
        outcome="refused", rows=3, problem_count=1, problems=[[2, "month", "202613", "日期须写作"]],
    )  # fmt: skip
    ProvinceCursor.objects.create(
        system=system, kind="review-results", asked_at=rows.AT, problem="第 2 行 month"
    )
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    shown = root.get(url(ANSWER, "change", answer.pk)).content.decode()
    assert ("202613" in shown, "日期须写作" in shown) == (True, True)
    assert "省级系统回传受阻" in root.get("/admin/").content.decode()
    assert "第 2 行 month" in root.get(url(SYSTEM, "change", system.pk)).content.decode()


def test_an_answer_of_one_bank_is_not_seen_by_another(tree: Tree, web: Web) -> None:
    made = answered(tree[rows.OTHER], rows.AT)
    auditor = web(person(Role.AUDITOR, tree[rows.BANK]))
    assert auditor.get(url(ANSWER, "change", made.pk)).status_code == 302
    own = web(person(Role.AUDITOR, tree[rows.OTHER]))
    assert own.get(url(ANSWER, "change", made.pk)).status_code == 200


def test_what_a_system_did_not_get_is_shown_with_its_name(tree: Tree, web: Web) -> None:
    system = connected("https://fw.example", at=rows.AT)
    with transaction.atomic():
        event = outbox.emit(
            topic="note.drawn", aggregate="institution:7", institution_id=tree[rows.NANJING].pk,
            payload={"rows": []}, at=rows.AT,
        )  # fmt: skip
    made = OutboxDelivery.objects.create(
        institution=tree[rows.NANJING], event_id=event, receiver_kind="province",
        receiver_id=system.pk, aggregate="institution:7", state="dead", next_at=rows.AT,
    )  # fmt: skip
    root = web(person(Role.ADMINISTRATOR, None, "root"))
    page = root.get(url("kernel.outboxdelivery", "change", made.pk)).content.decode()
    assert [text in page for text in ("jiangsu", "新放款", "重新发送")] == [True] * 3
