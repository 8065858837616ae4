"""Findings in the admin: both sides beside each other, decided by two people, asked back."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from config.kernel.models import Institution, Role, User
from config.kernel.services import scope
from settlement.admin.finding_forms import evidence
from settlement.models import Clawback, Finding, FindingDecision
from settlement.services.duplicates import check_duplicates
from tests.integration.book import AT
from tests.integration.planted import B1, HEAD_A, Planted
from tests.integration.steps import become, confirm, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401
from tests.integration.test_findings import book, kept, the  # noqa: F401

pytestmark = pytest.mark.django_db

Read = TypeVar("Read")
PAGE, SAID = "settlement.finding", "settlement.findingdecision"


@pytest.fixture
def bank(book: Planted) -> Institution:
    return Institution.objects.get(code=HEAD_A)


@pytest.fixture
def maker(bank: Institution, web: Any) -> Any:
    return web(person(Role.MAKER, bank, "zhang"))


@pytest.fixture
def checker(bank: Institution, web: Any) -> Any:
    return web(person(Role.CHECKER, bank, "li"))


def whole(read: Callable[[], Read]) -> Read:
    """What somebody sees who sees everything."""
    with scope.scoped(User(username="root", role=Role.ADMINISTRATOR)):
        return read()


def key(rule: str) -> int:
    return whole(lambda: int(the(rule).pk))


def page(client: Any, pk: int) -> str:
    content: str = client.get(url(PAGE, "change", pk)).content.decode()
    return content


def test_both_sides_stand_beside_each_other(maker: Any) -> None:
    shown = page(maker, key("P2"))
    for text in (
        "JK-31",
        "JK31",
        "2 应退方",
        "3,600,000.00",
        "4,200.00",
        "≠",
        "财金〔2026〕4号 一(三)",
    ):
        assert text in shown, text
    rows = maker.get(url(PAGE), {"gone": "no", "rule": "P2"}).content.decode()
    assert "4,200.00" in rows and "P2 合同或借据号重复录入" in rows


def test_another_bank_sees_neither_finding_nor_side(bank: Institution, web: Any) -> None:
    other = web(person(Role.MAKER, Institution.objects.get(code=B1), "wang"))
    assert other.get(url(PAGE, "change", key("P2"))).status_code == 302
    own = page(other, key("P3"))
    assert "YZ-2" in own and "YZ-1" not in own
    before = whole(kept)
    assert send(other, PAGE, "confirm", key("P2"), why="x").status_code == 404
    assert whole(kept) == before


def test_a_finding_is_confirmed_by_two_and_asked_back(maker: Any, checker: Any) -> None:
    pk = key("P2")
    before = whole(kept)
    assert "why" in faults(send(maker, PAGE, "dismiss", pk, why=" "))
    assert send(checker, PAGE, "confirm", pk, why="x").status_code == 403
    assert whole(kept) == before
    assert taken(send(maker, PAGE, "confirm", pk, why="同一笔贷款"))
    (said,) = whole(lambda: list(FindingDecision.objects.all()))
    before = whole(kept)
    assert send(maker, SAID, "check", said.pk).status_code == 403
    assert "确认属实" in faults(send(maker, PAGE, "claw-back", pk))[""]
    assert whole(kept) == before
    assert "JK31" in checker.get(url(SAID, "check", said.pk)).content.decode()
    assert taken(send(checker, SAID, "check", said.pk))
    assert whole(lambda: the("P2").state) == "confirmed"
    assert taken(send(maker, PAGE, "claw-back", pk))
    asked = whole(lambda: list(Clawback.objects.values_list("amount_fen", "state", "made_by")))
    assert asked == [(420_000, "proposed", "zhang")]
    assert [row[2:] for row in asked_of(checker, pk)] == [("4,200.00", "0.00")]
    (one,) = whole(lambda: list(Clawback.objects.all()))
    assert taken(send(checker, "settlement.clawback", "decide", one.pk))
    assert [row[2:] for row in asked_of(checker, pk)] == [("4,200.00", "4,200.00")]


def asked_of(client: Any, pk: int) -> list[tuple[Any, ...]]:
    """The finding's clawbacks as its page shows them."""
    sections = client.get(url(PAGE, "change", pk)).context["sections"]
    return next(list(one.rows) for one in sections if str(one.title) == "追回")


def test_the_page_of_what_was_said_offers_the_answer_to_another(maker: Any, checker: Any) -> None:
    assert taken(send(maker, PAGE, "confirm", key("P2"), why="同一笔贷款"))
    (said,) = whole(lambda: list(FindingDecision.objects.all()))
    answers = {url(SAID, "check", said.pk), url(SAID, "refuse", said.pk)}
    for client, offered in ((maker, set()), (checker, answers)):
        shown = client.get(url(SAID, "change", said.pk)).context.get("actions_detail", [])
        assert {one["path"] for one in shown} == offered


def test_many_are_decided_at_once_for_one_reason(bank: Institution, web: Any) -> None:
    boss, other = web(person(Role.MAKER, bank, "boss")), web(person(Role.CHECKER, bank, "other"))
    keys = whole(lambda: list(Finding.objects.values_list("pk", flat=True)))
    before = whole(kept)
    boss.post(url(PAGE), {"action": "dismiss_chosen", "_selected_action": keys, "why": ""})
    assert whole(kept) == before
    boss.post(url(PAGE), {"action": "dismiss_chosen", "_selected_action": keys, "why": "已核实"})
    said = whole(lambda: list(FindingDecision.objects.values_list("pk", flat=True)))
    assert len(said) == 1  # the other finding is another bank's
    become("boss", Role.CHECKER)
    before = whole(kept)
    confirm(boss, SAID, "pass_check", said)
    assert whole(kept) == before
    confirm(other, SAID, "pass_check", said)
    states = whole(lambda: sorted(Finding.objects.values_list("state", flat=True)))
    assert states == ["dismissed", "open"]


def test_evidence_is_told_in_words(book: Planted) -> None:
    finding = Finding.objects.get(pk=key("P2"))
    finding.evidence = {
        "matched_by": "note_number;product", "kind": "loan_interest", "subsidised_above_it": False,
        "amount_fen": 7_162_700,
    }  # fmt: skip

    request: Any = None
    told = evidence(request, finding)

    assert [(str(name), text) for name, text in told.rows] == [
        ("匹配依据", "借据号；积数"),
        ("类别", "贷款贴息"),
        ("超上限部分已贴息", "否"),
        ("金额（元）", "71,627.00"),
    ]


def test_a_proposal_says_how_alike_its_sides_are_and_asks_nothing_back(
    book: Planted, bank: Institution, request: pytest.FixtureRequest
) -> None:
    one = book.enterprise()
    book.note(one, "GD-2026-0031", contract="GD-7", amount=10_800_000)
    book.note(one, "GD-2026-O031", contract="GD-9", amount=10_800_000, drawn="2026-02-03")
    book.post()
    check_duplicates(at=AT)
    web = request.getfixturevalue("web")
    pk = key("N2")
    clients = [
        web(person(role, bank, name))
        for role, name in ((Role.MAKER, "zhang"), (Role.CHECKER, "li"))
    ]
    maker, checker = clients
    shown = page(maker, pk)
    for text in (
        "N2 疑似重复录入借据",
        "疑似",
        "GD-2026-O031",
        " ‰",
        "号码：形近字符（如 O 与 0）",
        "日期：相近",
    ):
        assert text in shown, text
    assert "look_alike" not in shown
    maker.cookies["django_language"] = "en"
    english = page(maker, pk)
    del maker.cookies["django_language"]
    assert "number: characters that look alike (O and 0)" in english
    assert taken(send(maker, PAGE, "confirm", pk, why="同一笔贷款"))
    (said,) = whole(lambda: list(FindingDecision.objects.all()))
    assert taken(send(checker, SAID, "check", said.pk))
    before = whole(kept)
    assert "没有可由您提出追回的已付贴息" in faults(send(maker, PAGE, "claw-back", pk))[""]
    assert whole(kept) == before
