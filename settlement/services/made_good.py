"""The bank's own money for what it has to bear: entered by one, booked when another checks it."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.engine import entries
from settlement.models import Event, Fund, MadeGood
from settlement.services import checking, funds
from settlement.services.funds import Held, Posting


@transaction.atomic
def record_made_good(
    *, fund_id: int, moved_on: date, amount_fen: int, reference: str, actor: str, at: datetime
) -> int:
    """Enter what the bank paid in; no more than it has to bear and has not entered yet.

    Known by the bank's reference: the same again is refused. Raises DomainError `unknown_fund`,
    `reference_missing`, `made_good_known`, `made_good_beyond_borne`.
    """
    fund = _locked(fund_id)
    _refuse_known(fund, reference)
    waiting = MadeGood.objects.filter(fund=fund, checked_by__isnull=True)
    left = fund.disallowed_fen - sum(waiting.values_list("amount_fen", flat=True))
    if not 0 < amount_fen <= left:
        raise DomainError(
            "made_good_beyond_borne",
            bilingual(
                f"金额须大于零且不超过银行应承担的 {yuan_from_fen(left)} 元",
                f"between 0.01 and {yuan_from_fen(left)} yuan, what the bank has to bear",
            ),
        )
    made = MadeGood.objects.create(
        institution_id=fund.institution_id,
        fund=fund,
        moved_on=moved_on,
        amount_fen=amount_fen,
        reference=reference,
        made_by=actor,
        made_at=at,
    )
    return int(made.pk)


@transaction.atomic
def check_made_good(*, made_good_id: int, actor: str, at: datetime) -> None:
    """Let a second person check it; it is then in the special account."""
    fund, made = _waiting(made_good_id, actor)
    made.checked_by, made.checked_at = actor, at
    made.save(update_fields=["checked_by", "checked_at"])
    funds.post(
        fund=fund,
        posting=Posting(Event.MADE_GOOD, at.date(), made.reference, made.pk, actor),
        lines=entries.made_good(made.amount_fen),
        year=fund.open_year(made.moved_on.year),
    )


@transaction.atomic
def refuse_made_good(*, made_good_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse it, for a reason: nothing is booked; enter it anew."""
    _, made = _waiting(made_good_id, actor)
    made.refused_why = reasons.required(why)
    made.checked_by, made.checked_at = actor, at
    made.save(update_fields=["refused_why", "checked_by", "checked_at"])


def _locked(fund_id: int) -> Fund:
    if not Fund.objects.filter(pk=fund_id).exists():
        raise DomainError(
            "unknown_fund", bilingual(f"没有这项资金：{fund_id}", "no such fund in your scope")
        )
    funds.lock(fund_ids=[fund_id])
    return Fund.objects.get(pk=fund_id)


def _refuse_known(fund: Fund, reference: str) -> None:
    if not reference.strip():
        raise DomainError(
            "reference_missing", bilingual("须填银行流水号", "give the bank's reference")
        )
    known = MadeGood.objects.filter(fund=fund, reference=reference, refused_why="").first()
    if known is not None:
        raise DomainError(
            "made_good_known",
            bilingual(
                f"流水号 {reference} 已登记（{known.moved_on}，{yuan_from_fen(known.amount_fen)} 元），"
                "未重复登记",
                f"entered already ({known.moved_on}, {yuan_from_fen(known.amount_fen)} yuan), and not"
                " entered again",
            ),
        )


def _waiting(made_good_id: int, actor: str) -> tuple[Held, MadeGood]:
    """The row and its fund, locked; refuses one that waits for nobody, or for oneself."""
    fund_id = MadeGood.objects.values_list("fund_id", flat=True).filter(pk=made_good_id).first()
    if fund_id is None:
        raise DomainError(
            "unknown_made_good",
            bilingual(f"没有这笔银行补足：{made_good_id}", "no such payment in your scope"),
        )
    fund = funds.lock(fund_ids=[fund_id])[fund_id]
    made = MadeGood.objects.select_for_update().get(pk=made_good_id)
    checking.require_other(row=made, actor=actor)
    return fund, made
