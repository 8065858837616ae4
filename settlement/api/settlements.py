"""`settlements/` and `liquidations/`: what the bank claims, and what finance decides (SME-16…18, EQ-09…10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.answers import AnswersByKey
from config.kernel.api.paging import page, page_of
from config.kernel.api.problems import Fault, Problem
from config.kernel.api.serializers import (
    ChoiceField,
    DayField,
    PageQuery,
    StrictSerializer,
    WholeNumberField,
    checked,
    query,
)
from config.kernel.services.second_person import stand_in
from loans.api.fields import AmountField, WordsField, YuanField
from settlement.api.endpoints import MoneyEndpoint, narrowed
from settlement.models import Settlement
from settlement.models.ledger import Purpose
from settlement.models.plan import TIERS
from settlement.services import settlement_decisions

TWICE = "同一层级和用途写了两次 / the same tier and purpose twice"
FUTURE = "批复日期不能晚于今天 / the day of a decision is not after today"
LOOKUPS = {
    "scheme_code": "scheme__code",
    "institution_code": "institution__code",
    "state": "state",
    "year": "year",
}


class LiquidationQuery(PageQuery):
    """Filters of liquidations."""

    scheme_code = WordsField(required=False, max_length=60)
    institution_code = WordsField(required=False, max_length=60)
    state = ChoiceField(choices=Settlement.State.values, required=False)


class SettlementQuery(LiquidationQuery):
    """Filters of settlements, which have a year."""

    year = WholeNumberField(low=2000, high=2100, in_query=True, required=False)


class ClaimItemOut(serializers.Serializer[Any]):
    """One tier's and purpose's account of the claim, in yuan."""

    tier = serializers.CharField(source="fund.tier")
    purpose = serializers.CharField(source="fund.purpose")
    opening = YuanField(source="opening_fen", help_text="期初结余 / opening balance")
    received = YuanField(source="received_fen", help_text="收到预拨 / received")
    used = YuanField(source="used_fen", help_text="代付贴息 / paid to borrowers")
    adjusted = YuanField(source="adjusted_fen", help_text="差额调减 / differences")
    clawback_decided = YuanField(source="clawback_decided_fen")
    clawback_settled = YuanField(source="clawback_settled_fen")
    clawed_back = YuanField(source="clawed_back_fen")
    written_off = YuanField(source="written_off_fen")
    made_good = YuanField(source="made_good_fen")
    returned = YuanField(source="returned_fen")
    claimed = YuanField(source="claimed_fen", help_text="申报结算 / claimed")
    surplus = YuanField(source="surplus_fen", help_text="结余 / surplus")
    gap = YuanField(source="gap_fen", help_text="缺口 / gap")
    receivable = YuanField(source="receivable_fen", help_text="期末应收追回 / still owed back")
    next_year_need = YuanField(source="next_year_need_fen")
    approved = YuanField(source="approved_fen", allow_null=True, help_text="认可 / approved")
    disallowed = YuanField(source="disallowed_fen", allow_null=True, help_text="核减 / disallowed")


class SettlementOut(serializers.Serializer[Any]):
    """One claim; `year` is null for a liquidation."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    scheme_code = serializers.CharField(source="scheme.code")
    institution_code = serializers.CharField(source="institution.code")
    year = serializers.IntegerField(allow_null=True)
    part = serializers.IntegerField()
    is_final = serializers.BooleanField()
    state = serializers.ChoiceField(choices=Settlement.State.values)
    document_number = serializers.CharField()
    decided_on = serializers.DateField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    booked_at = serializers.DateTimeField(allow_null=True)
    decision_refused_why = serializers.CharField(
        help_text="批复录入被银行退回的原因 / why the bank refused a decision as recorded"
    )
    items = ClaimItemOut(many=True)


class ApprovedIn(StrictSerializer):
    """What is approved of one tier and purpose, in yuan."""

    tier = ChoiceField(choices=TIERS)
    purpose = ChoiceField(choices=Purpose.values, default=Purpose.INTEREST.value)
    amount = AmountField()


class DecisionIn(StrictSerializer):
    """A decision: of every tier and purpose of the claim, or null for all that is claimed."""

    document_number = WordsField(max_length=100)
    decided_on = DayField()
    approved = serializers.ListField(child=ApprovedIn(), min_length=1, allow_null=True)


WHOLE = {"document_number": "财金〔2027〕8号", "decided_on": "2027-02-18", "approved": None}
IN_PART = {**WHOLE, "approved": [{"tier": "central", "amount": "1000.00"}]}


def _decision(zh: str, en: str) -> Any:
    return extend_schema(
        summary=f"{zh} / {en}",
        request=DecisionIn,
        responses=SettlementOut,
        examples=[
            OpenApiExample("全额 / in full", WHOLE, request_only=True),
            OpenApiExample("部分 / in part", IN_PART, request_only=True),
        ],
    )


class Claims(MoneyEndpoint, AnswersByKey):
    """Claims of one kind that were sent to finance; the bank sees its drafts, too."""

    kind: ClassVar[Settlement.Kind]
    filters: ClassVar[type[PageQuery]]
    money = frozenset({"decision"})
    wrong = frozenset({"settlement_tiers", "settlement_document"})
    pointers: ClassVar[Mapping[str, str]] = {
        "settlement_tiers": "/approved",
        "settlement_amount": "/approved",
        "settlement_document": "/document_number",
    }

    def list(self, request: Request) -> Response:
        """Latest first."""
        asked = query(self.filters, request)
        rows = narrowed(self._rows(), asked, LOOKUPS)
        return page(self, rows, lambda row: SettlementOut(row).data, asked=asked)

    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 (the address's name)
        """With its account by tier and purpose."""
        return Response(SettlementOut(self.found(self._rows(), id)).data)

    def decision(self, request: Request, id: str) -> Response:  # noqa: A002 (the address's name)
        """Recorded, and booked by the bank's checker or whoever stands in for them."""
        self.require_finance()
        row = self.found(self._rows(), id)
        asked = checked(DecisionIn, request.data)
        approved = _approved(asked["approved"])

        def act(at: datetime) -> Response:
            if asked["decided_on"] > at.date():
                raise Problem("refused_content", faults=[Fault("/decided_on", "rule", FUTURE)])
            settlement_decisions.decide_at_once(
                settlement_id=row.pk,
                approved=approved,
                document_number=asked["document_number"],
                decided_on=asked["decided_on"],
                checker=stand_in(),
                actor=self.caller.actor,
                at=at,
            )
            return Response(SettlementOut(self._rows().get(pk=row.pk)).data)

        return self.acted(act)

    def _rows(self) -> QuerySet[Settlement]:
        rows = Settlement.objects.filter(kind=self.kind).select_related("scheme", "institution")
        if self.caller.client.department is not None:
            rows = rows.exclude(checked_by=None)
        return self.of_own_schemes(rows, "scheme__code").prefetch_related("items__fund")


def _approved(given: Any) -> dict[tuple[str, str], int] | None:
    """Fen by tier and purpose, or None for all that is claimed."""
    if given is None:
        return None
    found: dict[tuple[str, str], int] = {}
    for index, one in enumerate(given):
        key = (one["tier"], one["purpose"])
        if key in found:
            raise Problem("refused_content", faults=[Fault(f"/approved/{index}", "rule", TWICE)])
        found[key] = one["amount"]
    return found


class Settlements(Claims):
    """Of a year, or a part of it."""

    kind = Settlement.Kind.ANNUAL
    filters = SettlementQuery
    needs = {
        "list": "settlements:read",
        "retrieve": "settlements:read",
        "decision": "settlements:decide",
        "by_key": "settlements:decide",
    }

    @extend_schema(
        summary="年度结算列表 / settlements",
        parameters=[SettlementQuery],
        responses=page_of(SettlementOut),
    )
    def list(self, request: Request) -> Response:
        """See the kind."""
        return super().list(request)

    @extend_schema(summary="一份年度结算 / one settlement", responses=SettlementOut)
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 (the address's name)
        """See the kind."""
        return super().retrieve(request, id)

    @_decision("批复年度结算", "decide a settlement")
    def decision(self, request: Request, id: str) -> Response:  # noqa: A002 (the address's name)
        """See the kind."""
        return super().decision(request, id)


class Liquidations(Claims):
    """Of everything, at the end of a scheme."""

    kind = Settlement.Kind.LIQUIDATION
    filters = LiquidationQuery
    needs = {
        "list": "settlements:read",
        "retrieve": "settlements:read",
        "decision": "liquidations:decide",
        "by_key": "liquidations:decide",
    }

    @extend_schema(
        summary="清算列表 / liquidations",
        parameters=[LiquidationQuery],
        responses=page_of(SettlementOut),
    )
    def list(self, request: Request) -> Response:
        """See the kind."""
        return super().list(request)

    @extend_schema(summary="一份清算 / one liquidation", responses=SettlementOut)
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 (the address's name)
        """See the kind."""
        return super().retrieve(request, id)

    @_decision("批复清算", "decide a liquidation")
    def decision(self, request: Request, id: str) -> Response:  # noqa: A002 (the address's name)
        """See the kind."""
        return super().decision(request, id)
