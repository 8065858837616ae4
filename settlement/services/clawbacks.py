"""Taking subsidies back: proposed by one, decided by another; what comes of it: `clawback_movements`.

Differences of a recomputation are owed without anybody's decision (`services.debts`); here are the
others: findings, finance's reviews and orders, staff. Nothing is taken back twice: what is proposed
or decided for a note, fund and year stays within what was paid for it, and where a recomputation
takes the same money back later, the claim lapses that far (`services.lapses`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, Sum

from config.kernel.services import bulk
from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.engine import entries
from settlement.models import Clawback, Deduction, Event, Fund, GuaranteePosting, Purpose
from settlement.services import funds, told
from settlement.services.funds import Held, Posting


@dataclass(frozen=True)
class Claim:
    """What is to be taken back: of which note, out of which fund, for which year of collection."""

    note_id: int
    fund_id: int
    year: int
    amount_fen: int


@dataclass(frozen=True)
class Ground:
    """Why: `origin` is one of Clawback.Origin, `origin_id` the key of the finding, review or order."""

    origin: str
    origin_id: int
    why: str
    document_number: str = ""
    is_offset: bool = True


@transaction.atomic
def propose(*, claim: Claim, ground: Ground, actor: str, at: datetime) -> int:
    """Propose a clawback; it waits for another person. A fee is never offset: it is paid once (ST-23).

    Refuses more than was paid and is left, and the same proposal again: a staff proposal or an order
    is known by its note, fund, year and document number, one without a number by amount and reason.
    """
    fund = _fund(claim.fund_id)
    note = _note_of(claim.note_id)
    _refuse_known(claim, ground)
    _refuse_beyond_paid(claim, fund, claimed_fen=_claimed_fen(claim))
    made = Clawback.objects.create(
        institution_id=note[0],
        note_id=claim.note_id,
        enterprise_id=note[1],
        fund_id=claim.fund_id,
        year=claim.year,
        amount_fen=claim.amount_fen,
        origin=ground.origin,
        origin_id=ground.origin_id,
        why=ground.why,
        document_number=ground.document_number,
        is_offset=ground.is_offset and fund.key.purpose == Purpose.INTEREST,
        state=Clawback.State.PROPOSED,
        made_by=actor,
        made_at=at,
    )
    return int(made.pk)


def _refuse_known(claim: Claim, ground: Ground) -> None:
    standing = Clawback.objects.filter(
        note_id=claim.note_id,
        fund_id=claim.fund_id,
        year=claim.year,
        origin=ground.origin,
        origin_id=ground.origin_id,
        document_number=ground.document_number,
    ).exclude(state=Clawback.State.DISMISSED)
    if not ground.document_number:
        standing = standing.filter(amount_fen=claim.amount_fen, why=ground.why)
    known = standing.order_by("pk").first()
    if known is not None:
        raise DomainError(
            "clawback_known",
            bilingual(
                f"该借据、资金、年度和文号（无文号时金额和事由）的追回已提出：{known}，"
                f"{yuan_from_fen(known.amount_fen)} 元；未重复登记。确属另一笔的，请写明其文号或事由",
                f"proposed already as {known}, {yuan_from_fen(known.amount_fen)} yuan, and not entered"
                " again; if it is another one, give its own document number or reason",
            ),
        )


def _refuse_beyond_paid(claim: Claim, fund: Held, *, claimed_fen: int) -> None:
    paid = paid_fen(note_id=claim.note_id, fund=fund, year=claim.year)
    left = max(paid - claimed_fen, 0)  # below zero a claim has lapsed into a difference (S21)
    if not 0 < claim.amount_fen <= left:
        raise DomainError(
            "clawback_beyond_paid",
            bilingual(
                f"追回金额须大于零且不超过该借据该年度已贴且未追回的 {yuan_from_fen(left)} 元",
                f"between 0.01 and {yuan_from_fen(left)} yuan: what was paid for the note in "
                f"{claim.year} and is not claimed back yet; asked {yuan_from_fen(claim.amount_fen)}",
            ),
        )


def paid_fen(*, note_id: int, fund: Held, year: int) -> int:
    """What the fund paid for the note in a year of collection, net of differences: interest or fees."""
    if fund.key.purpose == Purpose.GUARANTEE_FEE:
        fees = GuaranteePosting.objects.filter(note_id=note_id, fund_id=fund.id, month__year=year)
        return int(fees.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
    rows = Deduction.objects.filter(
        note_id=note_id,
        scheme_id=fund.key.scheme_id,
        fund_institution_id=fund.key.institution_id,
        collected_on__year=year,
    )
    return int(rows.aggregate(fen=Sum(f"{fund.key.tier}_fen"))["fen"] or 0)


def _claimed_fen(claim: Claim) -> int:
    """What is proposed or decided already, beyond the differences that are net in what was paid."""
    standing = Clawback.objects.filter(
        note_id=claim.note_id, fund_id=claim.fund_id, year=claim.year
    ).exclude(Q(state=Clawback.State.DISMISSED) | Q(origin=Clawback.Origin.DIFFERENCE))
    return int(standing.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def _note_of(note_id: int) -> tuple[int, int]:
    found = bulk.rows(
        "SELECT n.institution_id, c.enterprise_id FROM loans_note n"
        " JOIN loans_contract c ON c.id = n.contract_id WHERE n.id = %s",
        [note_id],
    )
    if not found:
        raise DomainError(
            "unknown_note",
            bilingual(f"没有这笔借据：{note_id}", f"no note {note_id} in your scope"),
        )
    ((institution_id, enterprise_id),) = found
    return institution_id, enterprise_id


@transaction.atomic
def decide(
    *, clawback_id: int, accept: bool, actor: str, at: datetime, dismissed_why: str = ""
) -> None:
    """Let a second person decide a proposal: accepted, it is owed and in the ledger; or dismissed."""
    clawback, fund = locked(clawback_id=clawback_id)
    refuse_unless(
        holds=clawback.state == Clawback.State.PROPOSED,
        code="clawback_already_decided",
        clawback=clawback,
    )
    refuse_own(made_by=clawback.made_by, actor=actor)
    if accept:
        claim = Claim(clawback.note_id, fund.id, clawback.year, clawback.amount_fen)
        others = _claimed_fen(claim) - clawback.amount_fen
        _refuse_beyond_paid(claim, fund, claimed_fen=others)
    else:
        clawback.dismissed_why = reasons.required(dismissed_why)
    clawback.state = Clawback.State.DECIDED if accept else Clawback.State.DISMISSED
    clawback.checked_by, clawback.checked_at = actor, at
    clawback.save(update_fields=["state", "dismissed_why", "checked_by", "checked_at"])
    if accept:
        post(
            clawback=clawback,
            fund=fund,
            event=Event.CLAWBACK_DECIDED,
            lines=_decided(clawback, closed_through=fund.closed_through),
            source_id=clawback.pk,
            actor=actor,
            at=at,
        )
        told.clawbacks_opened(opened=[clawback], at=at)


def _decided(clawback: Clawback, *, closed_through: int) -> entries.Lines:
    return entries.clawback_decided(
        clawback.amount_fen, year_is_settled=clawback.year <= closed_through
    )


def lines_if_decided(*, clawback_id: int) -> entries.Lines:
    """What the ledger will say if the proposal is accepted now, for whoever is to decide."""
    clawback = Clawback.objects.select_related("fund").get(pk=clawback_id)
    return _decided(clawback, closed_through=clawback.fund.closed_through)


def locked(*, clawback_id: int) -> tuple[Clawback, Held]:
    """The clawback and its fund, locked in the order runs lock them: funds first."""
    fund_id = Clawback.objects.values_list("fund_id", flat=True).filter(pk=clawback_id).first()
    if fund_id is None:
        raise DomainError(
            "unknown_clawback",
            bilingual(f"没有这笔追回：{clawback_id}", f"no clawback {clawback_id} in your scope"),
        )
    fund = _fund(fund_id)
    return Clawback.objects.select_for_update().get(pk=clawback_id), fund


def _fund(fund_id: int) -> Held:
    """The fund, locked; refuses one that is not in the person's sight."""
    if not Fund.objects.filter(pk=fund_id).exists():
        raise DomainError(
            "funds_out_of_scope",
            bilingual(
                "资金属于上级机构，请由其人员办理",
                "the money is an institution's above yours: have it done there",
            ),
        )
    return funds.lock(fund_ids=[fund_id])[fund_id]


def refuse_unless(*, holds: bool, code: str, clawback: Clawback) -> None:
    """Raise DomainError `code` if the clawback is not in the state that a step needs."""
    if not holds:
        raise DomainError(
            code,
            bilingual(
                f"追回 {clawback} 当前为“{clawback.get_state_display()}”，不能再做这一步",
                f"clawback {clawback} is {clawback.state}: this step is not possible (any more)",
            ),
        )


def refuse_own(*, made_by: str, actor: str) -> None:
    """Raise DomainError `own_work` if both are the same person."""
    if made_by == actor:
        raise DomainError(
            "own_work",
            bilingual(
                "不能复核本人经办的记录，请由另一人复核",
                "nobody checks what they made: ask another person",
            ),
        )


def post(
    *,
    clawback: Clawback,
    fund: Held,
    event: Event,
    lines: entries.Lines,
    source_id: int,
    actor: str,
    at: datetime,
) -> None:
    """Write what became of a clawback into its fund, in the year that is open for it."""
    posting = Posting(event, at.date(), f"clawback {clawback.pk}", source_id, actor)
    funds.post(fund=fund, posting=posting, lines=lines, year=fund.open_year(clawback.year))
