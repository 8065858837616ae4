"""Every step of the admin sent nonsense: refused in words, with nothing changed, never an error page."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client

from config.kernel.models import Institution, Role
from loans.admin.steps import StepForm, StepsAdmin
from tests.integration import rows
from tests.integration.rows import NANJING
from tests.integration.steps import address, everything
from tests.integration.test_admin import person, web  # noqa: F401

pytestmark = pytest.mark.django_db

NONSENSE = (
    "", "-1", "9" * 30, "1.005", "NaN", "2026-02-30", "0001-01-01", "9999-12-31", "字" * 501, "\x00",
    "\u202e倒", "\U0001f600", "=1+1", "%s",
)  # fmt: skip


def pages() -> Iterator[tuple[str, str, type[StepForm], bool]]:
    """Page, step, form, and whether it is a step of a row."""
    for model, page in sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label):
        if isinstance(page, StepsAdmin):
            for steps, of_row in ((page.list_steps, False), (page.row_steps, True)):
                for name, form in steps.items():
                    yield model._meta.label_lower, name, form, of_row


@pytest.fixture
def bank() -> Institution:
    made = rows.institutions()[NANJING]
    rows.whole_book(made)
    return made


def sent(client: Client, page: str, name: str, pk: int | None, data: dict[str, str]) -> int:
    """The answer to a step; what it may have done is undone."""
    with transaction.atomic():
        status = int(client.post(address(page, name, pk), data).status_code)
        transaction.set_rollback(True)
    return status


def test_there_are_steps() -> None:
    assert len(list(pages())) > 20


def sensible(client: Client, page: str, name: str, pk: int | None) -> dict[str, str]:
    """Something that each field of the form takes; nothing where this person may not see it."""
    answer = client.get(address(page, name, pk))
    form = answer.context["form"] if answer.status_code == 200 and answer.context else None
    found = {}
    for field, kind in form.fields.items() if form else ():
        choices = [str(value) for value, _ in getattr(kind, "choices", ()) if value]
        kinds = {"AmountField": "1.00", "DayField": "2026-04-01", "YearField": "2026"}
        found[field] = choices[0] if choices else kinds.get(type(kind).__name__, "甲1")
    if "seen" in found:  # what the page shows, so that the step itself is reached
        found["seen"] = form["seen"].value()
    return found


@pytest.mark.timeout(1200)  # every step many times, on a machine that may do much else
def test_nonsense_is_refused_in_words(bank: Institution, web: Any) -> None:
    maker, checker = (web(person(role, bank)) for role in (Role.MAKER, Role.CHECKER))
    before = everything()
    for page, name, form, of_row in pages():
        client = maker if Role.MAKER in form.roles else checker
        model = next(m for m in admin.site._registry if m._meta.label_lower == page)
        keys = list(model._default_manager.values_list("pk", flat=True))[:1] if of_row else [None]
        for pk in keys:
            data = sensible(client, page, name, pk)
            sends = [data, *({**data, field: value} for field in data for value in NONSENSE)]
            sends += [dict.fromkeys(data, value) for value in NONSENSE]
            for one in sends:
                told = sent(client, page, name, pk, one)
                assert told in (200, 302, 403, 404), (page, name, one, told)
        if of_row:
            assert sent(client, page, name, 10**15, {}) in (403, 404), (page, name)
    assert everything() == before
