"""Differences in the admin: looked for, explained by one, answered for by another."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from typing import Any

import pytest

from config.kernel.models import Institution, Role
from settlement.models import DifferenceExplanation, ReconciliationDifference
from settlement.services.funds import FundKey
from tests.integration.rows import BANK, NANJING
from tests.integration.steps import address, become, confirm, everything, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_reconciliation import agreed, key, stated  # noqa: F401

pytestmark = pytest.mark.django_db

PAGE, SAID = "settlement.reconciliationdifference", "settlement.differenceexplanation"


@pytest.fixture
def bank(key: FundKey) -> Institution:
    agreed()
    stated(7, 5_007, "C")
    stated(9, 5_016, "D")
    return Institution.objects.get(code=BANK)


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


@pytest.fixture
def found(maker: Any) -> ReconciliationDifference:
    assert taken(send(maker, PAGE, "reconcile"))
    return ReconciliationDifference.objects.get(key="C")


def listed(client: Any, **query: str) -> str:
    content: str = client.get(url(PAGE), query).content.decode()
    return content


def test_a_difference_is_explained_by_one_and_accepted_by_another(
    found: ReconciliationDifference, maker: Any, checker: Any
) -> None:
    page = listed(maker, standing="open")
    assert "账上没有" in page and "0.07" in page and ">C<" in page
    before = everything()
    assert not taken(send(maker, PAGE, "explain", found.pk, why=""))
    assert everything() == before
    assert taken(send(maker, PAGE, "explain", found.pk, why="专户利息"))
    (said,) = DifferenceExplanation.objects.all()
    assert "专户利息" in listed(checker, standing="proposed")
    assert send(maker, SAID, "check", said.pk).status_code == 403
    assert taken(send(checker, SAID, "check", said.pk))
    assert ">C<" not in listed(checker, standing="open")
    assert ">C<" in listed(checker, standing="explained")
    before = everything()
    assert "只复核一次" in faults(send(checker, SAID, "refuse", said.pk, why="不对"))[""]
    assert everything() == before


def test_nobody_answers_for_their_own_words(bank: Institution, web: Any) -> None:
    boss = web(person(Role.MAKER, bank, "boss"))
    assert taken(send(boss, PAGE, "reconcile"))
    difference = ReconciliationDifference.objects.get(key="C")
    assert taken(send(boss, PAGE, "explain", difference.pk, why="专户利息"))
    (said,) = DifferenceExplanation.objects.all()
    become("boss", Role.CHECKER)
    before = everything()
    assert "另一人" in faults(send(boss, SAID, "check", said.pk))[""]
    confirm(boss, SAID, "pass_check", [said.pk])
    assert everything() == before


def test_many_are_explained_at_once(
    found: ReconciliationDifference, maker: Any, checker: Any
) -> None:
    keys = list(ReconciliationDifference.objects.values_list("pk", flat=True))
    chosen = {"action": "explain_chosen", "_selected_action": keys}
    for why in ("", "字" * 501, "\u200b"):
        before = everything()
        assert maker.post(url(PAGE), chosen | {"why": why}).status_code == 302
        assert everything() == before
    maker.post(url(PAGE), chosen | {"why": "专户利息"})
    assert DifferenceExplanation.objects.filter(why="专户利息", made_by="zhang").count() == 2
    said = list(DifferenceExplanation.objects.values_list("pk", flat=True))
    confirm(checker, SAID, "pass_check", said)
    assert DifferenceExplanation.objects.filter(checked_by="li").count() == 2


def test_a_branch_sees_and_changes_only_its_own(found: ReconciliationDifference, web: Any) -> None:
    branch = web(person(Role.MAKER, Institution.objects.get(code=NANJING), "wang"))
    before = everything()
    assert ">C<" not in listed(branch)
    assert branch.get(address(PAGE, "explain", found.pk)).status_code == 404
    assert taken(send(branch, PAGE, "reconcile"))  # its own accounts: there are none
    assert everything() == before


def test_who_only_looks_takes_no_step(found: ReconciliationDifference, web: Any) -> None:
    auditor = web(person(Role.AUDITOR, found.institution, "audit"))
    before = everything()
    assert ">C<" in listed(auditor)
    assert send(auditor, PAGE, "reconcile").status_code == 403
    assert send(auditor, PAGE, "explain", found.pk, why="不该").status_code == 403
    assert everything() == before
