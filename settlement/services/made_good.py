"""The bank's own money for what it has to bear: entered by one, booked when another checks it."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.engine import entries
from settlement.models import Event, Fund, MadeGood
from settlement.services import funds
from settlement.services.funds import Posting


@transaction.atomic
def record_made_good(
    *, fund_id: int, moved_on: date, amount_fen: int, reference: str, actor: str, at: datetime
) -> int:
    """Enter what the bank paid in; no more than it has to bear and has not entered yet."""
    funds.lock(fund_ids=[fund_id])
    fund = Fund.objects.get(pk=fund_id)
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
    fund_id = MadeGood.objects.values_list("fund_id", flat=True).get(pk=made_good_id)
    fund = funds.lock(fund_ids=[fund_id])[fund_id]
    made = MadeGood.objects.select_for_update().get(pk=made_good_id)
    if made.checked_by is not None or made.made_by == actor:
        raise DomainError(
            "own_work" if made.checked_by is None else "already_checked",
            bilingual(
                "须由另一人复核，且只复核一次",
                "checked once, by another person than who entered it",
            ),
        )
    made.checked_by, made.checked_at = actor, at
    made.save(update_fields=["checked_by", "checked_at"])
    funds.post(
        fund=fund,
        posting=Posting(Event.MADE_GOOD, at.date(), made.reference, made.pk, actor),
        lines=entries.made_good(made.amount_fen),
        year=fund.open_year(made.moved_on.year),
    )
