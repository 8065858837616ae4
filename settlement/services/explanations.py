"""Why a note is subsidised as it is: judgement and deductions as steps a person can redo.

Nothing is computed anew and nothing is written: judgements are the stored ones, deductions the trace
of the engine over the facts of the note's own group of enterprises, beside what is posted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from django.db import transaction

from loans.selectors import facts
from loans.selectors.notes import NoteCard, notes_numbered, planned_collections
from settlement.engine import Terms
from settlement.engine.codes import ELIGIBLE
from settlement.engine.terms import parse
from settlement.models import Assessment, EnterprisePosting, SchemeVersion
from settlement.selectors import enrolments, working
from settlement.selectors.stops import changed_since, stops
from settlement.services import groups
from settlement.services.assessments import ENGINE_VERSION
from settlement.services.deductions import terms_key
from settlement.services.explained import (
    Collection,
    DeductionWorking,
    Explanation,
    GuaranteeWorking,
    LabelWorking,
    SchemeText,
    Tiers,
    cite,
)
from settlement.services.explained_deductions import explain_collection
from settlement.services.explained_labels import UNJUDGED, Judged, d4_key, explain_label
from settlement.services.explained_work import Key, Working
from settlement.services.schemes import Book, terms_in_force
from settlement.services.targets import Evidence, differences, gather, targets

Range = tuple[int, int]


def find_notes(*, note_number: str, scope: Range, asked: Range | None) -> list[NoteCard]:
    """Which notes of this number may the reader see, and are (or were, in files) asked for?

    A note belongs to the institution that holds it today; files keep the one that drew it, so
    `asked` may name either, or any institution above.
    """
    seen = [n for n in notes_numbered(note_number=note_number) if _within(n.holder_id, scope)]
    if asked is None:
        return seen
    own = [n for n in seen if n.origin_id == asked[0]]
    if len(own) == 1:
        return own
    return [n for n in seen if _within(n.holder_id, asked) or _within(n.origin_id, asked)]


def _within(institution_id: int, scope: Range) -> bool:
    return scope[0] <= institution_id <= scope[1]


@transaction.atomic
def explain(*, note: NoteCard, scope: Range, collection: str | None = None) -> Explanation:
    """Explain every label of a note and every collection × scheme, or one collection's only.

    Other notes are named only if they are in `scope`. Raises LookupError if no interest with this
    reference was collected on the note.
    """
    book = terms_in_force()
    group = groups.closure(enterprise_ids=[note.enterprise_id], book=book)
    evidence = gather(enterprise_ids=group)
    stored = enrolments.stored(note_ids=evidence.scopes["note_id"].to_list())
    versions = versions_of(stored, book)
    horizon = _horizon(group, book, evidence)
    work = _work(note, evidence, book, horizon)
    deductions, later = _deductions(work, stored, versions, book, collection, horizon)
    return Explanation(
        note=note,
        labels=tuple(labels_of(note, scope, _known(evidence), stored, versions, book)),
        guarantees=tuple(_guarantees(note, book)),
        deductions=deductions,
        later=later,
        planned=tuple(planned_collections(note_id=note.note_id)),
        is_judged_current=is_judged_current(book),
        is_posted_current=is_posted_current(note, book),
    )


def versions_of(stored: pl.DataFrame, book: Book) -> dict[int, SchemeVersion]:
    """The scheme versions that judgements name, and those in force."""
    wanted = {*stored["version_id"].to_list(), *book.version_ids.values()}
    found = SchemeVersion.objects.filter(pk__in=wanted).select_related("scheme").order_by("pk")
    return {version.pk: version for version in found}


def _terms(version: SchemeVersion, book: Book) -> Terms:
    code = version.scheme.code
    if book.version_ids.get(code) == version.pk:
        return next(terms for terms in book.terms if terms.code == code)
    return parse(version.text, name=code)


def scheme_text(version: SchemeVersion, book: Book) -> SchemeText:
    """What a version is called and where it comes from."""
    terms = _terms(version, book)
    return SchemeText(
        code=terms.code,
        name_zh=terms.name_zh,
        name_en=terms.name_en,
        document=terms.document,
        version=version.version,
        sha256=version.sha256,
        is_in_force=book.version_ids.get(terms.code) == version.pk,
    )


def _horizon(group: list[int], book: Book, evidence: Evidence) -> date | None:
    """The day the group is run through, where a later collection would change earlier answers.

    That is so only under a fund shared in proportion; otherwise everything known is explained.
    """
    if all(terms.fund_method != "pro_rata" for terms in book.terms):
        return None
    through = EnterprisePosting.objects.filter(enterprise_id__in=group).values_list("through")
    days = [day for (day,) in through] + evidence.posted["collected_on"].to_list()
    return max(days, default=None)


def _work(note: NoteCard, evidence: Evidence, book: Book, horizon: date | None) -> Working:
    result = targets(book=book, evidence=evidence, through=horizon, trace=True)
    due = differences(rows=result.rows, evidence=evidence, book=book, through=horizon)
    codes = {scheme_id: code for code, scheme_id in book.scheme_ids.items()}
    wrong: dict[Key, Tiers] = {
        (row["collection_id"], codes[row["scheme_id"]]): (
            row["central_fen"],
            row["provincial_fen"],
            row["municipal_fen"],
        )
        for row in due.filter(pl.col("note_id") == note.note_id).iter_rows(named=True)
    }
    lines = defaultdict(list)
    for line in working.postings(note_id=note.note_id):
        lines[line.collection_id, line.scheme_code].append(line)
    return Working(
        note=note,
        evidence=evidence,
        result=result,
        terms={terms.code: terms for terms in book.terms},
        differences=wrong,
        postings=lines,
        blocks=_blocks(note, codes),
    )


def _blocks(note: NoteCard, codes: dict[int, str]) -> dict[str, tuple[str, ...]]:
    """Which findings block the note, by scheme."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for _, scheme_id, finding, rule in stops(note_ids=[note.note_id]).iter_rows():
        found[codes.get(scheme_id, "")] += (f"#{finding} {rule}",)
    return found


def _deductions(
    work: Working,
    stored: pl.DataFrame,
    versions: dict[int, SchemeVersion],
    book: Book,
    reference: str | None,
    horizon: date | None,
) -> tuple[tuple[DeductionWorking, ...], tuple[Collection, ...]]:
    own = stored.filter(
        (pl.col("note_id") == work.note.note_id) & (pl.col("status") == ELIGIBLE)
    ).sort("position")
    eligible = {row["scheme_code"]: row for row in own.iter_rows(named=True)}
    texts = {
        terms.code: scheme_text(versions[book.version_ids[terms.code]], book)
        for terms in book.terms
    }
    chosen = [c for c in work.collections if reference in (None, c.reference)]
    if reference is not None and not chosen:
        raise LookupError(reference)
    known = [c for c in chosen if horizon is None or c.collected_on <= horizon]
    made = tuple(
        explain_collection(work, one, texts[terms.code], eligible.get(terms.code))
        for one in known
        for terms in book.terms
        if terms.code in eligible or (one.collection_id, terms.code) in work.postings
    )
    return made, tuple(c for c in chosen if c not in known)


def _guarantees(note: NoteCard, book: Book) -> Iterator[GuaranteeWorking]:
    fees = {terms.code: (terms, terms.guarantee) for terms in book.terms}
    for line in working.guarantee_subsidies(note_id=note.note_id):
        terms, fee = fees[line.scheme_code]
        if fee is not None:
            keys = ("rate", "term", "largest_note", "once_per_enterprise")
            sources = cite(terms, *(f"guarantee.{key}" for key in keys), "D17")
            yield GuaranteeWorking(line, fee.rate_e8, sources)


@dataclass(frozen=True)
class Known:
    """The facts of an enterprise's notes, and of those sharing caps with them, that judgements cite."""

    scopes: pl.DataFrame
    notes: pl.DataFrame
    stops: pl.DataFrame
    funds: pl.DataFrame


def _known(evidence: Evidence) -> Known:
    known = evidence.facts
    return Known(evidence.scopes, known.notes, known.stops, known.funds)


def labels_of(
    note: NoteCard,
    scope: Range,
    known: Known,
    stored: pl.DataFrame,
    versions: dict[int, SchemeVersion],
    book: Book,
) -> list[LabelWorking]:
    """The note's labels as judged; what is said of other notes is what is `known` of them."""
    scopes = known.scopes.select("note_id", "institution_id")
    notes = known.notes.join(scopes, on="note_id")
    attributes = notes.filter(pl.col("note_id") == note.note_id).row(0, named=True)
    chosen = (pl.col("status") == ELIGIBLE) | (pl.col("reasons") == "fund_exhausted")
    others = stored.filter(chosen).join(notes, on="note_id").sort("position")
    overdue = known.stops.filter(pl.col("status") == "overdue").join(
        notes.filter(pl.col("enterprise_id") == note.enterprise_id), on="note_id"
    )
    shared: dict[str, Any] = {
        "note": note,
        "attributes": attributes,
        "others": sorted(others.iter_rows(named=True), key=d4_key),
        "overdue": overdue.sort("starts_on").to_dicts(),
        "groups": {terms.code: terms.exclusive_group for terms in book.terms},
        "funds": {(code, year): fund for code, year, fund in known.funds.iter_rows()},
        "scope": scope,
    }
    rows = stored.filter(pl.col("note_id") == note.note_id).sort("position")
    judged = [
        explain_label(
            Judged(row=row, terms=_terms(versions[row["version_id"]], book), **shared),
            scheme_text(versions[row["version_id"]], book),
        )
        for row in rows.iter_rows(named=True)
    ]
    return judged + _unjudged(note, {one.scheme.code for one in judged}, versions, book)


def _unjudged(
    note: NoteCard, judged: set[str], versions: dict[int, SchemeVersion], book: Book
) -> list[LabelWorking]:
    """Labels that wait for `assess`, or for their scheme to be loaded and checked."""
    return [
        LabelWorking(
            scheme=scheme_text(versions[book.version_ids[code]], book)
            if code in book.version_ids
            else SchemeText(code, "", "", "", 0, "", is_in_force=False),
            position=position,
            status=UNJUDGED,
            refusals=(),
            eligible=None,
            commitment=None,
            subsidised_from=None,
            subsidised_until=None,
            term_months=0,
            window_sources=(),
            tiers_off=(),
            lpr=None,
        )
        for position, code in enumerate(note.scheme_codes)
        if code not in judged
    ]


def is_judged_current(book: Book) -> bool:
    """Is every judgement of the facts known now?"""
    last = Assessment.objects.order_by("-pk").first()
    state = (facts.facts_position(), book.key, ENGINE_VERSION)
    return last is not None and (last.facts_position, last.terms_key, last.engine) == state


def is_posted_current(note: NoteCard, book: Book) -> bool:
    """Is what is posted for the note's borrower of the facts known now?"""
    posting = (
        EnterprisePosting.objects.filter(enterprise_id=note.enterprise_id)
        .select_related("enterprise")
        .first()
    )
    return (
        posting is not None
        and posting.facts_version == posting.enterprise.facts_version
        and posting.terms_key == terms_key(book)
        and note.enterprise_id not in changed_since()
    )
