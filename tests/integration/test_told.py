"""What the five published events say, when they are written, and to whom they belong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from kombu.exceptions import OperationalError

from config.kernel.models import Chunk, OutboxEvent, Run
from config.kernel.services import outbox, webhooks, work
from config.kernel.services.event_schemas import TOPICS, event_schema, event_schemas
from loans.values.errors import DomainError
from reports.models import Report
from reports.services import asking, generation, steps
from settlement.models import Clawback, Finding, Fund
from settlement.services import clawbacks, deductions, settlement_decisions, settlements
from settlement.services.clawbacks import Claim, Ground
from settlement.services.duplicates import check_duplicates
from tests.integration import rows
from tests.integration.book import AT, run
from tests.integration.planted import A1, B1, EQUIPMENT, Planted
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook
from tests.integration.small_report import CODE, Small, small
from tests.integration.test_settlements import FINAL, Money, decide

pytestmark = pytest.mark.django_db

YEAR = {"central": "0.00", "provincial": "0.00"}


def told(topic: str) -> list[dict[str, Any]]:
    """The bodies of a topic's events as they are posted, in their order; each as its schema says."""
    validator = Draft202012Validator(event_schema(topic), format_checker=FormatChecker())
    found = []
    for event in OutboxEvent.objects.filter(topic=topic).order_by("pk"):
        body = json.loads(webhooks.body_of(event))
        validator.validate(body)
        assert (body["id"], body["topic"]) == (str(event.pk), topic)
        assert body["data"].get("scheme_code", "") == event.scheme_code
        found.append(body)
    return found


def data(topic: str) -> list[dict[str, Any]]:
    return [one["data"] for one in told(topic)]


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """One note at each of two banks, two collections of 1,000 yuan each."""
    made = SmallBook(tmp_path)
    made.scheme()
    made.lend("A", FIRST)
    made.lend("B", SECOND, at=SOUTH)
    for month in (2, 3):
        made.collect("A", month)
        made.collect("B", month, at=SOUTH)
    return made


def test_a_run_tells_each_institution_what_it_posted_there(book: SmallBook) -> None:
    book.collect("A", 4)
    run()
    found = told("run.posted")
    assert [(one["institution_code"], one["aggregate"]) for one in found] == [
        (NORTH, f"run:{Run.objects.get().pk}"), (SOUTH, f"run:{Run.objects.get().pk}"),
    ]  # fmt: skip
    shared = {
        "run_id": Run.objects.get().pk, "state": "done", "through": "2026-04-11",
        "scheme_code": "test", "differences": 0, **YEAR,
    }  # fmt: skip
    assert [one["data"] for one in found] == [
        {**shared, "originals": 3, "municipal": "3000.00", "total": "3000.00"},
        {**shared, "originals": 2, "municipal": "2000.00", "total": "2000.00"},
    ]


def test_a_run_is_told_of_once_however_often_it_is_ended(book: SmallBook) -> None:
    run()
    key = Run.objects.get().pk
    for _ in range(2):
        deductions.work_run(run_id=key, owner="again", clock=lambda: AT)
    assert len(told("run.posted")) == 2
    run()  # nothing to post, nothing to tell
    assert len(told("run.posted")) == 2


def test_differences_of_a_run_are_counted_apart_and_what_is_owed_is_told(book: SmallBook) -> None:
    run()
    book.repay("A", "2026-03-01", 1_800_000)
    run()
    key = Run.objects.latest("pk").pk
    (_, _, last) = data("run.posted")
    assert last == {
        "run_id": key, "state": "done", "through": "2026-03-11", "scheme_code": "test",
        "originals": 0, "differences": 1, **YEAR, "municipal": "-500.00", "total": "-500.00",
    }  # fmt: skip
    (opened,) = told("clawback.opened")
    owed = Clawback.objects.get()
    assert (opened["institution_code"], opened["aggregate"]) == (NORTH, f"clawback:{owed.pk}")
    assert opened["data"] == {
        "clawback_id": owed.pk, "scheme_code": "test", "tier": "municipal", "purpose": "interest",
        "note_number": "A", "year": 2026, "amount": "500.00", "origin": "difference",
        "document_number": "",
    }  # fmt: skip


def test_a_run_some_of_which_failed_tells_what_was_posted(
    book: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = deductions.start_run(actor="system", at=AT)
    assert started is not None
    deductions.work_run(run_id=started.run_id, owner="t", clock=lambda: AT, until=AT)
    assert told("run.posted") == []
    Chunk.objects.create(
        run_id=started.run_id, ordinal=9, payload={}, state="failed", attempts=work.ATTEMPTS_MAX
    )
    deductions.work_run(run_id=started.run_id, owner="t", clock=lambda: AT)
    assert [one["state"] for one in data("run.posted")] == ["failed", "failed"]


def test_a_decided_clawback_is_told_and_a_proposed_or_dismissed_one_is_not(
    book: SmallBook,
) -> None:
    run()
    fund = Fund.objects.get(institution__code=NORTH.replace("320100", "110000"))
    (note_id,) = set(
        fund.scheme.deductions.filter(fund_institution_id=fund.institution_id).values_list(
            "note_id", flat=True
        )
    )
    ground = Ground(origin="order", origin_id=3, why="挪用", document_number="财追〔2026〕3号")
    first = clawbacks.propose(
        claim=Claim(note_id, fund.pk, 2026, 300_00), ground=ground, actor="maker", at=AT
    )
    assert told("clawback.opened") == []
    clawbacks.decide(clawback_id=first, accept=False, actor="checker", at=AT, dismissed_why="误报")
    assert told("clawback.opened") == []
    again = clawbacks.propose(
        claim=Claim(note_id, fund.pk, 2026, 400_00), ground=ground, actor="maker", at=AT
    )
    clawbacks.decide(clawback_id=again, accept=True, actor="checker", at=AT)
    (opened,) = data("clawback.opened")
    assert opened == {
        "clawback_id": again, "scheme_code": "test", "tier": "municipal", "purpose": "interest",
        "note_number": "A", "year": 2026, "amount": "400.00", "origin": "order",
        "document_number": "财追〔2026〕3号",
    }  # fmt: skip


@pytest.fixture
def settled() -> int:
    money = Money()
    money.receive(1_000_00)
    money.pay(600_00)
    made = money.draft(FINAL)
    assert made is not None
    settlements.submit(settlement_id=made, actor="checker", at=AT)
    return made


def test_a_settlement_is_told_as_decided_refused_decided_anew_and_booked(settled: int) -> None:
    decide(settled, 500_00)
    settlement_decisions.refuse(settlement_id=settled, why="录错", actor="checker", at=AT)
    decide(settled, 599_99, document="财批〔2027〕2号")
    settlement_decisions.book(settlement_id=settled, actor="checker", at=AT)
    found = told("settlement.decided")
    assert {(one["institution_code"], one["aggregate"]) for one in found} == {
        (rows.BANK, f"settlement:{settled}")
    }
    assert [
        (
            one["data"]["state"],
            one["data"]["document_number"],
            one["data"]["items"][0]["approved"],
            one["data"]["items"][0]["disallowed"],
        )
        for one in found
    ] == [
        ("decided", "财批〔2027〕1号", "500.00", "100.00"),
        ("refused", "财批〔2027〕1号", "500.00", "100.00"),
        ("decided", "财批〔2027〕2号", "599.99", "0.01"),
        ("booked", "财批〔2027〕2号", "599.99", "0.01"),
    ]
    assert found[-1]["data"] == {
        "settlement_id": settled, "scheme_code": "test", "kind": "annual", "year": 2026, "part": 1,
        "state": "booked", "document_number": "财批〔2027〕2号", "decided_on": "2027-02-18",
        "items": [{
            "tier": "central", "purpose": "interest", "claimed": "600.00", "approved": "599.99",
            "disallowed": "0.01",
        }],
    }  # fmt: skip


def test_a_refused_step_tells_nothing(settled: int) -> None:
    with pytest.raises(DomainError), transaction.atomic():
        decide(settled, 600_01)
    decide(settled)
    with pytest.raises(DomainError), transaction.atomic():
        settlement_decisions.book(settlement_id=settled, actor="maker", at=AT)
    assert [one["state"] for one in data("settlement.decided")] == ["decided"]


def test_a_finding_between_two_banks_tells_the_one_that_yields_of_its_own_note_alone(
    tmp_path: Path,
) -> None:
    book = Planted(tmp_path)
    one = book.enterprise()
    book.project(one, "X-1")
    book.note(one, "NOTE-A", project="X-1", schemes=EQUIPMENT)
    book.note(one, "NOTE-B", project="X-1", schemes=EQUIPMENT, at=B1, drawn="2026-02-03")
    book.post()
    check_duplicates(at=AT)
    finding = Finding.objects.get()
    (body,) = told("finding.opened")
    assert (body["institution_code"], body["aggregate"]) == (B1, f"finding:{finding.pk}")
    said = body["data"]
    amounts = {name: said.pop(name) for name in ("central", "provincial", "municipal")}
    assert said == {
        "finding_id": finding.pk, "rule": "P4", "severity": "warning", "scheme_code": EQUIPMENT,
        "blocked_schemes": [], "reopened": False, "notes": ["NOTE-B"],
    }  # fmt: skip
    assert sum(int(text.replace(".", "")) for text in amounts.values()) == 4_050_00
    whole = json.dumps(body)
    assert ("NOTE-A" in whole, A1 in whole) == (False, False)
    check_duplicates(at=AT)  # looked at again: nothing new
    assert len(told("finding.opened")) == 1


def test_a_dismissed_finding_on_other_facts_is_told_again(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    one = book.enterprise()
    book.note(one, "P", collected=False)
    book.collect("P", "2026-02-02", "2026-03-21")
    book.collect("P", "2026-03-11", "2026-04-21")
    book.post()
    check_duplicates(at=AT)
    Finding.objects.filter(rule="P1").update(evidence_digest="0" * 64)
    finding = Finding.objects.get(rule="P1")
    decision = finding.decisions.create(
        institution_id=finding.institution_id, note_id=finding.note_id, outcome="dismissed",
        why="核对过", evidence_digest="0" * 64, made_by="maker", made_at=AT, checked_by="checker",
        checked_at=AT,
    )  # fmt: skip
    Finding.objects.filter(pk=finding.pk).update(state="dismissed", decision=decision)
    check_duplicates(at=AT + timedelta(days=1))
    assert [(one["finding_id"], one["reopened"]) for one in data("finding.opened")] == [
        (finding.pk, False), (finding.pk, True),
    ]  # fmt: skip


@pytest.fixture
def report() -> Iterator[Small]:
    with small() as one:
        yield one


def test_a_report_is_told_when_it_is_submitted(
    report: Small, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from settlement.services.schemes import Book

    monkeypatch.setattr(
        "reports.services.building.terms_in_force", lambda: Book((), {}, {}, "terms")
    )
    settings.REPORTS_DIR = tmp_path / "store"
    rows.institutions()
    rows.scheme_version()
    asked = asking.read(
        code=CODE, period_code="2026-03", institution_code=rows.NANJING, scheme_code=None
    )
    key = generation.generate(code=CODE, asked=asked, actor="maker", at=AT).report_id
    steps.check(report_id=key, actor="checker", at=AT)
    assert told("report.submitted") == []
    steps.submit(report_id=key, actor="maker", at=AT)
    made = Report.objects.get(pk=key)
    (body,) = told("report.submitted")
    assert (body["institution_code"], body["aggregate"]) == (rows.NANJING, f"report:{key}")
    assert body["data"] == {
        "report_id": key, "code": CODE, "period": "2026-03", "scheme_code": "",
        "scheme_codes": made.schemes, "version": 1, "corrects": None,
        "content_sha256": made.content_sha256, "submitted_at": AT.isoformat(),
    }  # fmt: skip
    with pytest.raises(DomainError), transaction.atomic():
        steps.submit(report_id=key, actor="maker", at=AT)
    assert len(told("report.submitted")) == 1


def test_each_topic_has_a_schema_that_admits_nothing_else() -> None:
    assert set(event_schemas()) == set(TOPICS)
    for topic, schema in event_schemas().items():
        Draft202012Validator.check_schema(schema)
        assert (schema["additionalProperties"], schema["properties"]["data"]["type"]) == (
            False, "object",
        )  # fmt: skip
        assert re.search("[一-鿿].* / [a-z]", schema["title"])
        assert schema["properties"]["data"]["additionalProperties"] is False
        said = schema["properties"]["data"]
        assert set(said["required"]) == set(said["properties"])
        with pytest.raises(ValidationError):
            Draft202012Validator(schema).validate({"id": "1", "topic": topic})


@pytest.mark.parametrize("amount", ["1", "1.0", "01.00", "1e2", "1,000.00", 1.0, "-0"])
def test_an_amount_is_yuan_with_two_decimals_as_text(amount: object) -> None:
    schema = {**event_schema("run.posted"), "properties": {"x": {"$ref": "#/$defs/yuan"}}}
    schema["required"] = ["x"]
    Draft202012Validator(schema).validate({"x": "-1000.50"})
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate({"x": amount})


def test_what_happens_while_the_broker_is_down_happens_and_is_told_of(
    settled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise OperationalError("broker down")

    monkeypatch.setattr("celery.app.base.Celery.send_task", down)
    monkeypatch.setattr("celery.app.task.Task.apply_async", down)
    monkeypatch.setattr("kombu.connection.Connection.connect", down)
    decide(settled)
    assert [one["state"] for one in data("settlement.decided")] == ["decided"]
    assert outbox.fan_out(at=AT) == 1
