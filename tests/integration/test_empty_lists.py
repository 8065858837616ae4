"""Lists without rows say what to do next, to whom it is theirs to do; and times are Beijing's."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.utils import translation

from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.models import Institution, Role
from settlement.models import Finding
from tests.integration import rows
from tests.integration.steps import address
from tests.integration.test_admin import HISTORIES, LABELS, person, tree, url, web  # noqa: F401

pytestmark = pytest.mark.django_db
PAGES = {model._meta.label_lower: page for model, page in admin.site._registry.items()}
OURS = sorted(set(LABELS) - {"kernel.institution", "kernel.user"} - set(HISTORIES[1:]))


def test_every_empty_list_says_what_to_do_next(tree: dict[str, Institution], web: Any) -> None:
    client = web(person(Role.ADMINISTRATOR))
    silent = []
    for label in OURS:
        page = client.get(url(label))
        assert page.status_code == 200, label
        if page.context["cl"].result_count == 0 and str(PAGES[label].when_empty) not in page.text:
            silent.append(label)
    assert silent == []


def test_the_words_are_each_lists_own_and_in_english_too() -> None:
    words = {label: PAGES[label].when_empty for label in OURS if "event" not in label}
    plain = [label for label, text in words.items() if text == ReadOnlyAdmin.when_empty]
    with translation.override("en"):
        chinese = [
            label for label, text in words.items() if any(one >= "\u4e00" for one in str(text))
        ]
    assert (plain, chinese) == ([], [])


def test_a_search_that_finds_nothing_offers_the_whole_list(
    tree: dict[str, Institution], web: Any
) -> None:
    rows.note(tree[rows.NANJING])
    client = web(person(Role.AUDITOR, tree[rows.BANK]))

    page = client.get(url("loans.note", q="nothing")).text

    assert "没有符合条件的记录" in page
    assert "也可能这些记录不在您的机构范围内" in page
    assert '<a href="?" class="kernel-button">查看全部</a>' in page
    assert 'id="empty-list"' not in client.get(url("loans.note", q="N1")).text


def test_the_next_step_is_offered_to_who_may_take_it(
    tree: dict[str, Institution], web: Any
) -> None:
    enter = f'<a href="{address("loans.preallocation", "enter")}" class="kernel-button">'
    offered = {
        role: enter in web(person(role, tree[rows.BANK])).get(url("loans.preallocation")).text
        for role in (Role.MAKER, Role.MANAGER, Role.CHECKER, Role.AUDITOR, Role.FINANCE_VIEWER)
    }
    assert [role for role, is_there in offered.items() if is_there] == [Role.MAKER, Role.MANAGER]


def test_times_are_beijings(tree: dict[str, Institution], web: Any) -> None:
    rows.whole_book(tree[rows.NANJING])
    assert Finding.objects.get().found_at == rows.AT  # 09:00 UTC
    client = web(person(Role.AUDITOR, tree[rows.BANK]))
    assert "2026-03-31" in client.get(url("settlement.finding")).text
    page = client.get(url("settlement.finding", "change", Finding.objects.get().pk)).text
    assert "2026-03-31 17:00" in page
    assert "09:00" not in page
