"""The life of a finding: one person says what it is, another agrees; confirmed, it is clawed back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.models import Clawback, Finding, FindingDecision, FindingSide, Fund
from settlement.selectors import clawbacks as selected
from settlement.services import checking, clawbacks
from settlement.services.clawbacks import Claim, Ground


@transaction.atomic
def propose_decision(*, finding_id: int, outcome: str, why: str, actor: str, at: datetime) -> int:
    """Say that an open finding is true (`confirmed`) or not (`dismissed`), and why; it waits for a check.

    Raises DomainError `unknown_finding`, `finding_decided`, `finding_gone`, `decision_waiting`,
    `reason_missing`.
    """
    finding = _open(finding_id)
    if finding.decisions.filter(checked_by=None).exists():
        raise DomainError(
            "decision_waiting",
            bilingual("该事项已有结论待复核", "a decision on it waits for its check already"),
        )
    made = FindingDecision.objects.create(
        institution_id=finding.institution_id,
        finding=finding,
        note_id=finding.note_id,
        outcome=Finding.State(outcome),
        why=reasons.required(why),
        evidence_digest=finding.evidence_digest,
        made_by=actor,
        made_at=at,
    )
    return int(made.pk)


@transaction.atomic
def check_decision(*, decision_id: int, actor: str, at: datetime) -> None:
    """Let a second person agree: the finding is confirmed or dismissed.

    Refused if the facts are no longer those it was said of (`evidence_changed`).
    """
    made, finding = _waiting(decision_id, actor)
    if made.evidence_digest != finding.evidence_digest:
        raise DomainError(
            "evidence_changed",
            bilingual(
                "提出结论后证据已变化，请退回后按新证据重新提出",
                "the facts have changed since it was said: refuse it and have it said anew",
            ),
        )
    made.checked_by, made.checked_at = actor, at
    made.save(update_fields=["checked_by", "checked_at"])
    finding.state, finding.decision = made.outcome, made
    finding.save(update_fields=["state", "decision"])


@transaction.atomic
def refuse_decision(*, decision_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse what was said, for a reason; the finding stays open."""
    made, _ = _waiting(decision_id, actor, even_if_gone=True)
    made.refused_why = reasons.required(why)
    made.checked_by, made.checked_at = actor, at
    made.save(update_fields=["refused_why", "checked_by", "checked_at"])


@transaction.atomic
def propose_clawbacks(*, finding_id: int, actor: str, at: datetime) -> list[int]:
    """Propose to take back what a confirmed finding has at stake, one clawback per note, fund and year.

    Of each what was paid and is not claimed otherwise. They wait for another person, as any clawback.
    Raises DomainError `unknown_finding`, `finding_not_confirmed`, `clawback_known`, `nothing_at_stake`.
    """
    finding = _locked(finding_id)
    if finding.state != Finding.State.CONFIRMED or finding.decision is None:
        raise DomainError(
            "finding_not_confirmed",
            bilingual("须先由两人确认属实", "two people have to confirm the finding first"),
        )
    standing = Clawback.objects.filter(origin=Clawback.Origin.FINDING, origin_id=finding.pk)
    if standing.exclude(state=Clawback.State.DISMISSED).exists():
        raise DomainError(
            "clawback_known",
            bilingual("该事项已提出追回", "clawbacks of it are proposed already"),
        )
    ground = Ground(
        origin=Clawback.Origin.FINDING,
        origin_id=finding.pk,
        why=f"核查事项 #{finding.pk} {finding.rule}：{finding.decision.why}"[: reasons.REASON_MAX],
    )
    made = [
        clawbacks.propose(claim=claim, ground=ground, actor=actor, at=at)
        for claim in claims(finding=finding)
    ]
    if not made:
        raise DomainError(
            "nothing_at_stake",
            bilingual(
                "没有可由您提出追回的已付贴息", "nothing was paid that you could have taken back"
            ),
        )
    return made


def claims(*, finding: Finding) -> list[Claim]:
    """What may be asked back of a finding now: its money at stake, within what is left of the paid."""
    found = []
    sides = FindingSide.objects.filter(finding=finding, note__isnull=False).order_by("position")
    for note_id, facts in sides.values_list("note_id", "facts"):
        assert note_id is not None  # by the filter above
        left = {(c.fund_id, c.year): c.left_fen for c in selected.claimable(note_id=note_id)}
        for claim in facts["claims"]:
            fund = Fund.objects.filter(
                institution_id=claim["fund_institution_id"],
                scheme__code=claim["scheme_code"],
                tier=claim["tier"],
                purpose="interest",
            ).first()
            amount = 0 if fund is None else min(claim["fen"], left.get((fund.pk, claim["year"]), 0))
            if fund is not None and amount > 0:
                found.append(Claim(note_id, fund.pk, claim["year"], amount))
    return found


def _locked(finding_id: int) -> Finding:
    found = Finding.objects.select_for_update().filter(pk=finding_id).first()
    if found is None:
        raise DomainError(
            "unknown_finding",
            bilingual(f"没有这项核查事项：{finding_id}", "no such finding in your scope"),
        )
    return found


def _open(finding_id: int, *, even_if_gone: bool = False) -> Finding:
    found = _locked(finding_id)
    if found.state != Finding.State.OPEN:
        raise DomainError(
            "finding_decided",
            bilingual(
                f"该事项已有结论：{found.get_state_display()}", f"it is {found.state} already"
            ),
        )
    if found.gone_at is not None and not even_if_gone:
        raise DomainError(
            "finding_gone",
            bilingual("该事项的事实已不存在，无需结论", "its facts are gone; nothing to decide"),
        )
    return found


def _waiting(
    decision_id: int, actor: str, *, even_if_gone: bool = False
) -> tuple[FindingDecision, Finding]:
    """The decision and its finding, locked; refuses one that waits for nobody, or for oneself."""
    finding_id = FindingDecision.objects.filter(pk=decision_id).values_list("finding", flat=True)
    if not finding_id:
        raise DomainError(
            "unknown_decision",
            bilingual(f"没有这条结论：{decision_id}", "no such decision in your scope"),
        )
    finding = _open(finding_id[0], even_if_gone=even_if_gone)
    made = FindingDecision.objects.select_for_update().get(pk=decision_id)
    checking.require_other(row=made, actor=actor)
    return made, finding
