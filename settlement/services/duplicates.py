"""The duplicate check: find every match of P1–P12 and keep the findings equal to them.

Looking twice finds the same; a matter keeps its finding, and what people said of it, for as long as
its facts stay. Findings whose facts are gone are marked so, never removed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.db import transaction

from config.kernel.services.bulk import execute, rows
from loans.selectors import facts
from settlement.engine import (
    duplicate_days,
    duplicate_money,
    duplicate_rules,
    duplicates,
    exchange,
)
from settlement.engine.codes import TIERS
from settlement.engine.duplicate_facts import Known
from settlement.engine.duplicates import Claim, Match, Paid
from settlement.models import Finding, FindingSide, Scheme
from settlement.selectors import duplicates as selectors
from settlement.selectors.exchange import received_conflicts
from settlement.services import told
from settlement.services.exchange import current_key, is_set, refresh_entries
from settlement.services.schemes import terms_in_force

CHECKING_LOCK = 0x6475
RULES = (
    duplicate_rules.repeated_periods,
    duplicate_rules.same_numbers,
    duplicate_rules.same_enterprises,
    duplicate_rules.shared_projects,
    duplicate_rules.shared_invoices,
    duplicate_money.above_interest,
    duplicate_days.stopped_days,
    duplicate_days.lost_titles,
    duplicate_money.refinanced,
    duplicate_money.split,
    duplicate_money.above_caps,
    duplicate_money.from_outside,
    duplicate_money.untouched,
    exchange.conflicts,
)
_NOTE_FACTS = (
    "institution_code", "note_number", "contract_number", "uscc", "project_code", "loan_type",
    "drawn_on", "principal_fen", "equipment_fen",
)  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """What one check did: findings there now by rule, and how many are new, changed, gone or back."""

    there: Mapping[str, int]
    opened: int
    changed: int
    reopened: int
    gone: int


@dataclass(frozen=True)
class _Side:
    institution_id: int
    note_id: int | None
    enterprise_id: int | None
    facts: dict[str, Any]
    claims: list[Claim]


@dataclass(frozen=True)
class _Found:
    match: Match
    claims: list[Claim]
    sides: list[_Side]
    digest: str


def known(*, as_of: date) -> Known:
    """Read everything the rules are about."""
    exchanged = _exchanged()  # first: it needs memory of its own
    return Known(
        terms=terms_in_force().terms,
        notes=selectors.notes(),
        enrolments=selectors.enrolments(),
        names=selectors.names(),
        invoices=selectors.invoices(),
        repayments=facts.repayments(enterprise_ids=None),
        stops=facts.stops(enterprise_ids=None),
        titles=facts.titles(),
        industries=selectors.industries_of_titled(),
        external=selectors.external(),
        opening=facts.opening(enterprise_ids=None),
        paid=selectors.paid_by_year(),
        interest=selectors.interest_by_year(),
        products=selectors.stopped_products(),
        guaranteed=selectors.guaranteed(),
        overlapping=tuple(selectors.notes_with_overlapping_periods()),
        untouched=selectors.untouched_receipts(as_of=as_of, days=duplicate_money.UNTOUCHED_DAYS),
        exchanged=exchanged,
    )


def _exchanged() -> pl.DataFrame:
    """What other banks of the circle tell of our notes as they are now; nothing without a circle."""
    if not is_set():
        return pl.DataFrame(schema=exchange.CONFLICTS)
    refresh_entries()
    return received_conflicts(key_id=current_key().id)


@transaction.atomic
def check_duplicates(*, at: datetime) -> Checked:
    """Bring the findings in line with the facts; checks go one after the other."""
    rows("SELECT pg_advisory_xact_lock(%s)", [CHECKING_LOCK])
    book = known(as_of=at.date())
    matches = [match for rule in RULES for match in rule(book)]
    return _record(found=list(_priced(book, matches)), at=at)


def _priced(book: Known, matches: Sequence[Match]) -> Iterator[_Found]:
    """The matches with the money at stake and their sides, each matter once."""
    paid: dict[int, list[Paid]] = defaultdict(list)
    wanted = sorted({note for match in matches for note in match.notes})
    for row in selectors.paid_rows(note_ids=wanted).iter_rows():
        paid[row[0]].append(Paid._make((*row[:6], row[6:])))
    seen: set[str] = set()
    for match in matches:
        claims = duplicates.folded(match.costs(paid))
        if match.identity in seen or (match.needs_money and not claims):
            continue
        seen.add(match.identity)
        sides = [_side(book, match, note, claims) for note in match.notes]
        sides += [_outside(book, match, record) for record in match.outside]
        stable = [match.severity, match.article, match.evidence, [side.facts for side in sides]]
        yield _Found(match, claims, sides, duplicates.digest(stable))


def _side(book: Known, match: Match, note_id: int, claims: Sequence[Claim]) -> _Side:
    row = book.note(note_id)
    said = {name: row[name] for name in _NOTE_FACTS} | {"drawn_on": str(row["drawn_on"])}
    said |= {"schemes": book.subsidised.get(note_id, []), "yields": note_id in match.yields}
    said |= match.said.get(note_id, {})
    if match.rule == "P5":
        listed = (
            book.invoices.filter(note_id=note_id)
            .drop("note_id")
            .sort("invoice_number", "serial_number")
        )
        said["invoices"] = [one | {"issued_on": str(one["issued_on"])} for one in listed.to_dicts()]
    if match.rule == "P3":
        said["names"] = sorted(
            book.names.filter(enterprise_id=row["enterprise_id"])["name"].to_list()
        )
    return _Side(
        institution_id=row["institution_id"],
        note_id=note_id,
        enterprise_id=row["enterprise_id"],
        facts=said,
        claims=[claim for claim in claims if claim.note_id == note_id],
    )


def _outside(book: Known, match: Match, record: Mapping[str, Any]) -> _Side:
    row = book.note(match.yields[0])
    return _Side(row["institution_id"], None, row["enterprise_id"], dict(record), [])


def _record(*, found: Sequence[_Found], at: datetime) -> Checked:
    stored = {one.identity: one for one in Finding.objects.select_for_update().order_by("pk")}
    places = _places(found)
    schemes = dict(Scheme.objects.values_list("code", "pk"))
    new, changed, again = [], [], set()
    for one in found:
        row = stored.pop(one.match.identity, None)
        if row is None:
            row = Finding(
                identity=one.match.identity, rule=one.match.rule, found_at=at, changed_at=at
            )
            _tell(row, one, places[one.match.identity], schemes)
            new.append((row, one))
        elif _differs(row, one):
            if _reopen(row, one):
                again.add(row.pk)
            if row.evidence_digest != one.digest:
                row.changed_at = at
            _tell(row, one, places[one.match.identity], schemes)
            changed.append((row, one))
    gone = [row for row in stored.values() if row.gone_at is None]
    Finding.objects.filter(pk__in=[row.pk for row in gone]).update(gone_at=at)
    _write(new, changed)
    opened = [*new, *(pair for pair in changed if pair[0].pk in again)]
    told.findings_opened(
        opened=(
            (row, one.match.scheme_code, row.pk in again, _own(row, one)) for row, one in opened
        ),
        at=at,
    )
    counts: dict[str, int] = defaultdict(int)
    for one in found:
        counts[one.match.rule] += 1
    return Checked(
        there={rule: counts[rule] for rule in Finding.Rule.values},
        opened=len(new),
        changed=len(changed),
        reopened=len(again),
        gone=len(gone),
    )


def _places(found: Sequence[_Found]) -> dict[str, tuple[int, int | None, int | None]]:
    """Whose each finding is: institution, note and enterprise of the first side that yields."""
    places: dict[str, tuple[int, int | None, int | None]] = {}
    for one in found:
        giving = [s for s in one.sides if s.note_id in one.match.yields]
        places[one.match.identity] = (
            (giving[0].institution_id, giving[0].note_id, giving[0].enterprise_id)
            if giving
            else (one.match.institution_id, None, None)
        )
    return places


def _differs(row: Finding, one: _Found) -> bool:
    return row.gone_at is not None or (row.evidence_digest, _amounts(row)) != (
        one.digest, tuple(_sums(one).values()),
    )  # fmt: skip


def _reopen(row: Finding, one: _Found) -> bool:
    """Let a dismissed finding be open again if it stands on other facts than it was dismissed on."""
    if row.state != Finding.State.DISMISSED or row.evidence_digest == one.digest:
        return False
    row.state, row.decision_id = Finding.State.OPEN, None
    return True


def _amounts(row: Finding) -> tuple[int, ...]:
    return row.central_fen, row.provincial_fen, row.municipal_fen


def _sums(one: _Found) -> dict[str, int]:
    sums = dict.fromkeys(TIERS, 0)
    for claim in one.claims:
        sums[claim.tier] += claim.fen
    return sums


def _own(row: Finding, one: _Found) -> list[told.OwnSide]:
    """The notes of the finding's own institution, and what is claimed for each: nobody else's book."""
    return [
        (
            side.facts["note_number"],
            {t: sum(c.fen for c in side.claims if c.tier == t) for t in TIERS},
        )
        for side in one.sides
        if side.note_id is not None and side.institution_id == row.institution_id
    ]


def _tell(
    row: Finding, one: _Found, place: tuple[int, int | None, int | None], schemes: Mapping[str, int]
) -> None:
    """Let the row say what was found."""
    row.institution_id, row.note_id, row.enterprise_id = place
    row.scheme_id = schemes.get(one.match.scheme_code)
    row.severity, row.article = one.match.severity, one.match.article
    row.evidence, row.evidence_digest = dict(one.match.evidence), one.digest
    for tier, fen in _sums(one).items():
        setattr(row, f"{tier}_fen", fen)
    row.gone_at = None


# If another side gives way now, what was said goes with the finding.
_FOLLOW = """
UPDATE settlement_findingdecision d SET institution_id = f.institution_id FROM settlement_finding f
WHERE f.id = d.finding_id AND d.institution_id <> f.institution_id
"""
_TOLD = (
    "institution", "note", "enterprise", "scheme", "severity", "article", "evidence",
    "evidence_digest", "central_fen", "provincial_fen", "municipal_fen", "changed_at", "gone_at",
    "state", "decision",
)  # fmt: skip


def _write(
    new: Sequence[tuple[Finding, _Found]], changed: Sequence[tuple[Finding, _Found]]
) -> None:
    Finding.objects.bulk_create([row for row, _ in new], batch_size=1000)
    Finding.objects.bulk_update([row for row, _ in changed], _TOLD, batch_size=1000)
    execute(_FOLLOW)
    FindingSide.objects.filter(finding__in=[row for row, _ in changed]).delete()
    FindingSide.objects.bulk_create(
        (
            FindingSide(
                finding_id=row.pk,
                position=position,
                institution_id=side.institution_id,
                note_id=side.note_id,
                enterprise_id=side.enterprise_id,
                facts=side.facts | {"claims": [claim._asdict() for claim in side.claims]},
            )
            for row, one in (*new, *changed)
            for position, side in enumerate(one.sides, start=1)
        ),
        batch_size=1000,
    )
