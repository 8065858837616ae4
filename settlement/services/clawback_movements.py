"""What becomes of a decided clawback: received in parts, borne by the bank, offset or not.

Entered by one person; it counts once another has checked it, and never if that person refused it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.engine import entries
from settlement.models import Clawback, ClawbackMovement, Event
from settlement.services import clawbacks
from settlement.services.funds import Held

Kind = ClawbackMovement.Kind
SWITCHES = {Kind.OFFSET_ON: True, Kind.OFFSET_OFF: False}
EVENTS = {
    Kind.RECEIVED: ("received_fen", Event.CLAWBACK_RECEIVED, entries.clawback_received),
    Kind.WRITTEN_OFF: ("written_off_fen", Event.CLAWBACK_WRITTEN_OFF, entries.clawback_written_off),
}


@dataclass(frozen=True)
class Payment:
    """Money on a day under the bank's reference; or, where no money moves in, why."""

    moved_on: date
    amount_fen: int
    reference: str = ""
    why: str = ""


@transaction.atomic
def record_movement(
    *, clawback_id: int, kind: str, payment: Payment, actor: str, at: datetime
) -> int:
    """Enter money received, a write-off, or whether to offset from now on (amount 0).

    Money is known by its reference, anything else by kind, day, amount and reason: the same again is
    refused. Raises DomainError `clawback_not_decided`, `movement_known`, `reference_missing`,
    `reason_missing`, `clawback_beyond_open`, `offset_already_so`.
    """
    clawback, _ = clawbacks.locked(clawback_id=clawback_id)
    clawbacks.refuse_unless(
        holds=clawback.state == Clawback.State.DECIDED,
        code="clawback_not_decided",
        clawback=clawback,
    )
    chosen = Kind(kind)
    _refuse_without_ground(chosen, payment)
    _refuse_known(clawback, chosen, payment)
    if chosen in SWITCHES:
        _refuse_idle(clawback, is_offset=SWITCHES[chosen])
    else:
        _refuse_beyond(payment.amount_fen, clawback.open_fen - _unchecked_fen(clawback))
    made = clawback.movements.create(
        institution_id=clawback.institution_id,
        note_id=clawback.note_id,
        kind=chosen,
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
    """Let a second person check a movement: it is booked, and less is owed (or offset, or not)."""
    clawback, fund, movement = _waiting(movement_id, actor)
    kind = Kind(movement.kind)
    movement.checked_by, movement.checked_at = actor, at
    if kind in SWITCHES:
        clawback.is_offset = SWITCHES[kind]
        clawback.save(update_fields=["is_offset"])
    else:
        _refuse_beyond(movement.amount_fen, clawback.open_fen)
        counter, event, lines = EVENTS[kind]
        setattr(clawback, counter, getattr(clawback, counter) + movement.amount_fen)
        clawback.save(update_fields=[counter])
        clawbacks.post(
            clawback=clawback,
            fund=fund,
            event=event,
            lines=lines(movement.amount_fen),
            source_id=movement.pk,
            actor=actor,
            at=at,
        )
    movement.save(update_fields=["checked_by", "checked_at"])


@transaction.atomic
def refuse_movement(*, movement_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse a movement, for a reason: nothing is booked; enter it anew."""
    _, _, movement = _waiting(movement_id, actor)
    movement.refused_why = reasons.required(why)
    movement.checked_by, movement.checked_at = actor, at
    movement.save(update_fields=["refused_why", "checked_by", "checked_at"])


def lines_if_checked(*, movement_id: int) -> entries.Lines:
    """What the ledger will say once the movement is checked, for whoever is to check it."""
    movement = ClawbackMovement.objects.get(pk=movement_id)
    if movement.kind not in EVENTS:
        return ()
    return EVENTS[Kind(movement.kind)][2](movement.amount_fen)


def _waiting(movement_id: int, actor: str) -> tuple[Clawback, Held, ClawbackMovement]:
    """The movement with its clawback and fund, locked; refuses one that waits for nobody, or oneself."""
    found = ClawbackMovement.objects.filter(pk=movement_id).first()
    if found is None:
        raise DomainError(
            "unknown_movement",
            bilingual(
                f"没有这笔追回变动：{movement_id}", f"no movement {movement_id} in your scope"
            ),
        )
    clawback, fund = clawbacks.locked(clawback_id=found.clawback_id)
    movement = ClawbackMovement.objects.select_for_update().get(pk=movement_id)
    if movement.checked_by is not None or movement.kind == Kind.OFFSET:
        raise DomainError(
            "movement_already_checked",
            bilingual(
                "这笔变动已复核或已退回，不再变动",
                "this movement is checked or refused already and stays as it is",
            ),
        )
    clawbacks.refuse_own(made_by=movement.made_by, actor=actor)
    return clawback, fund, movement


def _unchecked_fen(clawback: Clawback) -> int:
    waiting = clawback.movements.filter(checked_by__isnull=True).exclude(kind=Kind.OFFSET)
    return int(waiting.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def _refuse_without_ground(kind: Kind, payment: Payment) -> None:
    if kind != Kind.RECEIVED:
        reasons.required(payment.why)
    elif not payment.reference.strip():
        raise DomainError(
            "reference_missing",
            bilingual("到账须填银行流水号", "give the bank's reference of the money received"),
        )


def _refuse_known(clawback: Clawback, kind: Kind, payment: Payment) -> None:
    standing = clawback.movements.filter(refused_why="")
    if payment.reference:
        standing = standing.filter(reference=payment.reference)
    else:
        standing = standing.filter(
            kind=kind,
            moved_on=payment.moved_on,
            amount_fen=payment.amount_fen,
            why=payment.why,
        )
    known = standing.order_by("pk").first()
    if known is not None:
        raise DomainError(
            "movement_known",
            bilingual(
                f"已登记过：{known.moved_on} {known.get_kind_display()} "
                f"{yuan_from_fen(known.amount_fen)} 元 {known.reference}；未重复登记。"
                "确属另一笔的，请填写其流水号或说明",
                f"entered already: {known.moved_on} {known.kind} {yuan_from_fen(known.amount_fen)} yuan"
                f" {known.reference}, and not entered again; if it is another one, give its own"
                " reference or reason",
            ),
        )


def _refuse_idle(clawback: Clawback, *, is_offset: bool) -> None:
    if clawback.is_offset == is_offset:
        raise DomainError(
            "offset_already_so",
            bilingual("抵扣方式已是如此，无需变更", "that is how it is already: nothing to change"),
        )


def _refuse_beyond(amount_fen: int, open_fen: int) -> None:
    if not 0 < amount_fen <= open_fen:
        raise DomainError(
            "clawback_beyond_open",
            bilingual(
                f"金额须大于零且不超过尚欠（已扣除待复核）的 {yuan_from_fen(open_fen)} 元",
                f"between 0.01 and {yuan_from_fen(open_fen)} yuan, what is still owed and not waiting"
                f" for a check; asked {yuan_from_fen(amount_fen)}",
            ),
        )
