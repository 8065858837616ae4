"""Taking subsidies back: proposed by one, decided by another, received in parts, or borne by the bank.

Differences of a recomputation are owed without anybody's decision (`services.debts`); here are the
others: findings, finance's reviews and orders, staff. Nothing is taken back twice: what is proposed
or decided for a note, fund and year stays within what was paid for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, Sum

from config.kernel.services import bulk
from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.engine import entries
from settlement.models import Clawback, ClawbackMovement, Deduction, Event, Fund
from settlement.services import funds
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


@dataclass(frozen=True)
class Payment:
    """Money on a day under the bank's reference; or, for a write-off, why."""

    moved_on: date
    amount_fen: int
    reference: str = ""
    why: str = ""


@transaction.atomic
def propose(*, claim: Claim, ground: Ground, actor: str, at: datetime) -> int:
    """Propose a clawback; it waits for another person. Refuses more than was paid and is left."""
    fund = funds.lock(fund_ids=[claim.fund_id])[claim.fund_id]
    note = _note_of(claim.note_id)
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
        is_offset=ground.is_offset,
        state=Clawback.State.PROPOSED,
        made_by=actor,
        made_at=at,
    )
    return int(made.pk)


def _refuse_beyond_paid(claim: Claim, fund: Held, *, claimed_fen: int) -> None:
    left = paid_fen(note_id=claim.note_id, fund=fund, year=claim.year) - claimed_fen
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
    """What was deducted for the note out of the fund in a year of collection, net of differences."""
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
def decide(*, clawback_id: int, accept: bool, actor: str, at: datetime) -> None:
    """Let a second person decide a proposal; accepted, it is owed and in the ledger."""
    clawback, fund = _locked(clawback_id)
    _refuse_unless(clawback.state == Clawback.State.PROPOSED, "clawback_already_decided", clawback)
    _refuse_own(clawback.made_by, actor)
    if accept:
        claim = Claim(clawback.note_id, fund.id, clawback.year, clawback.amount_fen)
        others = _claimed_fen(claim) - clawback.amount_fen
        _refuse_beyond_paid(claim, fund, claimed_fen=others)
    clawback.state = Clawback.State.DECIDED if accept else Clawback.State.DISMISSED
    clawback.checked_by, clawback.checked_at = actor, at
    clawback.save(update_fields=["state", "checked_by", "checked_at"])
    if accept:
        settled = clawback.year <= fund.closed_through
        _post(
            fund,
            Event.CLAWBACK_DECIDED,
            entries.clawback_decided(clawback.amount_fen, year_is_settled=settled),
            clawback,
            source_id=clawback.pk,
            actor=actor,
            at=at,
        )


@transaction.atomic
def record_movement(
    *, clawback_id: int, kind: str, payment: Payment, actor: str, at: datetime
) -> int:
    """Enter money received, or a write-off to the bank; it counts once another person checked it."""
    clawback, _ = _locked(clawback_id)
    _refuse_unless(clawback.state == Clawback.State.DECIDED, "clawback_not_decided", clawback)
    _refuse_beyond(payment.amount_fen, clawback.open_fen - _unchecked_fen(clawback))
    made = clawback.movements.create(
        institution_id=clawback.institution_id,
        note_id=clawback.note_id,
        kind=ClawbackMovement.Kind(kind),
        moved_on=payment.moved_on,
        amount_fen=payment.amount_fen,
        reference=payment.reference,
        why=payment.why,
        made_by=actor,
        made_at=at,
    )
    return int(made.pk)


@transaction.atomic
def check_movement(*, movement_id: int, actor: str, at: datetime) -> None:
    """Let a second person check a movement: it is booked, and less is owed."""
    found = ClawbackMovement.objects.get(pk=movement_id)
    clawback, fund = _locked(found.clawback_id)
    movement = ClawbackMovement.objects.select_for_update().get(pk=movement_id)
    waits = movement.checked_by is None and movement.kind != ClawbackMovement.Kind.OFFSET
    _refuse_unless(waits, "movement_already_checked", clawback)
    _refuse_own(movement.made_by, actor)
    _refuse_beyond(movement.amount_fen, clawback.open_fen)
    movement.checked_by, movement.checked_at = actor, at
    movement.save(update_fields=["checked_by", "checked_at"])
    counter, event, lines = {
        ClawbackMovement.Kind.RECEIVED: (
            "received_fen",
            Event.CLAWBACK_RECEIVED,
            entries.clawback_received(movement.amount_fen),
        ),
        ClawbackMovement.Kind.WRITTEN_OFF: (
            "written_off_fen",
            Event.CLAWBACK_WRITTEN_OFF,
            entries.clawback_written_off(movement.amount_fen),
        ),
    }[ClawbackMovement.Kind(movement.kind)]
    setattr(clawback, counter, getattr(clawback, counter) + movement.amount_fen)
    clawback.save(update_fields=[counter])
    _post(fund, event, lines, clawback, source_id=movement.pk, actor=actor, at=at)


def _locked(clawback_id: int) -> tuple[Clawback, Held]:
    """The clawback and its fund, locked in the order runs lock them: funds first."""
    fund_id = Clawback.objects.values_list("fund_id", flat=True).filter(pk=clawback_id).first()
    if fund_id is None:
        raise DomainError(
            "unknown_clawback",
            bilingual(f"没有这笔追回：{clawback_id}", f"no clawback {clawback_id} in your scope"),
        )
    fund = funds.lock(fund_ids=[fund_id])[fund_id]
    return Clawback.objects.select_for_update().get(pk=clawback_id), fund


def _unchecked_fen(clawback: Clawback) -> int:
    waiting = clawback.movements.filter(checked_by__isnull=True).exclude(
        kind=ClawbackMovement.Kind.OFFSET
    )
    return int(waiting.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def _refuse_unless(condition: bool, code: str, clawback: Clawback) -> None:  # noqa: FBT001
    if not condition:
        raise DomainError(
            code,
            bilingual(
                f"追回 {clawback} 当前为“{clawback.get_state_display()}”，不能再做这一步",
                f"clawback {clawback} is {clawback.state}: this step is not possible (any more)",
            ),
        )


def _refuse_own(made_by: str, actor: str) -> None:
    if made_by == actor:
        raise DomainError(
            "own_work",
            bilingual(
                "不能复核本人经办的记录，请由另一人复核",
                "nobody checks what they made: ask another person",
            ),
        )


def _refuse_beyond(amount_fen: int, open_fen: int) -> None:
    if not 0 < amount_fen <= open_fen:
        raise DomainError(
            "clawback_beyond_open",
            bilingual(
                f"金额须大于零且不超过尚欠的 {yuan_from_fen(open_fen)} 元",
                f"between 0.01 and {yuan_from_fen(open_fen)} yuan, what is still owed; "
                f"asked {yuan_from_fen(amount_fen)}",
            ),
        )


def _post(
    fund: Held,
    event: Event,
    lines: entries.Lines,
    clawback: Clawback,
    *,
    source_id: int,
    actor: str,
    at: datetime,
) -> None:
    posting = Posting(event, at.date(), f"clawback {clawback.pk}", source_id, actor)
    funds.post(fund=fund, posting=posting, lines=lines, year=fund.open_year(clawback.year))


def funds_of_note(*, note_id: int) -> list[Fund]:
    """The funds that have paid for a note, for choosing what to claim back."""
    paid = Deduction.objects.filter(note_id=note_id).values_list("scheme_id", "fund_institution_id")
    chosen = Q(pk__in=[])
    for scheme_id, institution_id in paid.distinct():
        chosen |= Q(scheme_id=scheme_id, institution_id=institution_id, purpose="interest")
    return list(Fund.objects.filter(chosen).order_by("pk"))
