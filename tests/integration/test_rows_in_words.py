"""What the top of a page calls its row, and amounts on the side their account is on."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from typing import Any

import pytest

from config.kernel.models import Role
from tests.integration import rows
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_settlements import Money

pytestmark = pytest.mark.django_db


def test_what_the_bank_advanced_is_an_amount_due_to_it(web: Any) -> None:
    money = Money()
    money.receive(30_000)
    money.pay(80_000)
    client = web(person(Role.AUDITOR, money.bank))
    listed = client.get(url("settlement.fund")).content.decode()
    page = client.get(url("settlement.fund", "change", money.fund.pk)).content.decode()
    assert money.fund.bank_advance_fen == -50_000
    for content in (listed, page):
        assert "500.00" in content and "-500.00" not in content
        assert "300.00" in content and "-300.00" not in content
    assert '<span class="kernel-figure">500.00</span>' in page
    assert "甲银行 · 试验 · 中央 · 贷款贴息" in page


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("settlement.deduction", "N1 · central-sme-2026 · 2026-01-15 ~ 2026-03-21"),
        ("settlement.enrolment", "N1 · central-sme-2026"),
        ("settlement.schemeversion", " · 1"),
    ],
)
def test_a_row_is_called_by_words(model: str, words: str, web: Any) -> None:
    tree = rows.institutions()
    rows.whole_book(tree[rows.NANJING])
    client = web(person(Role.AUDITOR, tree[rows.BANK]))
    from django.apps import apps

    key = apps.get_model(model).objects.order_by("pk").values_list("pk", flat=True)[0]
    page = client.get(url(model, "change", key)).content.decode()
    title = page[page.index("<h1") : page.index("</h1>")]
    assert words in title
