"""P1–P5: the same note, number, enterprise, project or invoice subsidised twice (domain §7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from settlement.engine import duplicates, overlap
from settlement.engine.duplicate_facts import Known
from settlement.engine.duplicates import VIOLATION, WARNING, Match, article


def repeated_periods(known: Known) -> Iterator[Match]:
    """P1: one note paid twice for the same days, by two batches or under two schemes of one group."""
    for note in sorted(set(known.overlapping) | set(_doubly_paid(known))):
        terms = None if known.place(note) is None else known.yielding_scheme([note])
        if terms is None:
            continue
        yield Match(
            rule="P1",
            key=(known.name(note),),
            severity=VIOLATION,
            article=article(terms, "exclusive_group"),
            notes=(note,),
            yields=(note,),
            scheme_code=terms.code,
            evidence={"matched_by": "periods"},
            costs=duplicates.repeated(note, known.duties),
            needs_money=True,
        )


def _doubly_paid(known: Known) -> list[int]:
    """Notes paid under two schemes of one group."""
    by_duty = known.paid.with_columns(duty=_duty(known))
    counted = by_duty.group_by("note_id", "duty").agg(schemes=pl.col("scheme_code").n_unique())
    return counted.filter(pl.col("schemes") > 1)["note_id"].unique().to_list()


def _duty(known: Known) -> pl.Expr:
    """What each row's scheme excludes; a scheme that is not in force excludes itself."""
    own = pl.col("scheme_code")
    return own.replace_strict(known.duties, default=own, return_dtype=pl.String)


def same_numbers(known: Known) -> Iterator[Match]:
    """P1 between banks (numbers equal as they stand) and P2 (equal once normalised)."""
    covered = set()
    for first, second, number, by in overlap.same_numbers(known.notes).iter_rows():
        one, other = known.note(first), known.note(second)
        covered.add((one["contract_id"], other["contract_id"]))
        same = one["note_number"] == other["note_number"]
        yield from _twice(
            known, "P1" if same else "P2", (first,), (second,), number, f"note_number;{by}"
        )
    contracts = overlap.same_contracts(known.notes)
    notes_of = known.notes_by("contract_id", pairs_of(contracts))
    for first, second, number, by in contracts.iter_rows():
        if not covered & {(first, second), (second, first)}:
            yield from _twice(
                known, "P2", notes_of[first], notes_of[second], number, f"contract_number;{by}"
            )


def pairs_of(pairs: pl.DataFrame) -> list[int]:
    """Everything that stands in a frame of pairs."""
    return [*pairs["first"], *pairs["second"]]


def _twice(
    known: Known, rule: str, first: Iterable[int], second: Iterable[int], number: str, by: str
) -> Iterator[Match]:
    """One loan entered twice: the later entry gives way, for the days and duties both were paid for."""
    one, other = known.in_order(first), known.in_order(second)
    duties = known.shared_duties(one, other)
    terms = known.yielding_scheme(other, duties)
    if terms is None:
        return
    yield Match(
        rule=rule,
        key=tuple(known.keys((*one, *other))),
        severity=VIOLATION,
        article=article(terms, "exclusive_group"),
        notes=known.in_order((*one, *other)),
        yields=other,
        scheme_code=terms.code,
        evidence={"matched_by": by, "number": number, "ask": known.asks(other, one)},
        costs=duplicates.overlapped(other, one, known.duties),
        needs_money=rule == "P1",
    )


def same_enterprises(known: Known) -> Iterator[Match]:
    """P3: one enterprise under two credit codes; caps and exclusions then count it twice."""
    notes_of = known.notes_by("enterprise_id", pairs_of(known.same_enterprises))
    for first, second, matched, by in known.same_enterprises.iter_rows():
        one, other = known.in_order(notes_of[first]), known.in_order(notes_of[second])
        duties = known.shared_duties(one, other)
        terms = known.yielding_scheme(other, duties)
        if terms is None:
            continue
        codes = sorted(known.note(notes[0])["uscc"] for notes in (one, other))
        yield Match(
            rule="P3",
            key=tuple(codes),
            severity=WARNING,
            article=duplicates.listed(terms, duplicates.MISUSE),
            notes=known.in_order((*one, *other)),
            yields=other,
            scheme_code=terms.code,
            evidence={
                "matched_by": by,
                "matched": matched,
                "ask": known.asks(other, one),
            },
            costs=duplicates.whole(
                other, schemes=[s for s, d in known.duties.items() if d in duties]
            ),
        )


def shared_projects(known: Known) -> Iterator[Match]:
    """P4: one project paid for at two banks under schemes that exclude each other.

    A violation if an invoice or machine is shared; no finding if both sides name their equipment and
    share none.
    """
    located = known.notes.filter(pl.col("project_code") != "").select(
        "note_id", "project_code", "bank_id"
    )
    paid = known.paid.select("note_id", "scheme_code").unique()
    placed = located.join(paid, on="note_id").with_columns(
        duty=_duty(known), code=overlap.normal("project_code")
    )
    groups = (
        placed.group_by("code", "duty")
        .agg(pl.col("note_id").unique(), banks=pl.col("bank_id").n_unique())
        .filter(pl.col("banks") > 1)
        .sort("code", "duty")
    )
    sharing: dict[int, set[int]] = {}
    for first, second in known.shared_invoices.select("first", "second").iter_rows():
        sharing.setdefault(first, set()).add(second)
    placed_notes = pl.col("note_id").is_in(placed["note_id"].unique().to_list())
    named = set(known.invoices.filter(placed_notes)["note_id"].to_list())
    for code, duty_of, notes, _ in groups.iter_rows():
        ordered = known.in_order(notes)
        inside = set(ordered)
        shared = any(not inside.isdisjoint(sharing.get(note, ())) for note in ordered)
        if shared or not named.issuperset(ordered):
            yield from _project(known, code, duty_of, ordered, shared=shared)


def _project(
    known: Known, code: str, duty: str, notes: tuple[int, ...], *, shared: bool
) -> Iterator[Match]:
    """The match, unless what was paid is under labels that are refused by now: a run takes that back."""
    bank = known.note(notes[0])["bank_id"]
    others = tuple(note for note in notes if known.note(note)["bank_id"] != bank)
    terms = known.yielding_scheme(others, {duty})
    if terms is None:
        return
    yield Match(
        rule="P4",
        key=(code, duty),
        severity=VIOLATION if shared else WARNING,
        article=article(terms, "exclusive_group"),
        notes=notes,
        yields=others,
        scheme_code=terms.code,
        evidence={"matched_by": "project_code", "project_code": code, "equipment_shared": shared,
                  "ask": known.asks(others, notes)},
        costs=duplicates.whole(others, schemes=[s for s, d in known.duties.items() if d == duty]),
    )  # fmt: skip


def shared_invoices(known: Known) -> Iterator[Match]:
    """P5: one invoice or machine on two notes.

    Under one contract an invoice may be paid for in parts: then only equal amounts speak for a
    duplicate, and only as a warning.
    """
    found = known.shared_invoices
    for first, second, matched, by, agree in found.iter_rows():
        one, other = known.note(first), known.note(second)
        inside = one["contract_id"] == other["contract_id"]
        terms = known.yielding_scheme([second])
        if terms is None or (inside and not agree):
            continue
        yield Match(
            rule="P5",
            key=tuple(known.keys([first, second])),
            severity=WARNING if inside or not agree else VIOLATION,
            article=duplicates.listed(terms, duplicates.MISUSE),
            notes=(first, second),
            yields=(second,),
            scheme_code=terms.code,
            evidence={
                "matched_by": by,
                "numbers": matched.split(";"),
                "ask": known.asks([second], [first]),
            },
            costs=duplicates.whole([second]),
        )
