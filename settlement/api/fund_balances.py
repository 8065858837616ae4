"""`fund-balances/`: what each fund holds, has set aside, owes and is owed, as of now (domain §5)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.paging import page, page_of
from config.kernel.api.serializers import ChoiceField, PageQuery, query
from loans.api.fields import WordsField, YuanField
from settlement.api.endpoints import MoneyEndpoint, narrowed
from settlement.models import Fund
from settlement.models.ledger import Purpose
from settlement.models.plan import TIERS

LOOKUPS = {
    "scheme_code": "scheme__code",
    "institution_code": "institution__code",
    "tier": "tier",
    "purpose": "purpose",
}


class FundQuery(PageQuery):
    """Filters of the list."""

    scheme_code = WordsField(required=False, max_length=60)
    institution_code = WordsField(required=False, max_length=60)
    tier = ChoiceField(choices=TIERS, required=False)
    purpose = ChoiceField(choices=Purpose.values, required=False)


class OwedField(YuanField):
    """An account of what is owed: its balance is on the credit side, below zero."""

    def to_representation(self, value: int) -> str:
        """The amount owed."""
        return super().to_representation(-value)


class FundBalanceOut(serializers.Serializer[Any]):
    """One fund, in yuan."""

    id = serializers.IntegerField()
    scheme_code = serializers.CharField(source="scheme.code")
    institution_code = serializers.CharField(source="institution.code")
    tier = serializers.CharField()
    purpose = serializers.CharField()
    special_account = YuanField(source="special_account_fen", help_text="贴息专户余额 / in it")
    reserved = YuanField(source="reserved_fen", help_text="其中已预留 / set aside by plans")
    available = YuanField(source="available_fen", help_text="可用 / may be paid out")
    bank_advance = OwedField(source="bank_advance_fen", help_text="银行垫付 / the bank advanced")
    treasury_advance = OwedField(
        source="treasury_advance_fen",
        help_text="预拨资金，未结算 / paid ahead by finance and not settled",
    )
    subsidy_applied = YuanField(
        source="subsidy_applied_fen", help_text="已代付，未结算 / paid to borrowers, not settled"
    )
    clawback_receivable = YuanField(
        source="clawback_receivable_fen", help_text="应收追回 / owed back by borrowers"
    )
    disallowed = YuanField(source="disallowed_fen", help_text="核减 / borne by the bank")
    closed_through = serializers.IntegerField(
        help_text="已结算年度（含），0 为无 / last settled year, 0 for none"
    )
    as_of = serializers.SerializerMethodField(help_text="查询时间 / the moment of the answer")

    def get_as_of(self, fund: Fund) -> str:  # noqa: ARG002 (the framework's signature)
        """The same for the whole page."""
        moment: str = self.context["as_of"]
        return moment


class FundBalances(MoneyEndpoint):
    """Counters moved with every entry: what is told here is what the ledger adds up to."""

    needs = {"list": "fund-balances:read"}

    @extend_schema(
        summary="专户余额 / fund balances",
        parameters=[FundQuery],
        responses=page_of(FundBalanceOut),
    )
    def list(self, request: Request) -> Response:
        """Latest fund first."""
        asked = query(FundQuery, request)
        rows = Fund.objects.select_related("scheme", "institution")
        rows = narrowed(self.of_own_schemes(rows, "scheme__code"), asked, LOOKUPS)
        context = {"as_of": timezone.localtime().isoformat()}
        return page(self, rows, lambda row: FundBalanceOut(row, context=context).data, asked=asked)
