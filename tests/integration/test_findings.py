"""The life of a finding: two people decide, facts reopen, clawbacks follow, banks see their own side."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from config.kernel.models import Institution
from config.kernel.services.export import write_register
from loans.models import Note
from loans.values.errors import DomainError
from settlement.models import Clawback, Finding, FindingDecision, FindingSide
from settlement.resources import REGISTERS
from settlement.selectors.findings import OF_NOTES, of_notes
from settlement.services import clawback_movements, clawbacks, findings
from settlement.services.duplicates import check_duplicates
from tests.integration.book import AT, exported, read_csv
from tests.integration.planted import A1, A2, B1, HEAD_A, HEAD_B, SME, Planted

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> Planted:
    """One loan entered at two branches of bank 甲 and once more at bank 乙; money is there for it."""
    made = Planted(tmp_path)
    owner = made.enterprise()
    made.note(owner, "JK-31")
    made.note(owner, "JK31", at=A2)
    made.note(made.enterprise("扬州机床有限公司"), "YZ-1")
    made.note(made.enterprise("扬州机床有限公司"), "YZ-2", at=B1, drawn="2026-02-03")
    for head in (HEAD_A, HEAD_B):
        made.receive(SME, "central", "2026-01-10", 1_000_000, at=head)
    made.post()
    check_duplicates(at=AT)
    return made


def the(rule: str) -> Finding:
    return Finding.objects.get(rule=rule)


def kept() -> list[Any]:
    """Everything a refusal must leave as it was."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Finding, FindingSide, FindingDecision, Clawback)
    ]


def decide(rule: str, outcome: str, *, at: int = 0) -> int:
    made = findings.propose_decision(
        finding_id=the(rule).pk, outcome=outcome, why="核实", actor="maker", at=AT + timedelta(at)
    )
    findings.check_decision(decision_id=made, actor="checker", at=AT + timedelta(at))
    return made


def refused(code: str, step: Callable[..., Any], **given: Any) -> None:
    before = kept()
    with pytest.raises(DomainError) as told, transaction.atomic():
        step(**given, at=AT)
    assert told.value.code == code
    assert kept() == before


def test_the_book_has_a_double_entry_and_a_double_name(book: Planted) -> None:
    assert [(f.rule, f.central_fen, f.state) for f in Finding.objects.order_by("pk")] == [
        ("P2", 420_000, "open"),
        ("P3", 405_000, "open"),
    ]


def test_one_says_it_and_another_agrees(book: Planted) -> None:
    made = findings.propose_decision(
        finding_id=the("P2").pk, outcome="confirmed", why=" 同一笔贷款 ", actor="maker", at=AT
    )
    assert the("P2").state == "open"
    findings.check_decision(decision_id=made, actor="checker", at=AT + timedelta(1))
    finding = the("P2")
    assert (finding.state, finding.decision_id) == ("confirmed", made)
    decision = FindingDecision.objects.get()
    assert (decision.why, decision.made_by, decision.checked_by, decision.refused_why) == (
        "同一笔贷款", "maker", "checker", "",
    )  # fmt: skip


def test_what_is_refused_of_a_decision(book: Planted) -> None:
    say, agree, refuse = (
        findings.propose_decision,
        findings.check_decision,
        findings.refuse_decision,
    )
    key = the("P2").pk
    refused("unknown_finding", say, finding_id=0, outcome="confirmed", why="x", actor="maker")
    refused("reason_missing", say, finding_id=key, outcome="dismissed", why="  ", actor="maker")
    made = say(finding_id=key, outcome="dismissed", why="不同贷款", actor="maker", at=AT)
    refused("decision_waiting", say, finding_id=key, outcome="confirmed", why="x", actor="other")
    refused("own_work", agree, decision_id=made, actor="maker")
    refused("own_work", refuse, decision_id=made, why="x", actor="maker")
    refused("reason_missing", refuse, decision_id=made, why="", actor="checker")
    refused("unknown_decision", agree, decision_id=0, actor="checker")
    agree(decision_id=made, actor="checker", at=AT)
    refused("finding_decided", agree, decision_id=made, actor="third")
    refused("finding_decided", say, finding_id=key, outcome="confirmed", why="x", actor="maker")


def test_what_another_refuses_stays_on_record_and_the_finding_open(book: Planted) -> None:
    made = findings.propose_decision(
        finding_id=the("P2").pk, outcome="dismissed", why="不同贷款", actor="maker", at=AT
    )
    findings.refuse_decision(decision_id=made, why="合同相同", actor="checker", at=AT)
    assert (the("P2").state, FindingDecision.objects.get().refused_why) == ("open", "合同相同")
    assert decide("P2", "confirmed") != made
    assert the("P2").state == "confirmed"


def test_the_database_holds_two_people_and_a_reason(book: Planted, as_role: AsRole) -> None:
    finding = the("P2")
    row = {
        "institution_id": finding.institution_id, "finding": finding, "outcome": "dismissed", "why": "x",
        "evidence_digest": "0", "made_by": "maker", "made_at": AT,
    }  # fmt: skip
    waiting = FindingDecision.objects.create(**row)
    before = kept()
    unlawful: list[Callable[[], Any]] = [
        lambda: Finding.objects.filter(pk=finding.pk).update(state="dismissed"),
        lambda: Finding.objects.filter(pk=finding.pk).update(state="dismissed", decision=waiting),
        lambda: Finding.objects.filter(pk=finding.pk).update(decision=waiting),
        lambda: FindingDecision.objects.update(checked_by="maker"),
        lambda: FindingDecision.objects.update(refused_why="nobody"),
        lambda: FindingDecision.objects.create(**row),
        lambda: FindingDecision.objects.create(**row | {"why": "", "checked_by": "checker"}),
    ]
    for step in unlawful:
        with pytest.raises(IntegrityError), transaction.atomic():
            step()
        assert kept() == before
    for change in ({"central_fen": 0}, {"evidence_digest": "1"}, {"gone_at": AT}):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            as_role("app", everything=True),
        ):
            Finding.objects.update(**change)
        assert kept() == before


def test_a_dismissed_finding_stays_so_until_its_facts_change(book: Planted) -> None:
    made = decide("P2", "dismissed")
    again = check_duplicates(at=AT + timedelta(1))
    assert (again.changed, again.reopened, the("P2").state) == (0, 0, "dismissed")
    book.collect("JK31", "2026-03-02", "2026-03-12", at=A2)  # more money is no other fact
    book.collect("JK-31", "2026-03-02", "2026-03-12")
    book.post()
    more = check_duplicates(at=AT + timedelta(2))
    assert (more.changed, more.reopened) == (1, 0)
    assert (the("P2").state, the("P2").central_fen) == ("dismissed", 570_000)
    book.note(
        Note.objects.get(note_number="JK31").contract.enterprise.uscc,
        "JK31",
        at=A2,
        yuan=3_500_000,
        collected=False,
    )
    book.load()
    changed = check_duplicates(at=AT + timedelta(3))
    finding = the("P2")
    assert (changed.opened, changed.changed, changed.reopened) == (0, 1, 1)
    assert (finding.state, finding.decision_id) == ("open", None)
    assert (finding.found_at, finding.changed_at) == (AT, AT + timedelta(3))
    assert finding.evidence["matched_by"] == "note_number;drawn_on"
    assert list(FindingDecision.objects.values_list("pk", "outcome")) == [(made, "dismissed")]


def test_a_decision_said_of_other_facts_is_not_agreed_to(book: Planted) -> None:
    made = findings.propose_decision(
        finding_id=the("P2").pk, outcome="dismissed", why="不同贷款", actor="maker", at=AT
    )
    book.note(
        Note.objects.get(note_number="JK31").contract.enterprise.uscc,
        "JK31",
        at=A2,
        yuan=3_500_000,
        collected=False,
    )
    book.load()
    check_duplicates(at=AT)
    refused("evidence_changed", findings.check_decision, decision_id=made, actor="checker")
    findings.refuse_decision(decision_id=made, why="证据已变", actor="checker", at=AT)
    assert (the("P2").state, FindingDecision.objects.get().refused_why) == ("open", "证据已变")


def test_what_was_said_goes_with_the_finding_when_the_other_side_gives_way(
    book: Planted, as_role: AsRole
) -> None:
    made = findings.propose_decision(
        finding_id=the("P2").pk, outcome="confirmed", why="x", actor="maker", at=AT
    )
    owner = Note.objects.get(note_number="JK-31").contract.enterprise.uscc
    book.note(owner, "JK-31", drawn="2026-02-10", collected=False)  # now the later one
    book.post()
    check_duplicates(at=AT + timedelta(1))
    finding = the("P2")
    assert (finding.institution.code, finding.note.note_number) == (A1, "JK-31")
    with as_role("app", Institution.objects.get(code=A1)):
        findings.refuse_decision(decision_id=made, why="证据已变", actor="checker", at=AT)
    assert FindingDecision.objects.get().refused_why == "证据已变"


def test_a_finding_whose_facts_are_gone_is_kept_and_comes_back_as_itself(book: Planted) -> None:
    key, owner = the("P2").pk, Note.objects.get(note_number="JK31").contract.enterprise.uscc
    book.note(owner, "JK31", at=A2, schemes="", collected=False)
    book.post()
    assert check_duplicates(at=AT + timedelta(1)).gone == 1
    assert the("P2").gone_at == AT + timedelta(1)
    assert of_notes()["rule"].to_list() == ["P3", "P3"]
    refused(
        "finding_gone", findings.propose_decision,
        finding_id=key, outcome="confirmed", why="x", actor="maker",
    )  # fmt: skip
    book.note(owner, "JK31", at=A2, collected=False)
    book.post()
    back = check_duplicates(at=AT + timedelta(2))
    assert (back.opened, back.changed, the("P2").pk, the("P2").gone_at) == (0, 1, key, None)


def test_what_is_at_stake_is_asked_back_and_recovered(book: Planted, tmp_path: Path) -> None:
    key = the("P2").pk
    refused("finding_not_confirmed", findings.propose_clawbacks, finding_id=key, actor="maker")
    decide("P2", "confirmed")
    (made,) = findings.propose_clawbacks(finding_id=key, actor="maker", at=AT)
    owed = Clawback.objects.get(pk=made)
    assert (owed.origin, owed.origin_id, owed.amount_fen, owed.year, owed.note.note_number) == (
        "finding", key, 420_000, 2026, "JK31",
    )  # fmt: skip
    refused("clawback_known", findings.propose_clawbacks, finding_id=key, actor="maker")
    refused("own_work", clawbacks.decide, clawback_id=made, accept=True, actor="maker")
    clawbacks.decide(clawback_id=made, accept=True, actor="checker", at=AT)
    assert states(tmp_path) == {"P2": "clawback", "P3": "open"}
    payment = clawback_movements.Payment(date(2026, 11, 24), 420_000, "S1")
    movement = clawback_movements.record_movement(
        clawback_id=made, kind="received", payment=payment, actor="maker", at=AT
    )
    clawback_movements.check_movement(movement_id=movement, actor="checker", at=AT)
    assert states(tmp_path) == {"P2": "recovered", "P3": "open"}


def states(folder: Path) -> dict[str, str]:
    return {row["rule"]: row["state"] for row in exported("findings", folder)}


def test_each_bank_sees_its_own_findings_and_its_own_side(book: Planted, as_role: AsRole) -> None:
    banks = Institution.objects.in_bulk([A1, A2, B1, HEAD_A, HEAD_B], field_name="code")

    def seen() -> list[tuple[str, list[str]]]:
        return [
            (f.rule, [s.facts["note_number"] for s in f.sides.order_by("position")])
            for f in Finding.objects.order_by("pk")
        ]

    def sides() -> list[str]:
        return sorted(side.facts["note_number"] for side in FindingSide.objects.all())

    expected = {
        A1: ([], ["JK-31", "YZ-1"]),
        A2: ([("P2", ["JK31"])], ["JK31"]),
        HEAD_A: ([("P2", ["JK-31", "JK31"])], ["JK-31", "JK31", "YZ-1"]),
        B1: ([("P3", ["YZ-2"])], ["YZ-2"]),
    }
    for code, (of_findings, of_sides) in expected.items():
        with as_role("app", banks[code]):
            assert (seen(), sides()) == (of_findings, of_sides), code
            if code == B1:
                told = str(list(Finding.objects.values())) + str(list(FindingSide.objects.values()))
                others = Note.objects.values_list("contract__enterprise__uscc", flat=True)
                assert len(others) == 1
    assert the("P3").evidence["ask"] == [HEAD_A]
    (other,) = Note.objects.filter(note_number="YZ-1").values_list("contract__enterprise__uscc")
    assert "YZ-1" not in told and other[0] not in told
    with as_role("app", banks[A1]):
        refused_in_sight(the_key(Finding.objects.filter(rule="P2")), banks[A1])


def test_an_export_holds_no_side_of_another_bank(book: Planted, tmp_path: Path) -> None:
    def numbers(scope: tuple[int, int] | None) -> list[tuple[str, str, str]]:
        path = tmp_path / "findings.csv"
        write_register(
            register=REGISTERS["findings"], path=path, file_format="csv", scope=scope, filters={}
        )
        keys = ("rule", "first_note_number", "second_note_number")
        return [tuple(row[key] for key in keys) for row in read_csv(path)]

    bank = Institution.objects.get(code=HEAD_B)
    assert numbers((bank.id, bank.last_id)) == [("P3", "", "YZ-2")]
    assert "YZ-1" not in (tmp_path / "findings.csv").read_text()
    assert numbers(None) == [("P2", "JK-31", "JK31"), ("P3", "YZ-1", "YZ-2")]


def test_what_another_has_agreed_to_stays(book: Planted) -> None:
    made = decide("P2", "confirmed")
    before = kept()
    for change in ({"checked_by": "third"}, {"checked_by": None}, {"refused_why": "x"}):
        with pytest.raises(IntegrityError, match="answered and stays"), transaction.atomic():
            FindingDecision.objects.filter(pk=made).update(**change)
        assert kept() == before


def the_key(rows: Any) -> int:
    return int(rows.values_list("pk", flat=True).first() or 0)


def refused_in_sight(key: int, bank: Institution) -> None:
    assert key == 0, bank
    with pytest.raises(DomainError) as told:
        findings.propose_decision(finding_id=1, outcome="confirmed", why="x", actor="m", at=AT)
    assert told.value.code == "unknown_finding"


def test_findings_by_note_for_registers_and_reports(book: Planted) -> None:
    ids = dict(Note.objects.values_list("note_number", "pk"))
    decide("P3", "confirmed")
    frame = of_notes(note_ids=[ids["JK31"], ids["YZ-1"]])
    expected = pl.DataFrame(
        [
            (ids["JK31"], the("P2").pk, "P2", "violation", "财金〔2026〕4号 一(三)", "open", 420_000, 0, 0),
            (ids["YZ-1"], the("P3").pk, "P3", "warning", "财金〔2026〕4号 三(三)", "confirmed", 405_000, 0, 0),
        ],
        schema=dict(OF_NOTES),
        orient="row",
    )  # fmt: skip
    assert frame.equals(expected.sort("note_id", "finding_id"))
    assert of_notes().height == 4
