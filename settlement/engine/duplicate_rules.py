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
    about_to = _about_to_be_paid_twice(known)
    for first, second, number, by in known.same_numbers.iter_rows():
        one, other = known.note(first), known.note(second)
        covered.add((one["contract_id"], other["contract_id"]))
        same = one["note_number"] == other["note_number"]
        yield from _twice(
            known,
            "P1" if same else "P2",
            ((first,), (second,)),
            number,
            f"note_number;{by}",
            needs_money=same and (first, second) not in about_to,
        )
    contracts = known.same_contracts
    notes_of = known.notes_by("contract_id", pairs_of(contracts))
    for first, second, number, by in contracts.iter_rows():
        if not covered & {(first, second), (second, first)}:
            yield from _twice(
                known, "P2", (notes_of[first], notes_of[second]), number, f"contract_number;{by}"
            )


def _about_to_be_paid_twice(known: Known) -> set[tuple[int, int]]:
    """Pairs of one number with common days to subsidise under one duty, of which one has no money yet.

    A note's days end with the label, the note, or its repayment in full. Once both were paid, the periods tell whether days were paid for twice.
    """
    pairs = known.same_numbers.select("first", "second")
    concerned = pl.col("note_id").is_in(pairs_of(pairs))
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
    windows = (
        known.enrolments.filter(concerned)
        .with_columns(duty=_duty(known))
        .group_by("note_id", "duty")
        .agg(pl.col("subsidised_from").min(), pl.col("subsidised_until").max())
        .join(lives, on="note_id")
        .with_columns(subsidised_until=pl.min_horizontal("subsidised_until", "ends_on"))
        .drop("ends_on")
    )
    paid = set(known.paid.filter(concerned)["note_id"].to_list())
    common = (
        pairs.join(windows.rename({"note_id": "first"}), on="first")
        .join(windows.rename({"note_id": "second"}), on=["second", "duty"], suffix="_of_second")
        .filter(
            (pl.col("subsidised_from") < pl.col("subsidised_until_of_second"))
            & (pl.col("subsidised_from_of_second") < pl.col("subsidised_until"))
        )
    )
    found = common.select("first", "second").iter_rows()
    return {(first, second) for first, second in found if not {first, second} <= paid}


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
    needs_money: bool = False,
) -> Iterator[Match]:
    """One loan entered twice: the later entry gives way, for the days and duties both were paid for."""
    one, other = map(known.in_order, entries)
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
        needs_money=needs_money,
        blocks=tuple(sorted(code for code, duty in known.duties.items() if duty in duties)),
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
