"""P1–P5: the same note, number, enterprise, project or invoice subsidised twice (domain §7)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence

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
    """P1 between banks (numbers equal as they stand) and P2 (equal once normalised).

    Of a contract entered twice each institution that holds notes of the later entry has its own matter.
    """
    covered = set()
    pairs = known.same_numbers
    contracts = known.same_contracts
    notes_of = known.notes_by("contract_id", pairs_of(contracts))
    windows = _windows(
        known, [*pairs_of(pairs), *(n for notes in notes_of.values() for n in notes)]
    )
    for first, second, number, by in pairs.iter_rows():
        one, other = known.note(first), known.note(second)
        covered.add((one["contract_id"], other["contract_id"]))
        rule = "P1" if one["note_number"] == other["note_number"] else "P2"
        yield from _twice(
            known, rule, ((first,), (second,)), number, f"note_number;{by}", windows=windows
        )
    for first, second, number, by in contracts.iter_rows():
        if not covered & {(first, second), (second, first)}:
            for held in _by_institution(known, notes_of[second]):
                entries = (notes_of[first], held)
                yield from _twice(
                    known, "P2", entries, number, f"contract_number;{by}", windows=windows
                )


def _by_institution(known: Known, notes: Iterable[int]) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for note in notes:
        found.setdefault(known.note(note)["institution_id"], []).append(note)
    return [found[place] for place in sorted(found)]


Windows = dict[int, dict[str, tuple[datetime.date, datetime.date]]]


def _windows(known: Known, notes: Sequence[int]) -> Windows:
    """From when until when these notes are to be subsidised, by duty; until the label, note or balance ends."""
    concerned = pl.col("note_id").is_in(notes)
    repaid = (
        known.repayments.filter(concerned)
        .group_by("note_id")
        .agg(repaid_fen=pl.col("amount_fen").sum(), repaid_on=pl.col("repaid_on").max())
    )
    lives = (
        known.notes.filter(concerned)
        .join(repaid, on="note_id", how="left")
        .select(
            "note_id",
            ends_on=pl.when(pl.col("repaid_fen") >= pl.col("principal_fen"))
            .then(pl.min_horizontal("matures_on", "repaid_on"))
            .otherwise("matures_on"),
        )
    )
    labelled = (
        known.enrolments.filter(concerned)
        .with_columns(duty=_duty(known))
        .group_by("note_id", "duty")
        .agg(pl.col("subsidised_from").min(), pl.col("subsidised_until").max())
        .join(lives, on="note_id")
        .select(
            "note_id", "duty", "subsidised_from", pl.min_horizontal("subsidised_until", "ends_on")
        )
    )
    found: Windows = {}
    for note, duty, starts_on, ends_on in labelled.iter_rows():
        found.setdefault(note, {})[duty] = (starts_on, ends_on)
    return found


def _meet(windows: Windows, first: Iterable[int], second: Sequence[int]) -> bool:
    """Whether a note of each is to be subsidised under one duty on a common day."""
    return any(
        max(one[duty][0], other[duty][0]) < min(one[duty][1], other[duty][1])
        for one in (windows.get(note, {}) for note in first)
        for other in (windows.get(note, {}) for note in second)
        for duty in one.keys() & other.keys()
    )


def pairs_of(pairs: pl.DataFrame) -> list[int]:
    """Everything that stands in a frame of pairs."""
    return [*pairs["first"], *pairs["second"]]


def _twice(
    known: Known,
    rule: str,
    entries: tuple[Iterable[int], Iterable[int]],
    number: str,
    by: str,
    *,
    windows: Windows,
) -> Iterator[Match]:
    """One loan entered twice: the later entry gives way, for the days and duties both were paid for.

    P1 without a common day to subsidise needs days that were paid for twice; P2 then blocks nothing.
    """
    one, other = map(known.in_order, entries)
    duties = known.shared_duties(one, other)
    terms = known.yielding_scheme(other, duties)
    if terms is None:
        return
    meet = _meet(windows, one, other)
    blocks = sorted(code for code, duty in known.duties.items() if duty in duties)
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
        needs_money=rule == "P1" and not meet,
        blocks=tuple(blocks) if meet or rule == "P1" else (),
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

    Also where what would be paid is stopped by another finding (`Match.blocks`). A violation if an invoice or machine is shared; no finding if both sides name their equipment and
    share none.
    """
    located = known.notes.filter(pl.col("project_code") != "").select(
        "note_id", "project_code", "bank_id"
    )
    paid = pl.concat([known.paid.select("note_id", "scheme_code"), _stopped(known)]).unique()
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


def _stopped(known: Known) -> pl.DataFrame:
    """Labels that another finding stops, whatever was decided of it: note_id, scheme_code."""
    found = [
        (note, scheme)
        for match in (*same_numbers(known), *shared_invoices(known))
        if not match.needs_money  # paid already, if at all
        for note in match.yields
        for scheme in known.schemes_of(note)
        if scheme in match.blocks
    ]
    kinds = {"note_id": pl.Int64, "scheme_code": pl.String}
    return pl.DataFrame(found, schema=kinds, orient="row")


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
        is_certain = agree and not inside
        yield Match(
            rule="P5",
            key=tuple(known.keys([first, second])),
            severity=VIOLATION if is_certain else WARNING,
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
            blocks=tuple(sorted(known.schemes_of(second))) if is_certain else (),
        )
