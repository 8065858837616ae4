"""Why a note is subsidised as it is, for somebody who sees their own institution's notes only.

Days, products and what is earned depend on the note alone: they are the engine's trace over its own
facts. Ceilings and caps are served from what is posted; a cap that other notes share comes as a total
that counts every bank's notes (`selectors.counted`). What was granted is what is posted: nothing is
worked out from a part of the facts and shown as if it were the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from loans.selectors import facts
from loans.selectors.notes import NoteCard
from settlement.engine import TIERS, deduct
from settlement.engine.codes import ELIGIBLE, cut_reasons
from settlement.engine.terms_model import AmountCap, Terms
from settlement.models import SchemeVersion
from settlement.selectors import deductions, enrolments, working
from settlement.selectors.counted import used_before
from settlement.services.explained import (
    CapStep,
    DeductionWorking,
    LabelWorking,
    SchemeText,
    TakenBack,
    cite,
)
from settlement.services.explained_deductions import DUPLICATE_RULES, explain_collection
from settlement.services.explained_work import Key, Row, Working, granted, raws, taken_back
from settlement.services.explanations import (
    Known,
    is_posted_current,
    labels_of,
    scheme_text,
    versions_of,
)
from settlement.services.schemes import Book, terms_in_force
from settlement.services.targets import Evidence, gather

State = dict[str, int]


@dataclass(frozen=True)
class OwnWorking:
    """One collection under one scheme as posted.

    `agrees`: the note's own facts still give the days, product and amounts before caps that were
    posted. `is_current`: nothing was told of the borrower since its deductions were brought up to date.
    """

    working: DeductionWorking
    agrees: bool
    is_current: bool


def explain_posted(*, note: NoteCard, collection_id: int, scheme_code: str) -> OwnWorking:
    """Explain what is posted of one collection under one scheme.

    Raises LookupError if the note has no such collection, or the scheme is not in force.
    """
    book = terms_in_force()
    if scheme_code not in book.version_ids:
        raise LookupError(scheme_code)
    evidence = _own(gather(enterprise_ids=[note.enterprise_id]), note.note_id)
    work = _work(note, evidence, book)
    one = next((c for c in work.collections if c.collection_id == collection_id), None)
    if one is None:
        raise LookupError(collection_id)
    key = (collection_id, scheme_code)
    posted = _posted(evidence, book)
    found = explain_collection(work, one, _text(scheme_code, book), _eligible(note, scheme_code))
    row, state = work.rows.get(key), posted.get(key)
    told = found if state is None else _as_posted(found, work, key, posted, book)
    return OwnWorking(
        working=replace(told, pro_rata=None, difference=None),
        agrees=_agrees(row, state),
        is_current=is_posted_current(note, book),
    )


def explain_judgement(*, note: NoteCard, scope: tuple[int, int]) -> list[LabelWorking]:
    """Why each label of the note is judged as it is: the stored reasons with demand and fact.

    Other notes are known as far as the reader's rows go; a reason that stands on notes out of sight
    names none.
    """
    book = terms_in_force()
    own = [note.enterprise_id]
    known = Known(
        scopes=facts.note_scopes(enterprise_ids=own),
        notes=facts.notes(enterprise_ids=own),
        stops=facts.stops(enterprise_ids=own),
        funds=facts.funds(),
    )
    stored = enrolments.stored(note_ids=known.scopes["note_id"].to_list())
    return labels_of(note, scope, known, stored, versions_of(stored, book), book)


def _own(evidence: Evidence, note_id: int) -> Evidence:
    """What is known of this note alone; shared funds are left out, their sharing is not its own."""
    mine = pl.col("note_id") == note_id
    known = evidence.facts
    return Evidence(
        facts=replace(
            known,
            notes=known.notes.filter(mine),
            enrolments=known.enrolments.filter(mine),
            repayments=known.repayments.filter(mine),
            stops=known.stops.filter(mine),
            collections=known.collections.filter(mine),
            external=known.external.filter(mine),
            opening=known.opening.filter(mine),
            leasing=known.leasing.clear(),
            funds=known.funds.clear(),
        ),
        scopes=evidence.scopes.filter(mine),
        posted=evidence.posted.filter(mine),
    )


def _work(note: NoteCard, evidence: Evidence, book: Book) -> Working:
    lines: dict[Key, list[working.PostingLine]] = {}
    for line in working.postings(note_id=note.note_id):
        lines.setdefault((line.collection_id, line.scheme_code), []).append(line)
    return Working(
        note=note,
        evidence=evidence,
        result=deduct(terms=book.terms, facts=evidence.facts, trace=True),
        terms={terms.code: terms for terms in book.terms},
        differences={},
        postings=lines,
    )


def _text(code: str, book: Book) -> SchemeText:
    version = SchemeVersion.objects.select_related("scheme").get(pk=book.version_ids[code])
    return scheme_text(version, book)


def _eligible(note: NoteCard, code: str) -> Row | None:
    stored = enrolments.stored(note_ids=[note.note_id])
    own = stored.filter((pl.col("scheme_code") == code) & (pl.col("status") == ELIGIBLE))
    return own.row(0, named=True) if own.height else None


def _posted(evidence: Evidence, book: Book) -> dict[Key, State]:
    codes = {scheme_id: code for code, scheme_id in book.scheme_ids.items()}
    return {
        (row["collection_id"], codes[row["scheme_id"]]): row
        for row in evidence.posted.iter_rows(named=True)
        if row["scheme_id"] in codes
    }


def _agrees(row: Row | None, state: State | None) -> bool:
    if row is None or state is None:
        return row is None and state is None
    names = ("days", "product", *deductions.RAW)
    return all(row[name] == state[name] for name in names)


def _as_posted(
    found: DeductionWorking, work: Working, key: Key, posted: dict[Key, State], book: Book
) -> DeductionWorking:
    """The working with what was granted, and the caps as the posting met them."""
    state = posted[key]
    row = work.rows.get(key)
    is_exact = all(
        granted(work.rows[other]) == _money(amounts)
        for other, amounts in posted.items()
        if other in work.rows
    )
    duplicate = found.duplicate if is_exact else None
    lowers = row is not None and min(raws(row)) < 0
    before = found.raw_fen if duplicate is None else duplicate.after_fen
    caps = _caps(work, key, posted, book, before) if row is not None and not lowers else ()
    return replace(
        found,
        tiers=tuple(replace(t, granted_fen=state[f"{t.tier}_fen"]) for t in found.tiers),
        granted_fen=sum(_money(state)),
        cut_reasons=tuple(cut_reasons(state["cut_reasons"])),
        duplicate=duplicate,
        caps=tuple(caps),
        taken_back=tuple(_taken_back(work, key, posted)) if lowers else (),
    )


def _money(state: State) -> tuple[int, int, int]:
    return state["central_fen"], state["provincial_fen"], state["municipal_fen"]


def _caps(
    work: Working, key: Key, posted: dict[Key, State], book: Book, left: int
) -> Iterator[CapStep]:
    """The ceilings and caps in their order; each starts from what the one before left."""
    terms = work.terms[key[1]]
    caps = {cap.reason: cap for cap in terms.amount_caps}
    for step in work.steps[key]:
        if step["step"] in DUPLICATE_RULES:
            continue
        cap = caps.get(step["step"])
        parts = (
            _ceiling_parts(work, key, posted) if cap is None else _cap_parts(key, terms, cap, book)
        )
        used = sum(amount for _name, amount in parts)
        after = min(left, max(step["limit_fen"] - used, 0))
        keys = [step["key"], "D10"] if cap is None else [step["key"]]
        yield CapStep(
            reason=step["step"],
            limit_fen=step["limit_fen"],
            used_fen=used,
            before_fen=left,
            after_fen=after,
            used_parts=parts,
            sources=cite(terms, *keys),
        )
        left = after


def _ceiling_parts(
    work: Working, key: Key, posted: dict[Key, State]
) -> tuple[tuple[str, int], ...]:
    """What the note received in the year before this row, here and elsewhere (D10)."""
    own = work.rows[key]
    earlier = 0
    for other, row in work.rows.items():
        if other == key:
            break
        if other in posted and row["collected_on"].year == own["collected_on"].year:
            earlier += sum(_money(posted[other]))
    return ("granted", earlier), ("outside", own["outside_fen"])


def _cap_parts(key: Key, terms: Terms, cap: AmountCap, book: Book) -> tuple[tuple[str, int], ...]:
    used = used_before(
        collection_id=key[0],
        scheme_id=book.scheme_ids[terms.code],
        per=cap.per,
        yearly=cap.span == "year",
    )
    parts = (("granted", used.granted_fen), ("opening", used.opening_fen))
    return (*parts, ("leasing", used.leasing_fen)) if cap.joint else parts


def _taken_back(work: Working, key: Key, posted: dict[Key, State]) -> Iterator[TakenBack]:
    """What a lowering row takes back of what its period was granted before it, as posted (D7)."""
    own = work.rows[key]
    place = ("scheme_code", "period_start", "period_end")
    so_far = dict.fromkeys(TIERS, 0)
    for other, row in work.rows.items():
        if other == key:
            break
        if other in posted and all(row[name] == own[name] for name in place):
            for tier in TIERS:
                so_far[tier] += posted[other][f"{tier}_fen"]
    for tier in TIERS:
        if tier in work.terms[key[1]].tiers:
            yield taken_back(own, tier, so_far[tier])
