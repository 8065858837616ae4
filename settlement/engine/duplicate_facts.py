"""The frames the duplicate rules read, and what they look up again and again."""

from __future__ import annotations

import datetime
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from settlement.engine import duplicates, overlap
from settlement.engine.terms_model import Terms


@dataclass(frozen=True)
class Known:
    """Everything the rules are about; frames as `settlement.selectors.duplicates` gives them.

    `overlapping`: notes with two interest periods that share days. `exchanged`: what of the notes other
    banks' exchange files tell, too (`exchange.CONFLICTS`). `all_notes`, `stops`, `opening`,
    `titles` as `loans.selectors.facts` gives them.
    """

    terms: tuple[Terms, ...]
    notes: pl.DataFrame
    enrolments: pl.DataFrame
    names: pl.DataFrame
    invoices: pl.DataFrame
    repayments: pl.DataFrame
    stops: pl.DataFrame
    titles: pl.DataFrame
    industries: pl.DataFrame
    external: pl.DataFrame
    opening: pl.DataFrame
    paid: pl.DataFrame
    interest: pl.DataFrame
    products: pl.DataFrame
    guaranteed: pl.DataFrame
    overlapping: tuple[int, ...]
    untouched: pl.DataFrame
    exchanged: pl.DataFrame

    @cached_property
    def schemes(self) -> dict[str, Terms]:
        """Terms by code."""
        return {terms.code: terms for terms in self.terms}

    @cached_property
    def duties(self) -> dict[str, str]:
        """Scheme code → what it excludes (`duplicates.duty`)."""
        return {terms.code: duplicates.duty(terms) for terms in self.terms}

    @cached_property
    def _places(self) -> tuple[Sequence[int], Sequence[int]]:
        """Notes in order, and where each stands in `notes`: looked up, as few of many are asked for."""
        by_note = self.notes.select("note_id").with_row_index("place").sort("note_id")
        return array("q", by_note["note_id"]), array("q", by_note["place"])

    def place(self, note_id: int) -> int | None:
        """A note's row in `notes`; None if it is not subsidised."""
        notes, places = self._places
        at = bisect_left(notes, note_id)
        return places[at] if at < len(notes) and notes[at] == note_id else None

    @cached_property
    def _labels(self) -> tuple[Sequence[int], pl.Series]:
        by_note = self.enrolments.select("note_id", "scheme_code").sort("note_id")
        return array("q", by_note["note_id"]), by_note["scheme_code"]

    @cached_property
    def _order_of_schemes(self) -> dict[str, int]:
        return {terms.code: place for place, terms in enumerate(self.terms)}

    def schemes_of(self, note_id: int) -> list[str]:
        """The schemes a note is eligible under, those served first first."""
        notes, codes = self._labels
        own = codes[bisect_left(notes, note_id) : bisect_right(notes, note_id)].to_list()
        order = self._order_of_schemes
        return sorted(own, key=lambda code: (order.get(code, len(order)), code))

    @cached_property
    def same_enterprises(self) -> pl.DataFrame:
        """Pairs of enterprises that are one (`overlap.same_enterprises`)."""
        return overlap.same_enterprises(self.notes, self.names)

    @cached_property
    def same_numbers(self) -> pl.DataFrame:
        """Pairs of notes with one number (`overlap.same_numbers`)."""
        return overlap.same_numbers(self.notes)

    @cached_property
    def same_contracts(self) -> pl.DataFrame:
        """Pairs of contracts with one number (`overlap.same_contracts`)."""
        return overlap.same_contracts(self.notes)

    @cached_property
    def shared_invoices(self) -> pl.DataFrame:
        """Pairs of notes with one invoice or machine (`overlap.shared_invoices`)."""
        return overlap.shared_invoices(self.notes, self.invoices)

    def note(self, note_id: int) -> dict[str, Any]:
        """One note's row."""
        place = self.place(note_id)
        assert place is not None, note_id
        return self.notes.row(place, named=True)

    def name(self, note_id: int) -> str:
        """A note's key as text: institution code and number."""
        row = self.note(note_id)
        return f"{row['institution_code']}/{row['note_number']}"

    def in_order(self, note_ids: Iterable[int]) -> tuple[int, ...]:
        """Notes in D4's order."""
        return tuple(sorted(set(note_ids), key=self._order))

    def _order(self, note_id: int) -> tuple[datetime.date, str, str]:
        row = self.note(note_id)
        return row["drawn_on"], row["institution_code"], row["note_number"]

    def notes_by(self, column: str, values: Iterable[int]) -> dict[int, list[int]]:
        """The notes of these contracts, or enterprises (`column`)."""
        found: dict[int, list[int]] = {}
        chosen = self.notes.filter(pl.col(column).is_in(sorted(set(values))))
        for value, note in chosen.select(column, "note_id").iter_rows():
            found.setdefault(value, []).append(note)
        return found

    def keys(self, note_ids: Iterable[int]) -> list[str]:
        """Names of notes, sorted, for an identity."""
        return sorted(self.name(note_id) for note_id in note_ids)

    def shared_duties(self, first: Iterable[int], second: Iterable[int]) -> set[str]:
        """The duties that some note of both is subsidised under."""
        return self._duties_of(first) & self._duties_of(second)

    def _duties_of(self, note_ids: Iterable[int]) -> set[str]:
        return {
            self.duties[s] for note in note_ids for s in self.schemes_of(note) if s in self.duties
        }

    def yielding_scheme(
        self, note_ids: Iterable[int], duties: set[str] | None = None
    ) -> Terms | None:
        """Of the schemes of notes, within some duties if given, the one that is served last."""
        found = [
            self.schemes[code]
            for note in note_ids
            for code in self.schemes_of(note)
            if code in self.schemes and (duties is None or self.duties[code] in duties)
        ]
        return max(found, key=lambda terms: (terms.priority, terms.code), default=None)

    def codes_of(self, duty: str) -> list[str]:
        """The schemes of a duty."""
        return [code for code, of in self.duties.items() if of == duty]

    def asks(self, yields: Sequence[int], others: Iterable[int]) -> list[str]:
        """Which other banks a person has to ask: their codes."""
        own = {self.note(note)["bank_code"] for note in yields}
        return sorted({self.note(note)["bank_code"] for note in others} - own)
