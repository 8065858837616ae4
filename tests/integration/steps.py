"""Taking steps in the admin: what is sent, what is told, and what must not have changed."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from config.kernel.models import Role, User
from tests import database

MONEY = (
    "clawback", "clawbackmovement", "madegood", "receipt", "settlement", "settlementitem", "fund",
    "ledgerentry", "ledgerline", "plan", "planneddeduction", "reconciliationdifference",
    "differenceexplanation",
)  # fmt: skip


def address(page: str, step: str, pk: Any = None, **query: Any) -> str:
    """`address("settlement.clawback", "decide", 5)`."""
    args = [] if pk is None else [pk]
    found = reverse(f"admin:{page.replace('.', '_')}_{step}", args=args)
    return found + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


def send(client: Client, page: str, step: str, pk: Any = None, **data: Any) -> HttpResponse:
    """Send a step's form, as seen now unless `seen` says otherwise; what follows is not fetched."""
    if "seen" not in data and _answers(page, step):
        data["seen"] = seen(client, page, step, pk)
    response: HttpResponse = client.post(address(page, step, pk), data)
    return response


def seen(client: Client, page: str, step: str, pk: Any = None) -> str:
    """What a checker's page says it shows; nothing for who does not get to see it."""
    context: Any = client.get(address(page, step, pk)).context
    return "" if context is None or "form" not in context else context["form"]["seen"].value()


def _answers(page: str, step: str) -> bool:
    steps: Any = admin.site._registry[apps.get_model(page)]
    return bool({**steps.list_steps, **steps.row_steps}[step].answers_for_others())


def choose(client: Client, page: str, action: str, keys: Any) -> HttpResponse:
    """Choose rows in a list for an action: the page that shows what it will change."""
    address_ = reverse(f"admin:{page.replace('.', '_')}_changelist")
    response: HttpResponse = client.post(address_, {"action": action, "_selected_action": keys})
    return response


def confirm(client: Client, page: str, action: str, keys: Any, **more: Any) -> list[str]:
    """Choose rows, look at what is shown, and confirm it; what is told then."""
    shown = choose(client, page, action, keys)
    data = {"action": action, "_selected_action": keys, **more}
    if shown.status_code == 200 and "seen" in shown.context:  # type: ignore[attr-defined]
        data["confirmed"] = shown.context["seen"]  # type: ignore[attr-defined]
    address_ = reverse(f"admin:{page.replace('.', '_')}_changelist")
    response = client.post(address_, data, follow=True)
    return [str(message) for message in response.context["messages"]]


def become(name: str, role: Role) -> None:
    """Somebody changes desks: no role makes and checks, but what they made stays theirs."""
    with database.as_role(None):
        assert User.objects.filter(username=name).update(role=role) == 1


def faults(response: HttpResponse) -> dict[str, str]:
    """What a refused step says, by field; `""` is the form as a whole."""
    assert response.status_code == 200
    errors = response.context["form"].errors  # type: ignore[attr-defined]
    return {"" if k == "__all__" else k: " ".join(v) for k, v in errors.items()}


def taken(response: HttpResponse) -> bool:
    """Was the step taken?"""
    return response.status_code == 302


def everything() -> list[Any]:
    """All money there is, whoever sees it, for proving that a refusal changed nothing."""
    scope = "SELECT set_config('app.lo', %s, true), set_config('app.hi', %s, true)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.lo', true), current_setting('app.hi', true)")
        before = cursor.fetchone()
        cursor.execute(scope, ["0", str(2**63 - 1)])
        found = _rows()
        cursor.execute(scope, [text or "" for text in before])
    return found


def _rows() -> list[Any]:
    models = [apps.get_model("settlement", name) for name in MONEY]
    models.append(apps.get_model("loans", "PreAllocation"))
    models.append(apps.get_model("loans", "ImportBatch"))
    return [list(model.objects.order_by("pk").values()) for model in models]
