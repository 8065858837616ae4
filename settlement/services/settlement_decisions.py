"""What finance decided of a settlement, and its booking by a second person (domain §5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.engine import entries
from settlement.engine.settling import fault_of_decision
from settlement.models import Event, Settlement, SettlementItem
from settlement.services import funds, told
from settlement.services.funds import Held, Posting
from settlement.services.settlements import locked, require_state

State = Settlement.State
Approved = Mapping[tuple[str, str], int]


@transaction.atomic
def decide(
    *,
    settlement_id: int,
    approved: Approved | None,
    document_number: str,
    decided_on: date,
    actor: str,
    at: datetime,
) -> None:
    """Record what finance approved: fen by (tier, purpose), or None for all of it.

    The rest of a claim is disallowed. Until it is booked a decision may be recorded again. Raises
    DomainError `settlement_state`, `settlement_document`, `settlement_tiers`, `settlement_amount`.
    """
    settlement = locked(settlement_id=settlement_id)
    require_state(settlement, State.SUBMITTED, State.DECIDED)
    if not document_number.strip():
        raise DomainError(
            "settlement_document", bilingual("须填批复文号", "the decision's document number")
        )
    items = list(settlement.items.select_related("fund").order_by("pk"))
    for item, fen in _approved(items, approved):
        item.approved_fen, item.disallowed_fen = fen, item.claimed_fen - fen
    SettlementItem.objects.bulk_update(items, ["approved_fen", "disallowed_fen"])
    settlement.state = State.DECIDED
    settlement.document_number, settlement.decided_on = document_number.strip(), decided_on
    settlement.decided_by, settlement.decided_at = actor, at
    settlement.save(
        update_fields=["state", "document_number", "decided_on", "decided_by", "decided_at"]
    )
    told.settlement_decided(settlement=settlement, state="decided", at=at)


@transaction.atomic
def decide_at_once(
    *,
    settlement_id: int,
    approved: Approved | None,
    document_number: str,
    decided_on: date,
    checker: str | None,
    actor: str,
    at: datetime,
) -> None:
    """As `decide`; where somebody stands in for the second person, it is booked by them, too, or not at all."""
    decide(
        settlement_id=settlement_id,
        approved=approved,
        document_number=document_number,
        decided_on=decided_on,
        actor=actor,
        at=at,
    )
    if checker is not None:
        book(settlement_id=settlement_id, actor=checker, at=at)


def _approved(
    items: list[SettlementItem], approved: Approved | None
) -> list[tuple[SettlementItem, int]]:
    keys = {(item.fund.tier, item.fund.purpose): item for item in items}
    whole = {key: item.claimed_fen for key, item in keys.items()}
    given = whole if approved is None else approved
    if given.keys() != keys.keys():
        raise DomainError(
            "settlement_tiers",
            bilingual(
                f"须逐项填写认可额：{sorted(keys)}",
                f"approve each of these, no other: {sorted(keys)}",
            ),
        )
    for (tier, purpose), item in keys.items():
        fault = fault_of_decision(item.claimed_fen, given[tier, purpose])
        if fault is not None:
            raise DomainError(
                "settlement_amount",
                bilingual(f"{tier}/{purpose}：{fault[0]}", f"{tier}/{purpose}: {fault[1]}"),
            )
    return [(item, given[key]) for key, item in keys.items()]


@transaction.atomic
def book(
    *, settlement_id: int, actor: str, at: datetime, decided_at: datetime | None = None
) -> None:
    """Book the decision: use approved and disallowed and, at the end, the surplus returned.

    `decided_at`: when the decision that this person has seen was recorded. Raises DomainError
    `settlement_state`, `settlement_same_person`, `settlement_decided_anew` if another decision was
    recorded since, or `settlement_surplus` if the special account no longer holds what is to be returned.
    """
    settlement = locked(settlement_id=settlement_id)
    _require_answerable(settlement, actor, decided_at)
    items = list(settlement.items.order_by("fund_id"))
    held = funds.lock(fund_ids=[item.fund_id for item in items])
    for item in items:
        _post(settlement, item, held[item.fund_id], actor=actor, on=at.date())
    settlement.state = State.BOOKED
    settlement.booked_by, settlement.booked_at = actor, at
    settlement.save(update_fields=["state", "booked_by", "booked_at"])
    told.settlement_decided(settlement=settlement, state="booked", at=at)


@transaction.atomic
def refuse(
    *, settlement_id: int, why: str, actor: str, at: datetime, decided_at: datetime | None = None
) -> None:
    """Let a second person refuse a decision as recorded, saying why: it is recorded anew.

    Raises as `book`, and `reason_missing`.
    """
    reason = reasons.required(why)
    settlement = locked(settlement_id=settlement_id)
    _require_answerable(settlement, actor, decided_at)
    told.settlement_decided(settlement=settlement, state="refused", at=at)
    settlement.items.update(approved_fen=None, disallowed_fen=None)
    settlement.state = State.SUBMITTED
    settlement.document_number, settlement.decided_on = "", None
    settlement.decided_by = settlement.decided_at = None
    settlement.decision_refused_by, settlement.decision_refused_at = actor, at
    settlement.decision_refused_why = reason
    settlement.save(
        update_fields=[
            "state", "document_number", "decided_on", "decided_by", "decided_at",
            "decision_refused_by", "decision_refused_at", "decision_refused_why",
        ]
    )  # fmt: skip


def _require_answerable(settlement: Settlement, actor: str, decided_at: datetime | None) -> None:
    require_state(settlement, State.DECIDED)
    if decided_at not in (None, settlement.decided_at):
        raise DomainError(
            "settlement_decided_anew",
            bilingual(
                "批复在您打开页面后已重新录入，请核对后再入账",
                "the decision was recorded anew since you opened the page: look at it again",
            ),
        )
    if settlement.decided_by == actor:
        raise DomainError(
            "settlement_same_person",
            bilingual(
                "批复录入人不能复核入账", "another person books the decision that you recorded"
            ),
        )


def _post(
    settlement: Settlement, item: SettlementItem, fund: Held, *, actor: str, on: date
) -> None:
    year = fund.open_year(on.year) if settlement.year is None else settlement.year
    for event, lines in _bookings(settlement, item, fund):
        posting = Posting(event, on, settlement.document_number, item.pk, actor)
        funds.post(fund=fund, posting=posting, lines=lines, year=year)


def _bookings(
    settlement: Settlement, item: SettlementItem, fund: Held
) -> list[tuple[Event, entries.Lines]]:
    """The entries of one tier's decision, in order."""
    found = [
        (Event.USE_APPROVED, entries.use_approved(item.approved_fen)),
        (Event.USE_DISALLOWED, entries.use_disallowed(item.disallowed_fen)),
    ]
    if settlement.year is None:
        found.append((Event.SURPLUS_RETURNED, _surplus(item, fund)))
    return [(event, lines) for event, lines in found if lines]


def bookings(*, settlement_id: int) -> list[tuple[SettlementItem, Event, entries.Lines]]:
    """What the ledger will say if the decision is booked now, for whoever is to book it.

    Nothing is locked or written. Raises DomainError `settlement_surplus` as the booking would.
    """
    settlement = Settlement.objects.get(pk=settlement_id)
    items = settlement.items.select_related("fund__institution", "fund__scheme").order_by("fund_id")
    seen = funds.seen(fund_ids=[item.fund_id for item in items])
    return [
        (item, event, lines)
        for item in items
        if item.approved_fen is not None
        for event, lines in _bookings(settlement, item, seen[item.fund_id])
    ]


def _surplus(item: SettlementItem, fund: Held) -> entries.Lines:
    """The bank's own advance is repaid out of what is left; the rest goes back to finance."""
    owed = -fund.bank_advance_fen
    if fund.available_fen < item.surplus_fen + min(owed, fund.available_fen):
        raise DomainError(
            "settlement_surplus",
            bilingual(
                "专户可用余额不足以退回结余，请先处理预留或撤回重做清算",
                "less is available than the surplus to return: settle what is reserved first",
            ),
        )
    repaid = entries.advance_repaid(owed_fen=owed, available_fen=fund.available_fen)
    return repaid + entries.surplus_returned(item.surplus_fen)
