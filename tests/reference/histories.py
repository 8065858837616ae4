"""Random histories: files arriving in pieces, wrong first, late or twice, with runs in between.

A history ends in the same final facts as a portfolio. What was entered wrong as evidence cannot be
taken away, only reversed: those rows and their reversals are added to the portfolio handed back.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from tests.reference.columns import key_of
from tests.reference.facts import KINDS, Portfolio, Row, fen, yuan
from tests.reference.wrongs import wrong_version

Reference = tuple[str, tuple[str, ...]]


@dataclass
class Step:
    """Either `action` "import" (a file of `kind` with `rows`) or "run" (`through`; None = all)."""

    action: str
    kind: str = ""
    rows: list[Row] = field(default_factory=list)
    through: date | None = None


@dataclass
class _Event:
    """One row on its way in; it may arrive once everything in `after` has."""

    kind: str
    row: Row
    after: set[int]
    rank: float


def histories(
    seed: int,
    portfolio: Portfolio,
    *,
    wrong_share: float = 0.12,
    repeat_share: float = 0.1,
    max_runs: int = 4,
    pieces: int = 2,
) -> tuple[list[Step], Portfolio]:
    """Steps that end in the final facts of the portfolio handed back, the last one a full run.

    `wrong_share`: share of rows entered wrong first. `repeat_share`: share of files sent twice.
    `pieces`: into about how many files each kind is split (more where corrections force it).
    """
    final = copy.deepcopy(portfolio)
    rng = Random(f"{seed}/history")
    _add_reversed_evidence(rng, final, wrong_share)
    events = _Weaver(rng, final, wrong_share).weave()
    steps = _files(rng, events, pieces)
    steps = _repeat(rng, steps, repeat_share)
    return _with_runs(rng, steps, max_runs, final), final


def _add_reversed_evidence(rng: Random, final: Portfolio, share: float) -> None:
    """Wrong evidence rows with their reversals join the facts, next to the right rows."""
    for kind in ("repayments", "interest-collections", "external-subsidies"):
        added: list[Row] = []
        for n, row in enumerate(final.get(kind, [])):
            if rng.random() < share:
                added += _wrong_and_reversal(rng, kind, row, n, final)
        final.setdefault(kind, []).extend(added)
        if not final[kind]:
            del final[kind]


def _wrong_and_reversal(rng: Random, kind: str, row: Row, n: int, final: Portfolio) -> list[Row]:
    """A wrong amount under another reference, and the row that takes it back (or nothing)."""
    column, on, most = "amount", "", 0
    if kind == "repayments":
        on, most = "repaid_on", _room(row, final)
    elif kind == "interest-collections":
        column, on, most = "interest_paid", "collected_on", fen(row["interest_due"])
    elif fen(row[column]) > 0:
        most = fen(row[column]) * 2
    if most < 1 or not row[column] or fen(row[column]) <= 0:
        return []
    wrong = {**row, column: yuan(rng.randint(1, most)), "reference": f"W{n:06d}"}
    back = {**wrong, column: f"-{wrong[column]}", "reference": f"Y{n:06d}"}
    if on:
        later = date.fromisoformat(row[on]) + timedelta(days=rng.choice((0, 0, 2, 20, 90)))
        back[on] = later.isoformat()
    return [wrong, back]


def _room(row: Row, final: Portfolio) -> int:
    """How much more can be repaid on the note with nothing ever above its principal."""
    mine = [r for r in final["repayments"] if _same_note(r, row)]
    note = next(r for r in final["notes"] if _same_note(r, row))
    gross = sum(max(fen(r["amount"]), 0) for r in mine)
    return (fen(note["principal"]) - gross) // len(mine)


def _same_note(one: Row, other: Row) -> bool:
    columns = ("institution_code", "note_number")
    return all(one[column] == other[column] for column in columns)


class _Weaver:
    """Turns final rows into events, each with what must be there before it."""

    def __init__(self, rng: Random, final: Portfolio, wrong_share: float) -> None:
        self.rng, self.final, self.wrong_share = rng, final, wrong_share
        self.events: list[_Event] = []
        self.first: dict[Reference, int] = {}
        self.latest: dict[Reference, int] = {}
        self.groups: dict[Reference, list[int]] = defaultdict(list)

    def weave(self) -> list[_Event]:
        for kind in KINDS:
            for row in self.final.get(kind, []):
                self._enter(kind, row)
        return self.events

    def _enter(self, kind: str, row: Row) -> None:
        """The right row, behind any number of wrong ones of the same key."""
        rank = self.rng.random()
        while self.rng.random() < self.wrong_share:
            wrong = wrong_version(self.rng, kind, row, self.final)
            if wrong is None or key_of(kind, wrong) != key_of(kind, row):
                break
            self._event(kind, wrong, rank)
            rank += self.rng.random()
        self._event(kind, row, rank)

    def _event(self, kind: str, row: Row, rank: float) -> None:
        reference, place = (kind, key_of(kind, row)), len(self.events)
        after = {self.first[need] for need in _needs(kind, row)}
        if reference in self.latest:  # a correction or completion follows what it corrects
            after.add(self.latest[reference])
        after |= self._before_in_group(kind, row)
        self.events.append(_Event(kind, row, after, rank))
        self.latest[reference] = place
        self.first.setdefault(reference, place)
        if kind == "enterprises":
            self.first.setdefault(("enterprises", (row["uscc"],)), place)

    def _before_in_group(self, kind: str, row: Row) -> set[int]:
        """A reversal follows what it may take back; a repayment follows earlier reversals, so that
        the net stays between 0 and principal after every file."""
        if kind not in ("repayments", "interest-collections", "external-subsidies"):
            return set()
        place, text = len(self.events), row.get("amount") or row.get("interest_paid") or "0"
        if row["reference"].startswith("Y"):
            wrong = {**row, "reference": "W" + row["reference"][1:]}
            return {self.latest[kind, key_of(kind, wrong)]}
        if row["reference"].startswith("W"):
            return set()
        group = self.groups[kind, _group_of(kind, row)]
        before = set(group)
        if fen(text) >= 0:
            before = {n for n in group if kind == "repayments" and self._takes_back(n)}
        group.append(place)
        return before

    def _takes_back(self, place: int) -> bool:
        return self.events[place].row["amount"].startswith("-")


GROUPS = {
    "repayments": "institution_code note_number",
    "interest-collections": "institution_code note_number period_start period_end",
    "external-subsidies": "uscc kind year institution_code note_number",
}


def _group_of(kind: str, row: Row) -> tuple[str, ...]:
    return tuple(row[column] for column in GROUPS[kind].split())


def _needs(kind: str, row: Row) -> list[Reference]:
    """What a row names: parent, enterprise, project, contract, note, each under its natural key."""
    bank = row.get("institution_code", "")
    banks = [bank, row.get("new_institution_code", "")]
    if kind == "institutions":
        banks = [row["parent_code"]]
    needs: list[Reference] = [("institutions", (code,)) for code in banks if code]
    if row.get("uscc") and kind != "enterprises":
        needs.append(("enterprises", (row["uscc"],)))
    if row.get("project_code") and kind != "projects":
        needs.append(("projects", (row["project_code"],)))
    if kind == "notes":
        needs.append(("contracts", (bank, row["contract_number"])))
    elif row.get("note_number"):
        needs.append(("notes", (bank, row["note_number"])))
    return needs


def _files(rng: Random, events: list[_Event], pieces: int) -> list[Step]:
    """Files in an order that respects what must be there first, rows within a file in any order."""
    done: set[int] = set()
    waiting = set(range(len(events)))
    steps = []
    while waiting:
        ready = sorted(
            (n for n in waiting if events[n].after <= done), key=lambda n: events[n].rank
        )
        kind, until = events[ready[0]].kind, events[ready[0]].rank + rng.random() * 2 / pieces
        file = [n for n in ready if events[n].kind == kind and events[n].rank <= until]
        rng.shuffle(file)
        steps.append(Step("import", kind, [dict(events[n].row) for n in file]))
        done |= set(file)
        waiting -= done
    return steps


EVIDENCE = ("repayments", "interest-collections", "external-subsidies")


def _repeat(rng: Random, steps: list[Step], share: float) -> list[Step]:
    """Some files twice: evidence at any later time, others at once (later would undo corrections)."""
    again = list(steps)
    for step in steps:
        if rng.random() < share:
            place = next(n for n, other in enumerate(again) if other is step) + 1
            if step.kind in EVIDENCE:
                place = rng.randint(place, len(again))
            again.insert(place, Step("import", step.kind, [dict(row) for row in step.rows]))
    return again


def _with_runs(rng: Random, steps: list[Step], most: int, final: Portfolio) -> list[Step]:
    """Runs in between, through a day or through everything, and a full one at the end."""
    days = sorted(r["collected_on"] for r in final.get("interest-collections", []))
    for _ in range(rng.randint(0, most)):
        through = date.fromisoformat(rng.choice(days)) if days and rng.random() < 0.5 else None
        steps.insert(rng.randint(len(steps) // 3, len(steps)), Step("run", through=through))
    return [*steps, Step("run")]
