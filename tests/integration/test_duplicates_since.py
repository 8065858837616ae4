"""A check of what changed finds what a check of everything finds, whatever happened in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from django.db import connection

from config.kernel.models import Institution, Run
from loans.models import EquipmentInvoice, ImportBatch
from loans.services import import_undos
from loans.services.outcomes import ImportRefused
from settlement import tasks
from settlement.engine import links
from settlement.models import DuplicateCheck, DuplicateDue, Finding, FindingSide
from settlement.selectors import duplicate_links, duplicates
from settlement.services import checked_runs
from settlement.services import duplicates as duplicates_service
from settlement.services.assessments import assess_notes
from settlement.services.duplicates import check_changed, check_duplicates
from tests import database
from tests.integration.book import AT, run
from tests.integration.planted import A1, A2, B1, EQUIPMENT, MAKING, SME, Planted

pytestmark = pytest.mark.django_db
PLACES, SCHEMES = (A1, A2, B1), (SME, SME, EQUIPMENT, MAKING)
STEPS = 9


class History:
    """Whatever may happen to a book, drawn by chance."""

    def __init__(self, book: Planted, chance: Random) -> None:
        self.book, self.chance = book, chance
        self.codes = [book.enterprise() for _ in range(6)]
        self.notes: list[dict[str, Any]] = []
        self.machines: list[dict[str, Any]] = []
        for code in self.codes:
            self.note(code)
            self.note(code)

    def step(self) -> None:
        """A few changes of a kind, and sometimes a run or a judging."""
        for _ in range(self.chance.randint(1, 2)):
            self.chance.choice(self.kinds())()
            try:
                self.book.load()
            except ImportRefused:
                self.book.rows.clear()
        assess_notes(at=AT)
        if self.chance.random() < 0.5:
            run()

    def kinds(self) -> list[Callable[[], Any]]:
        """What may happen."""
        return [
            self.enterprise, self.alike, self.note, self.note, self.machine, self.machine, self.correct_machine,
            self.correct_name, self.unlabel, self.overdue, self.repay, self.outside, self.overlap,
        ]  # fmt: skip

    def enterprise(self) -> None:
        """A new one, often under the name or the organisation's number of another, with a note."""
        other = self.chance.choice(self.codes)
        how = self.chance.choice(["", "name", "organisation"])
        name = f"同名企业{self.chance.randint(1, 2)}" if how == "name" else ""
        try:
            code = self.book.enterprise(
                name, organisation=other[8:17] if how == "organisation" else ""
            )
        except IndexError:
            return
        self.codes.append(code)
        self.note(code)

    def alike(self) -> None:
        """A name but for its legal form, and a note whose number is but mistyped."""
        row = self.chance.choice(self.notes)
        code = self.book.enterprise(
            f"江苏华{self.chance.randint(1, 2)}精密机械{self.chance.choice(['有限公司', '股份有限公司'])}"
        )
        self.codes.append(code)
        for uscc in (code, row["uscc"]):
            number = f"JJ2026{self.book.number():04d}{self.chance.choice('0O')}88"
            self.book.note(uscc, number, at=self.chance.choice(PLACES))
            self.notes.append(dict(self.book.rows["notes"][-1]) | {"uscc": uscc})

    def note(self, code: str = "") -> None:
        """A note, at times under a number, for an amount, on a day or of a project there was before."""
        code = code or self.chance.choice(self.codes)
        count = self.book.number()
        number = self.chance.choice(
            [f"J{count}", f"J-{self.chance.randint(1, 9)}", f"j{self.chance.randint(1, 9)}"]
        )
        at = self.chance.choice(PLACES)
        if (at, number) in self.book.principals:
            return
        shared = self.chance.random() < 0.3
        project = f"XM{self.chance.randint(1, 2)}-{code[-6:]}" if shared else ""
        if shared:
            self.book.project(code, project)
        self.book.note(
            code, number, at=at, contract=f"HT{count}", schemes=self.chance.choice(SCHEMES), project=project,
            yuan=self.chance.choice([3_600_000, 7_200_000, 30_000_000]),
            drawn=self.chance.choice(["2026-02-02", "2026-02-05", "2026-03-02"]),
        )  # fmt: skip
        self.notes.append(dict(self.book.rows["notes"][-1]) | {"uscc": code})

    def any_note(self) -> tuple[str, str]:
        row = self.chance.choice(self.notes)
        return row["institution_code"], row["note_number"]

    def machine(self) -> None:
        """An invoice, of one of few numbers and makers."""
        at, number = self.any_note()
        which = self.chance.randint(1, 3)
        self.book.invoice(
            number, f"FP{which}", at=at, serial=f"SERIAL{which}", supplier=f"机床厂{which % 2}"
        )
        self.machines.append(dict(self.book.rows["equipment-invoices"][-1]))

    def correct_machine(self) -> None:
        """Another maker, or amount, on an invoice that was there: what it linked may be linked no more."""
        if self.machines:
            row = self.chance.choice(self.machines)
            if self.chance.random() < 0.5:
                row["supplier"] = f"机床厂{self.chance.randint(0, 3)}"
            else:
                row["amount"] = f"{self.chance.randint(1, 2)}00000.00"
            self.book.rows["equipment-invoices"].append(dict(row))

    def correct_name(self) -> None:
        """A name put right."""
        name = self.chance.choice(["同名企业1", "同名企业2", f"更正企业{self.book.number()}"])
        self.book.rows["enterprises"].append(
            {"uscc": self.chance.choice(self.codes), "name": name, "region_code": "320100",
             "industry_code": "C3421", "size": "small", "ownership": "private"}
        )  # fmt: skip

    def unlabel(self) -> None:
        """A note's labels taken off, or put back."""
        row = self.chance.choice(self.notes)
        row["scheme_codes"] = "" if row["scheme_codes"] else SME
        self.book.rows["notes"].append({k: v for k, v in row.items() if k != "uscc"})

    def overdue(self) -> None:
        at, number = self.any_note()
        self.book.status(number, "overdue", "2026-02-10", at=at)

    def repay(self) -> None:
        at, number = self.any_note()
        self.book.repay(number, "2026-03-01", 3_600_000, at=at)

    def outside(self) -> None:
        at, number = self.any_note()
        self.book.outside(self.chance.choice(self.codes), note_number=number, institution_code=at)

    def overlap(self) -> None:
        at, number = self.any_note()
        self.book.collect(number, "2026-02-20", "2026-04-02", at=at)


def kept() -> list[tuple[Any, ...]]:
    """All that stands in the findings."""
    told = ("identity", "evidence_digest", "state", "gone_at", "central_fen", "provincial_fen")
    sides = FindingSide.objects.order_by("finding__identity", "position")
    return [
        *Finding.objects.order_by("identity").values_list(*told),
        *sides.values_list("finding__identity", "position", "note", "enterprise", "facts"),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_what_changed_gives_what_everything_gives(tmp_path: Path, seed: int) -> None:
    history = History(Planted(tmp_path), Random(seed))
    history.book.post()
    check_duplicates(at=AT)
    found = 0
    for day in range(1, STEPS + 1):
        history.step()
        found += check_changed(at=AT + timedelta(days=day)).changes
        after = kept()
        assert check_changed(at=AT + timedelta(days=day)).changes == 0
        assert check_duplicates(at=AT + timedelta(days=day)).changes == 0
        assert kept() == after
    assert found > 0
    looked_at = DuplicateCheck.objects.exclude(enterprises=None).values_list(
        "enterprises", flat=True
    )
    assert len(looked_at) >= STEPS // 2  # whole only where links were lost


def test_only_who_is_linked_to_a_change_is_looked_at(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    codes = [book.enterprise(f"企业{letter}") for letter in "甲乙丙丁"]
    for place, code in enumerate(codes):
        book.note(code, f"N{place}", at=PLACES[place % 3])
    for place in (0, 1):
        book.invoice(f"N{place}", "FP88", at=PLACES[place], supplier="机床厂")
    book.post()
    assert check_changed(at=AT).there["P5"] == 1
    assert [DuplicateDue.objects.count(), DuplicateCheck.objects.get().enterprises] == [0, None]
    book.collect("N1", "2026-03-02", "2026-04-02", at=A2)
    book.post()
    assert DuplicateDue.objects.exists()
    check_changed(at=AT)
    assert DuplicateCheck.objects.latest("pk").enterprises == 2
    tasks.check_changed()  # nothing changed: nothing is written
    assert DuplicateCheck.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_whatever_takes_a_link_away_makes_everybody_due(
    tmp_path: Path, owner_connection: psycopg.Connection
) -> None:
    book = Planted(tmp_path)
    book.note(book.enterprise(), "N1")
    book.invoice("N1", "FP1", supplier="机床厂")
    book.load()
    for change in (
        "UPDATE loans_equipmentinvoice SET supplier = '他厂'",
        "DELETE FROM loans_equipmentinvoice",
        "UPDATE loans_enterpriserecord SET name = '他名'",
        "UPDATE kernel_institution SET name = name || '一'",
    ):
        DuplicateDue.objects.all().delete()
        owner_connection.execute(change)
        assert DuplicateDue.objects.filter(enterprise_id=None).exists(), change
    DuplicateDue.objects.all().delete()
    Institution.objects.filter(pk=0).update(name="")
    assert not DuplicateDue.objects.exists()
    assert not EquipmentInvoice.objects.exists()


def test_a_run_looks_before_it_pays(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    one = book.enterprise()
    book.note(one, "N1")
    book.note(one, "N-1")
    book.load()
    tasks.run_deductions(actor="system")
    found = Finding.objects.get()
    assert (found.rule, found.central_fen) == (
        "P2",
        0,
    )  # seen by the labels, before any money moved


def test_the_web_neither_reads_nor_takes_what_is_due(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    book.note(book.enterprise(), "N1")
    book.load()
    with database.as_role("app"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('settlement_duplicatedue', 'SELECT, DELETE, INSERT')"
        )
        assert cursor.fetchone() == (False,)


def test_links_are_the_keys_of_the_rules(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    one, other = book.enterprise("样例（江苏）机械"), book.enterprise("样例(江苏)机械")
    third = book.enterprise("丙", organisation=one[8:17])
    for place, code in enumerate((one, other, third)):
        book.note(code, f"N{place}")
    book.load()
    shared = links.keys(
        names=duplicates.names(),
        codes=duplicate_links.codes(),
        projects=duplicate_links.projects(),
        invoices=duplicate_links.invoices(),
    )
    assert shared.group_by("key").len()["len"].to_list() == [2, 2]  # a name, and a number
    (first, second, last) = sorted(shared["enterprise_id"].unique())
    assert links.closure(links=shared, enterprise_ids=[last]) == [first, second, last]
    assert links.closure(links=shared, enterprise_ids=[]) == []


def test_a_corrected_amount_of_an_invoice_is_looked_at(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    for number in ("N1", "N2"):
        book.note(book.enterprise(), number)
        book.invoice(number, "FP1", supplier="机床厂")
    again = dict(book.rows["equipment-invoices"][-1])
    book.post()
    check_duplicates(at=AT)
    assert Finding.objects.get().severity == "violation"
    book.rows["equipment-invoices"].append(again | {"amount": "70000.00"})
    book.load()
    check_changed(at=AT)
    assert (Finding.objects.get().severity, DuplicateCheck.objects.latest("pk").enterprises) == (
        "warning",
        2,
    )


def test_a_matter_that_is_somebody_else_s_by_now_moves_with_its_finding(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    one, other = book.enterprise(), book.enterprise()
    book.note(one, "N1")
    book.note(other, "N2", at=B1)
    book.load()
    reference = book.outside(one, note_number="N1")
    book.load()
    assess_notes(at=AT)
    check_duplicates(at=AT)
    found = Finding.objects.get()
    assert (found.rule, found.note.note_number) == ("P11", "N1")
    file = ImportBatch.objects.filter(kind="external-subsidies").latest("pk")
    asked = import_undos.ask(batch_id=file.pk, reason="错", actor="zhang", at=AT)
    import_undos.agree(undo_id=asked, answer="", actor="li", at=AT)
    check_changed(at=AT)
    assert Finding.objects.get().gone_at is not None
    book.outside(other, note_number="N2", institution_code=B1, reference=reference)
    book.load()
    check_changed(at=AT)
    found = Finding.objects.get()
    assert (found.gone_at, found.note.note_number) == (None, "N2")
    assert check_duplicates(at=AT).changes == 0


def test_a_run_goes_on_whatever_its_check_ends_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Planted(tmp_path)
    book.note(book.enterprise(), "N1")
    book.load()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("of a defect")

    monkeypatch.setattr(duplicates_service, "rules_key", broken)
    begun = checked_runs.begin_run(actor="system", clock=lambda: AT)
    assert begun is not None and begun.checked is None and "of a defect" in begun.why_not
    assert (begun.run.enterprises, DuplicateDue.objects.exists()) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_two_checks_do_not_wait_for_each_other(
    tmp_path: Path, owner_connection: psycopg.Connection
) -> None:
    book = Planted(tmp_path)
    book.note(book.enterprise(), "N1")
    book.load()
    owner_connection.execute("SELECT pg_advisory_lock(%s)", [duplicates_service.CHECKING_LOCK])
    try:
        assert check_changed(at=AT) is None
        assert DuplicateDue.objects.exists()
    finally:
        owner_connection.execute("SELECT pg_advisory_unlock_all()")
    assert check_changed(at=AT) is not None


def test_what_was_paid_under_a_label_refused_by_now_is_left_to_the_run(tmp_path: Path) -> None:
    book = Planted(tmp_path)
    one = book.enterprise()
    book.project(one, "XM1")
    book.note(one, "N1", contract="H1", project="XM1")
    book.note(one, "N2", at=B1, contract="H2", project="XM1", drawn="2026-03-02")
    again = dict(book.rows["notes"][-1])
    book.post()
    check_duplicates(at=AT)
    assert Finding.objects.get().rule == "P4"
    book.rows["notes"].append(again | {"scheme_codes": EQUIPMENT})
    book.load()
    tasks.run_deductions(actor="system")
    assert Run.objects.latest("pk").state == Run.State.DONE
    check_changed(at=AT)
    assert Finding.objects.get(rule="P4").gone_at is not None
