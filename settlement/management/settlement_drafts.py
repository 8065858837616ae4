"""What `settle` and `liquidate` share: draft at each institution, and print lines that tie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import MAKERS, ProjectCommand, now
from loans.values.errors import DomainError
from settlement.management.tables import table, yuan
from settlement.models import Purpose, Scheme, SettlementItem
from settlement.selectors import settlements
from settlement.services import forecasts
from settlement.services.settlements import Ask, draft

COLUMNS = (
    ("期初 opening", "opening_fen"),
    ("预拨 received", "received_fen"),
    ("代付 used", "used_fen"),
    ("调减 adjusted", "adjusted_fen"),
    ("决定追回 clawbacks", "clawback_decided_fen"),
    ("已追回 clawed back", "clawed_back_fen"),
    ("申报 claimed", "claimed_fen"),
    ("结余 surplus", "surplus_fen"),
    ("缺口 gap", "gap_fen"),
    ("应收追回 owed", "receivable_fen"),
    ("下年需求 next year", "next_year_need_fen"),
)


class DraftCommand(ProjectCommand):
    """A command that drafts settlements of one scheme; what is refused somewhere stops no other."""

    permitted = MAKERS

    def scheme(self, options: dict[str, Any]) -> Scheme:
        """The scheme asked for; an unknown one is refused."""
        found = Scheme.objects.filter(code=options["scheme"]).first()
        if found is None:
            raise CommandError(
                f"未装载的贴息政策：{options['scheme']} / unknown scheme: run load_schemes first"
            )
        return found

    def draft_everywhere(self, options: dict[str, Any], ask: Ask) -> list[SettlementItem]:
        """Draft at every institution in scope that holds money of the scheme, and print the lines."""
        scheme, actor = self.scheme(options), self.actor(options)
        places = settlements.institutions_with_funds(scheme_id=scheme.pk, scope=self.scope(options))
        needs = {}
        if places and ask.year is not None:
            needs = forecasts.needs_of_year(scheme_code=scheme.code, year=ask.year + 1)
        made, refused = [], []
        for place in places:
            try:
                drafted = draft(
                    institution_id=place,
                    scheme_id=scheme.pk,
                    ask=ask,
                    needs=needs,
                    actor=actor,
                    at=now(),
                )
            except DomainError as refusal:
                refused.append(f"{place}: {refusal}")
            else:
                made += [] if drafted is None else [drafted]
        items = settlements.items(settlement_ids=made)
        self.stdout.write(_lines(items) if items else "没有待结算的入账 / nothing to settle")
        if refused:
            raise CommandError("\n".join(refused))
        return items


def _lines(items: Sequence[SettlementItem]) -> str:
    lines = [
        [_name(item), *(yuan(getattr(item, column)) for _, column in COLUMNS)] for item in items
    ]
    sums = [yuan(sum(getattr(item, column) for item in items)) for _, column in COLUMNS]
    header = ["元 yuan", *(title for title, _ in COLUMNS)]
    return table(header, [*lines, ["合计 total", *sums]])


def _name(item: SettlementItem) -> str:
    settlement = item.settlement
    year = "" if settlement.year is None else f" {settlement.year}-{settlement.part}"
    final = "（末次 final）" if settlement.is_final else ""
    fee = "" if item.fund.purpose == Purpose.INTEREST else f" {item.fund.purpose}"
    return f"#{settlement.pk}{year}{final} {item.institution.code} {item.fund.tier}{fee}"
