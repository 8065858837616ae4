"""Machines are let in by administrators: by command, on pages; what they may do, and until when."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from config.kernel.models import (
    AnsweringInstitution,
    ApiClient,
    ClientSecret,
    FinanceDepartment,
    Institution,
    Role,
    SigningKey,
)
from config.kernel.services import clients, departments, sealed
from config.kernel.services.clients import Refused, Speaker, Terms
from tests.integration import client_rows, rows
from tests.integration.rows import BANK, NANJING, OTHER, SUZHOU
from tests.integration.test_admin import person, web  # noqa: F401

pytestmark = pytest.mark.django_db
AT = rows.AT


@pytest.fixture
def banks() -> dict[str, Institution]:
    return rows.institutions()


def said(*arguments: str) -> list[str]:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().splitlines()


def counted() -> tuple[int, ...]:
    models = (ApiClient, ClientSecret, FinanceDepartment, AnsweringInstitution, SigningKey)
    return tuple(model.objects.count() for model in models)


def test_a_department_and_its_client_are_registered_by_command(banks: Any) -> None:
    told = ("--name=市财政局", "--level=municipal", "--region=320100", "--schemes", "b", "a")
    assert said("finance_department", "NJ", *told, "--answering", NANJING, OTHER) == [
        "已登记 / registered: NJ 市财政局"
    ]
    department = FinanceDepartment.objects.get()
    assert department.scheme_codes == ["a", "b"]
    assert department.scopes == [banks[NANJING].scope, banks[OTHER].scope]
    lines = said("api_client", "treasury", "--department=NJ", "--scope=reports:read", "--sign")
    client = ApiClient.objects.get()
    secret = lines[1].removeprefix("client_secret ")
    assert lines[0] == f"client_id     {client.application.client_id}"
    assert (client.actor, client.scopes, client.requires_signature) == (
        "api:treasury",
        ["reports:read"],
        True,
    )
    told_to = {"client_id": client.application.client_id, "secret": secret}
    assert clients.is_secret_of(**told_to, at=timezone.localtime())
    said("api_client", "treasury", "--close")
    assert not clients.is_secret_of(**told_to, at=timezone.localtime())


def test_a_department_is_replaced_and_its_history_kept(banks: Any) -> None:
    client_rows.told(banks[NANJING], banks[OTHER])
    again = client_rows.told(banks[SUZHOU], banks[OTHER], name="财政局二")
    assert [one.place.code for one in again.answering.order_by("place_id")] == [SUZHOU, OTHER]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM kernel_financedepartmentevent WHERE pgh_label <> 'added'")
        assert cursor.fetchall() == [("财政局",)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"institution_codes": ("B9999999999999",)}, "未登记的机构编码：B9999999999999"),
        ({"institution_codes": (BANK, NANJING)}, f"{NANJING} 已在 {BANK} 之下"),
        ({"institution_codes": ()}, "未登记的机构编码"),
        ({"scheme_codes": ()}, "至少一项主管政策"),
        ({"region_code": "32010"}, "行政区划代码须为 6 位数字"),
    ],
)
def test_a_department_that_cannot_be_is_refused(banks: Any, change: Any, words: str) -> None:
    told = {
        "code": "NJ", "name": "市财政局", "level": "municipal", "region_code": "320100",
        "scheme_codes": ("a",), "institution_codes": (NANJING,),
    }  # fmt: skip
    with pytest.raises(Refused, match=words):
        departments.register(department=departments.Department(**{**told, **change}))
    assert counted() == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "terms", "words"),
    [
        ("Core", Terms(scopes=("notes:write",)), "名称须为小写字母"),
        ("core", Terms(scopes=("everything",)), "everything"),
        ("core", Terms(scopes=()), "权限须从列表中选择"),
        ("core", Terms(scopes=("notes:write",), requests_per_minute=0), "须为正数"),
        ("core", Terms(scopes=("notes:write",), certificate_sha256="AB"), "证书指纹"),
    ],
)
def test_a_client_that_cannot_be_is_refused(
    banks: Any, name: str, terms: Terms, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        clients.register(
            name=name, speaks_for=Speaker(banks[BANK]), terms=terms, actor="root", at=AT
        )
    assert counted() == (0, 0, 0, 0, 0)


def test_a_name_is_taken_once(banks: Any) -> None:
    told = {"speaks_for": Speaker(banks[BANK]), "terms": Terms(scopes=("notes:write",))}
    clients.register(name="core", **told, actor="root", at=AT)
    with pytest.raises(Refused, match="已使用"):
        clients.register(name="core", **told, actor="root", at=AT)
    assert counted()[:2] == (1, 1)


def test_a_secret_that_was_to_end_sooner_is_not_kept_longer(banks: Any) -> None:
    told = {"speaks_for": Speaker(banks[BANK]), "terms": Terms(scopes=("notes:write",))}
    client, _ = clients.register(name="core", **told, actor="root", at=AT)
    clients.rotate_secret(client_id=client.pk, actor="root", at=AT, overlap=timedelta(hours=1))
    clients.rotate_secret(client_id=client.pk, actor="root", at=AT)
    ends = [one.ends_at for one in client.secrets.order_by("pk")]
    assert ends == [AT + timedelta(hours=1), AT + timedelta(days=7), None]


def test_commands_say_what_is_missing(banks: Any) -> None:
    for arguments, words in (
        (("api_client", "core"), "须且只能填一个"),
        (("api_client", "core", f"--bank={BANK}", "--department=NJ"), "须且只能填一个"),
        (("api_client", "core", "--bank=B9999999999999"), "未登记的机构编码"),
        (("api_client", "core", "--department=NJ"), "没有这个财政部门"),
        (("api_client", "core", "--rotate"), "没有这个客户端"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command(*arguments)
    assert counted() == (0, 0, 0, 0, 0)


def test_what_is_sealed_is_read_with_a_former_key_too() -> None:
    kept = sealed.seal("秘密")
    assert "秘密" not in kept
    assert sealed.unseal(kept) == "秘密"
    another = override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[])
    with another, pytest.raises(ValueError, match="another SECRET_KEY"):
        sealed.unseal(kept)
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert sealed.unseal(kept) == "秘密"


def test_an_administrator_does_it_all_on_pages(banks: Any, web: Any) -> None:
    admin = web(person(Role.ADMINISTRATOR))
    page = "admin:kernel_financedepartment"
    form = {
        "code": "NJ", "name": "市财政局", "level": "municipal", "region_code": "320100",
        "schemes": "central-sme-2026，other", "places": NANJING,
    }  # fmt: skip
    assert admin.post(reverse(f"{page}_new"), form).status_code == 302
    department = FinanceDepartment.objects.get()
    assert department.scheme_codes == ["central-sme-2026", "other"]
    refused = admin.post(reverse(f"{page}_edit", args=[department.pk]), {**form, "places": "B9"})
    assert "未登记的机构编码" in refused.content.decode()
    page = "admin:kernel_apiclient"
    form = {
        "name": "treasury", "department": department.pk, "scopes": ["reports:read"],
        "requests_per_minute": "60", "requires_signature": "on", "certificate_sha256": "AB:" * 31 + "AB",
    }  # fmt: skip
    both = admin.post(reverse(f"{page}_new"), {**form, "institution": banks[BANK].pk})
    assert "须且只能选一个" in both.content.decode()
    assert ApiClient.objects.count() == 0
    shown = admin.post(reverse(f"{page}_new"), form).content.decode()
    client = ApiClient.objects.get()
    assert (client.certificate_sha256, client.made_by) == ("ab" * 32, "administrator-all")
    assert client.application.client_id in shown
    at = [client.pk]
    sign = {"key_id": "k-1", "algorithm": "hmac-sha256", "material": "short"}
    assert "至少 32 字节" in admin.post(reverse(f"{page}_sign", args=at), sign).content.decode()
    sign["material"] = "k" * 32
    assert admin.post(reverse(f"{page}_sign", args=at), sign).status_code == 302
    key = SigningKey.objects.get()
    assert admin.post(reverse("admin:kernel_signingkey_end", args=[key.pk])).status_code == 302
    assert SigningKey.objects.get().ends_at is not None
    assert admin.post(reverse(f"{page}_rotate", args=at)).status_code == 200
    assert client.secrets.count() == 2
    terms = {**form, "scopes": ["jobs:read"], "certificate_sha256": ""}
    assert admin.post(reverse(f"{page}_edit", args=at), terms).status_code == 302
    assert admin.post(reverse(f"{page}_close", args=at)).status_code == 302
    closed = ApiClient.objects.get()
    assert (closed.scopes, closed.is_active, closed.certificate_sha256) == (
        ["jobs:read"],
        False,
        "",
    )
    assert admin.post(reverse(f"{page}_reopen", args=at)).status_code == 302
    assert ApiClient.objects.get().is_active
    whole = admin.get(reverse(f"{page}_change", args=at)).content.decode()
    assert not any(one.digest in whole for one in client.secrets.all())


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMINISTRATOR])
def test_nobody_else_lets_a_machine_in(banks: Any, web: Any, role: str) -> None:
    anybody = web(person(role, banks[BANK]))
    for name in ("apiclient", "financedepartment"):
        assert anybody.get(reverse(f"admin:kernel_{name}_new")).status_code == 403
        assert anybody.get(reverse(f"admin:kernel_{name}_changelist")).status_code == 403
        assert anybody.post(reverse(f"admin:kernel_{name}_new"), {"name": "x"}).status_code == 403
    assert counted() == (0, 0, 0, 0, 0)
