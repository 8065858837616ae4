"""Proposals: what may be the same thing twice, with a score and why; a person decides (domain §7).

No money is claimed on a proposal. What stands in `evidence` is seen by the bank whose note would give
way: names of fields and how they stand, nothing of another bank's book.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from settlement.engine import (
    duplicates,
    near_enterprises,
    near_invoices,
    near_names,
    near_notes,
)
from settlement.engine.duplicate_facts import Known
from settlement.engine.duplicates import PROPOSAL, Match, article
from settlement.engine.near_scores import ENTERPRISE, INVOICE, NOTE

ASKED_ONE_BY_ONE = 100  # names; of more everybody may be alike

_SAY_NOTHING = {"none", "unknown", "same_bank", "far"}
_AGREE = {"equal", "same"}


def link_keys(notes: pl.DataFrame, names: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """Which enterprises may have a near match between them? Those with a `key` in common (enterprise_id, key).

    Exact matches of name and organisation number are `links.keys`: notes are compared across these, too.
    Keys depend on the enterprise's own rows alone, so frames may be restricted to some enterprises.
    Within one enterprise no key is needed.
    """
    found = [near_enterprises.link_keys(notes, names), near_invoices.link_keys(notes, invoices)]
    return pl.concat(found)


def possibly_alike(names: pl.DataFrame, enterprise_ids: Iterable[int]) -> list[int]:
    """Enterprises whose names may be near to one of these enterprises' names: a few of many.

    All that `link_keys` would pair with them are among these. Cores that are near have the same numbers and the like, and differ in two characters at most
    (`near_enterprises.core_relation`): so the beginning of one, its end, what is between them, or its
    first and its last character are in the other.
    """
    cores = near_names.parted(names["name"].to_list()).select("name", "core").unique()
    core = pl.col("core")
    told_by = core.str.extract_all(near_enterprises.COUNTED).list.join("")
    cored = names.join(cores, on="name").select("enterprise_id", "core", told_by=told_by).unique()
    asked = cored.filter(pl.col("enterprise_id").is_in(sorted(enterprise_ids)))
    own = asked["core"].unique().to_list()
    if not own:
        return []
    if len(own) > ASKED_ONE_BY_ONE:
        return sorted(names["enterprise_id"].unique().to_list())
    pieces = {piece for one in own for piece in (one[:2], one[-2:], one[2:-2]) if piece}
    ends = sorted({(one[0], one[-1]) for one in own})
    both_ends = [
        core.str.contains(first, literal=True) & core.str.contains(last, literal=True)
        for first, last in ends
    ]
    alike = pl.any_horizontal(core.str.contains_any(sorted(pieces)), *both_ends)
    found = cored.join(asked, on="told_by", how="semi").filter(alike)
    return sorted(found["enterprise_id"].unique().to_list())


def proposals(known: Known) -> Iterator[Match]:
    """N2, N3 and N5: near matches of notes, enterprises and invoices.

    Whether two enterprises match depends on these two alone: a book restricted to some enterprises gives
    the same proposals among them. One thing more is needed of three and more enterprises of one name or
    organisation number: their notes are compared along `known.same_enterprises`, neighbour by neighbour,
    so all of them must be there (they have a key of `link_keys` in common).
    """
    enterprises = near_enterprises.near_enterprises(known.notes, known.names, known.invoices)
    one = [known.same_enterprises.select("first", "second"), enterprises.select("first", "second")]
    yield from _notes(known, near_notes.near_notes(known.notes, pl.concat(one)))
    yield from _enterprises(known, enterprises)
    yield from _invoices(known, near_invoices.near_invoices(known.notes, known.invoices))


def _notes(known: Known, pairs: pl.DataFrame) -> Iterator[Match]:
    for row in pairs.iter_rows(named=True):
        first, second = row["first"], row["second"]
        duties = known.shared_duties([first], [second])
        terms = known.yielding_scheme([second], duties)
        if terms is None:
            continue
        yield Match(
            rule="N2",
            key=tuple(known.keys([first, second])),
            severity=PROPOSAL,
            article=article(terms, "exclusive_group"),
            notes=(first, second),
            yields=(second,),
            scheme_code=terms.code,
            evidence=_evidence(known, row, NOTE, ((second,), (first,))),
            said={
                note: {
                    "signed_on": str(known.note(note)["signed_on"]),
                    "contract_fen": known.note(note)["contract_fen"],
                }
                for note in (first, second)
            },
        )


def _enterprises(known: Known, pairs: pl.DataFrame) -> Iterator[Match]:
    """One matter per pair of codes, as P3: all notes of both."""
    concerned = [*pairs["first"], *pairs["second"]]
    notes_of = known.notes_by("enterprise_id", concerned)
    names_of: dict[int, list[str]] = defaultdict(list)
    for enterprise, name in known.names.select("enterprise_id", "name").unique().iter_rows():
        names_of[enterprise].append(name)
    for row in pairs.iter_rows(named=True):
        one = known.in_order(notes_of[row["first"]])
        other = known.in_order(notes_of[row["second"]])
        duties = known.shared_duties(one, other)
        terms = known.yielding_scheme(other, duties)
        if terms is None:
            continue
        yield Match(
            rule="N3",
            key=tuple(sorted(known.note(notes[0])["uscc"] for notes in (one, other))),
            severity=PROPOSAL,
            article=duplicates.listed(terms, duplicates.MISUSE),
            notes=known.in_order((*one, *other)),
            yields=other,
            scheme_code=terms.code,
            evidence=_evidence(known, row, ENTERPRISE, (other, one)),
            said={
                note: {"names": sorted(names_of[known.note(note)["enterprise_id"]])}
                for note in (*one, *other)
            },
        )


def _invoices(known: Known, pairs: pl.DataFrame) -> Iterator[Match]:
    listed = _listed(known, [*pairs["first"], *pairs["second"]])
    for row in pairs.iter_rows(named=True):
        first, second = row["first"], row["second"]
        terms = known.yielding_scheme([second])
        if terms is None:
            continue
        yield Match(
            rule="N5",
            key=tuple(known.keys([first, second])),
            severity=PROPOSAL,
            article=duplicates.listed(terms, duplicates.MISUSE),
            notes=(first, second),
            yields=(second,),
            scheme_code=terms.code,
            evidence=_evidence(known, row, INVOICE, ((second,), (first,))) | {"by": row["by"]},
            said={
                note: {"invoices": listed[note], "near": row[f"{side}_number"]}
                for side, note in (("first", first), ("second", second))
            },
        )


def _listed(known: Known, notes: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Invoices of some notes, as P5 tells them."""
    found: dict[int, list[dict[str, Any]]] = {note: [] for note in notes}
    rows = known.invoices.filter(pl.col("note_id").is_in(list(found)))
    for row in rows.sort("note_id", "invoice_number", "serial_number").iter_rows(named=True):
        found[row.pop("note_id")].append(row | {"issued_on": str(row["issued_on"])})
    return found


def _evidence(
    known: Known,
    row: Mapping[str, Any],
    fields: Iterable[str],
    sides: tuple[Sequence[int], Sequence[int]],
) -> dict[str, Any]:
    """The score and how the fields stand, by name; whom to ask. `sides`: notes that yield, and others."""
    told = {field: row[field] for field in fields if row[field] not in _SAY_NOTHING}
    return {
        "matched_by": "near",
        "score_permille": row["score_permille"],
        "agree": [field for field, how in told.items() if how in _AGREE],
        "near": [f"{field}:{how}" for field, how in told.items() if how not in {*_AGREE, "differ"}],
        "differ": [field for field, how in told.items() if how == "differ"],
        "ask": known.asks(*sides),
    }
