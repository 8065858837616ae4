"""Findings kept equal to what a check found: opened, changed, reopened, or gone with their facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from config.kernel.services.bulk import execute
from settlement.engine.codes import TIERS
from settlement.engine.duplicates import Claim, Match
from settlement.models import Finding, FindingSide, Scheme
from settlement.services import told


@dataclass(frozen=True)
class Checked:
    """What one check did: findings there now by rule, and how many are new, changed, gone or back."""

    there: Mapping[str, int]
    opened: int
    changed: int
    reopened: int
    gone: int

    @property
    def changes(self) -> int:
        """How many findings are other than before."""
        return self.opened + self.changed + self.reopened + self.gone

    def said(self) -> str:
        """The counts in words."""
        return (
            f"新增 opened {self.opened}，变化 changed {self.changed}，"
            f"重新打开 reopened {self.reopened}，已消除 gone {self.gone}"
        )


@dataclass(frozen=True)
class Side:
    """One side of a finding as it was found: whose it is, what is known of it, what it was paid."""

    institution_id: int
    note_id: int | None
    enterprise_id: int | None
    facts: dict[str, Any]
    claims: list[Claim]


@dataclass(frozen=True)
class Found:
    """A match with its money, its sides and the digest of the facts it stands on."""

    match: Match
    claims: list[Claim]
    sides: list[Side]
    digest: str


def concerned(*, enterprise_ids: Sequence[int] | None, proposals: bool = True) -> QuerySet[Finding]:
    """Findings of these enterprises (None: of everybody) and of funds; without what is only alike if asked."""
    found = Finding.objects.all()
    if enterprise_ids is not None:
        sides = FindingSide.objects.filter(enterprise_id__in=enterprise_ids)
        of_funds = found.filter(rule=Finding.Rule.P12)
        found = found.filter(pk__in=sides.values("finding_id")) | of_funds
    return found if proposals else found.exclude(severity=Finding.Severity.PROPOSAL)


def record(*, found: Sequence[Found], of: QuerySet[Finding], at: datetime) -> Checked:
    """Bring these findings in line with what was found.

    A matter may be somebody else's by now (an outside record put right): then its finding moves.
    """
    stored = {one.identity: one for one in of.select_for_update().order_by("pk")}
    elsewhere = {one.match.identity for one in found} - stored.keys()
    moved = Finding.objects.filter(identity__in=elsewhere).select_for_update().order_by("pk")
    stored |= {one.identity: one for one in moved}
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


def _places(found: Sequence[Found]) -> dict[str, tuple[int, int | None, int | None]]:
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


def _differs(row: Finding, one: Found) -> bool:
    was = (row.evidence_digest, tuple(row.blocked_schemes), _amounts(row))
    now = (one.digest, one.match.blocks, tuple(_sums(one).values()))
    return row.gone_at is not None or was != now


def _reopen(row: Finding, one: Found) -> bool:
    """Let a dismissed finding be open again if it stands on other facts than it was dismissed on."""
    if row.state != Finding.State.DISMISSED or row.evidence_digest == one.digest:
        return False
    row.state, row.decision_id = Finding.State.OPEN, None
    return True


def _amounts(row: Finding) -> tuple[int, ...]:
    return row.central_fen, row.provincial_fen, row.municipal_fen


def _sums(one: Found) -> dict[str, int]:
    sums = dict.fromkeys(TIERS, 0)
    for claim in one.claims:
        sums[claim.tier] += claim.fen
    return sums


def _own(row: Finding, one: Found) -> list[told.OwnSide]:
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
    row: Finding, one: Found, place: tuple[int, int | None, int | None], schemes: Mapping[str, int]
) -> None:
    """Let the row say what was found."""
    row.institution_id, row.note_id, row.enterprise_id = place
    row.scheme_id = schemes.get(one.match.scheme_code)
    row.severity, row.article = one.match.severity, one.match.article
    row.blocked_schemes = list(one.match.blocks)
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
    "institution", "note", "enterprise", "scheme", "severity", "blocked_schemes", "article", "evidence",
    "evidence_digest", "central_fen", "provincial_fen", "municipal_fen", "changed_at", "gone_at",
    "state", "decision",
)  # fmt: skip


def _write(new: Sequence[tuple[Finding, Found]], changed: Sequence[tuple[Finding, Found]]) -> None:
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
