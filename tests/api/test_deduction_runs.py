"""Runs that a core orders: a machine drafts, another lets money move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config.kernel.models import Institution, Run
from loans.values.errors import DomainError
from settlement.models import Deduction, LedgerEntry, Plan, Recomputation
from settlement.services import orders, plans, recomputations
from tests import database
from tests.api.machine import Machine, department
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, TREE, SmallBook
from tests.integration.test_plans import say

pytestmark = pytest.mark.django_db

BANK, OTHER = TREE[0][0], TREE[2][0]
KEY = "run-2026-03-31-{:06d}"


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two banks' notes with interest collected, nothing posted; of one more is planned."""
    found = SmallBook(tmp_path)
    found.scheme()
    found.lend("A", FIRST)
    found.lend("B", SECOND, at=SOUTH)
    found.collect("A", 2)
    found.collect("B", 2, at=SOUTH)
    say(found, "A", 3)
    return found


@pytest.fixture
def core(book: SmallBook) -> Machine:
    return Machine("core", Institution.objects.get(code=BANK))


def order(machine: Machine, body: Any, number: int = 1) -> Any:
    with database.as_role("app"):
        return machine.post("deduction-runs/", body, key=KEY.format(number))


def job(machine: Machine, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.content
    with database.as_role("app"):
        found = machine.get(answer.headers["Location"].removeprefix("/api/v1/"))
    return dict(found.json())


def work() -> None:
    orders.work_open_orders(owner="test", clock=timezone.localtime)


def release(row: Recomputation, actor: str) -> None:
    """As the web does, which alone may."""
    with database.as_role("app", row.institution):
        recomputations.release(recomputation_id=row.pk, actor=actor, at=timezone.localtime())


def kept() -> list[int]:
    models = (Run, Plan, Recomputation, Deduction, LedgerEntry)
    return [model.objects.count() for model in models]


def test_a_posting_waits_for_a_second_person(core: Machine, book: SmallBook, settings: Any) -> None:
    settings.AUTO_CHECK = False
    answer = order(core, {})
    assert job(core, answer)["state"] == "open"
    work()
    row = Recomputation.objects.get()
    told = job(core, answer)
    assert (told["kind"], told["state"], told["error"]) == ("trial", "done", None)
    assert told["result"] == {
        "differences": 0,
        "recomputation": {"id": row.pk, "state": "ready"},
    }
    assert (row.made_by, row.through.isoformat(), row.institution.code) == (
        "api:core",
        "2026-02-11",
        BANK,
    )
    assert Deduction.objects.count() == 0
    with pytest.raises(DomainError, match="须由另一人复核"):
        release(row, "api:core")
    release(row, "li")
    orders.order(
        kind="post",
        params={"recomputation": row.pk},
        scope=row.institution.scope,
        actor="li",
        at=timezone.localtime(),
    )
    work()
    assert book.posted() == [("A-2", 0, 1000)]
    assert job(core, answer)["result"]["recomputation"]["state"] == "posted"


def test_where_a_checker_stands_in_it_is_posted_at_once_and_once(
    core: Machine, book: SmallBook, settings: Any
) -> None:
    settings.AUTO_CHECK = True
    answer = order(core, {"through": "2026-02-28"})
    work()
    assert book.posted() == [("A-2", 0, 1000)]
    told = job(core, answer)
    assert (told["kind"], told["state"], told["result"]["originals"]) == ("post", "done", 1)
    posted = Run.objects.get(kind="deductions")
    assert (posted.actor, Recomputation.objects.count()) == ("api:core", 0)
    before = kept()
    work()
    again = order(core, {"through": "2026-02-28"})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (answer.json(), "true")
    assert kept() == before
    order(core, {"through": "2026-02-28"}, 2)
    work()
    assert book.posted() == [("A-2", 0, 1000)]


def test_without_a_stand_in_nothing_unseen_is_posted(core: Machine, settings: Any) -> None:
    settings.AUTO_CHECK = True
    answer = order(core, {})
    settings.AUTO_CHECK = False
    work()
    told = job(core, answer)
    assert (told["state"], told["error"]) == (
        "failed",
        "入账须由另一人复核放行 / another person has to release what is posted",
    )
    assert (Deduction.objects.count(), LedgerEntry.objects.count()) == (0, 0)


def test_a_plan_is_drafted_for_people_to_send_and_release(core: Machine, settings: Any) -> None:
    settings.AUTO_CHECK = True
    answer = order(core, {"plan": True})
    work()
    plan = Plan.objects.get()
    assert (plan.state, plan.made_by, plan.sent_by, plan.planned_fen) == (
        "draft",
        "api:core",
        "",
        100_000,
    )
    assert job(core, answer)["result"] == {"plans": [plan.pk]}
    with pytest.raises(DomainError):
        plans.check_plan(plan_id=plan.pk, actor="li", at=timezone.localtime())
    plans.send_plan(plan_id=plan.pk, actor="zhang", at=timezone.localtime())
    with pytest.raises(DomainError):
        plans.check_plan(plan_id=plan.pk, actor="api:core", at=timezone.localtime())
    plans.check_plan(plan_id=plan.pk, actor="li", at=timezone.localtime())
    assert (Plan.objects.get().state, Deduction.objects.count()) == ("checked", 0)


def test_one_branch_may_be_chosen_and_no_other_bank(core: Machine, settings: Any) -> None:
    settings.AUTO_CHECK = False
    answer = order(core, {"institution_code": NORTH})
    assert job(core, answer)["kind"] == "trial"
    assert Recomputation.objects.get().institution.code == NORTH
    before = kept()
    refused = order(core, {"institution_code": SOUTH}, 2)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (
        422,
        "unknown_reference",
    )
    assert kept() == before


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"through": "2026-2-1"}, "/through", "invalid"),
        ({"through": 20260228}, "/through", "invalid"),
        ({"plan": "true"}, "/plan", "invalid"),
        ({"plan": 1}, "/plan", "invalid"),
        ({"plan": None}, "/plan", "null"),
        ({"scheme_code": "test"}, "/scheme_code", "unknown_field"),
        ([], "", "invalid"),
    ],
)
def test_what_is_ordered_is_written_as_it_must_be(
    core: Machine, body: Any, pointer: str, code: str
) -> None:
    before = kept()
    answer = order(core, body)
    found = answer.json()
    assert (answer.status_code, found["code"]) == (400, "invalid")
    assert [(e["pointer"], e["code"]) for e in found["errors"]] == [(pointer, code)]
    assert kept() == before


def test_an_order_needs_its_key_and_its_scope_and_a_bank(core: Machine, book: SmallBook) -> None:
    before = kept()
    with database.as_role("app"):
        keyless = core.post("deduction-runs/", {})
    bank = Institution.objects.get(code=BANK)
    blind = order(Machine("blind", bank, scopes=["jobs:read"]), {})
    finance = order(Machine("finance", department("F1", bank, schemes=("test",))), {})
    assert [(one.status_code, one.json()["code"]) for one in (keyless, blind, finance)] == [
        (400, "idempotency_key_missing"),
        (403, "not_permitted"),
        (403, "not_permitted"),
    ]
    assert kept() == before


def test_while_one_is_open_there_is_no_second(core: Machine, settings: Any) -> None:
    settings.AUTO_CHECK = False
    order(core, {})
    before = kept()
    second = order(core, {}, 2)
    assert (second.status_code, second.json()["code"]) == (409, "recomputation_open")
    assert kept() == before
    assert order(core, {"plan": True}, 3).status_code == 202
    busy = order(core, {"plan": True}, 4)
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (
        409,
        "busy",
        "1",
    )


def test_without_interest_there_is_nothing_to_do(tmp_path: Path) -> None:
    SmallBook(tmp_path).scheme()
    core = Machine("core", Institution.objects.get(code=BANK))
    for number, body in enumerate(({}, {"plan": True})):
        answer = order(core, body, number)
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_collected")
    assert Run.objects.count() == 0
