"""`clawback-orders/`: what finance demands back; the bank's second person decides (D20)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.answers import AnswersByKey
from config.kernel.api.paging import page, page_of
from config.kernel.api.serializers import (
    ChoiceField,
    FlagField,
    PageQuery,
    StrictSerializer,
    WholeNumberField,
    checked,
    query,
)
from loans.api.fields import PositiveAmountField, WordsField, YuanField
from settlement.api.endpoints import MoneyEndpoint, narrowed
from settlement.models import Clawback
from settlement.models.ledger import Purpose
from settlement.models.plan import TIERS
from settlement.services.claims import Named, propose_named
from settlement.services.clawbacks import Ground

ORDER = Clawback.Origin.ORDER
EXAMPLE = {
    "institution_code": "B0000000000011",
    "note_number": "JJ-1",
    "scheme_code": "central-sme-2026",
    "tier": "central",
    "year": 2026,
    "amount": "100.00",
    "reason": "贷款用途不符 / not used as agreed",
    "document_number": "财监〔2026〕3号",
}


class ClawbackOrderIn(StrictSerializer):
    """What is demanded: of which note, out of which fund, for which year of collection, and why."""

    institution_code = WordsField(max_length=60, help_text="发放机构 / who drew the note")
    note_number = WordsField(max_length=64)
    scheme_code = WordsField(max_length=60)
    tier = ChoiceField(choices=TIERS)
    purpose = ChoiceField(choices=Purpose.values, default=Purpose.INTEREST.value)
    year = WholeNumberField(low=2000, high=2100, help_text="收息年度 / year of collection")
    amount = PositiveAmountField()
    reason = WordsField(max_length=500)
    document_number = WordsField(max_length=100)
    is_offset = FlagField(
        default=True, help_text="从下次贴息抵扣 / offset against the next deduction (D20)"
    )


class ClawbackOrderQuery(PageQuery):
    """Filters of the list."""

    scheme_code = WordsField(required=False, max_length=60)
    institution_code = WordsField(required=False, max_length=60)
    note_number = WordsField(required=False, max_length=64)
    document_number = WordsField(required=False, max_length=100)
    state = ChoiceField(choices=Clawback.State.values, required=False)


class ClawbackOrderOut(serializers.Serializer[Any]):
    """One order and what came of it, in yuan."""

    id = serializers.IntegerField()
    institution_code = serializers.CharField(source="note.origin.code")
    note_number = serializers.CharField(source="note.note_number")
    scheme_code = serializers.CharField(source="fund.scheme.code")
    tier = serializers.CharField(source="fund.tier")
    purpose = serializers.CharField(source="fund.purpose")
    year = serializers.IntegerField()
    amount = YuanField(source="amount_fen")
    received = YuanField(source="received_fen", help_text="已到账 / received")
    offset = YuanField(source="offset_fen", help_text="已抵扣 / offset")
    written_off = YuanField(source="written_off_fen", help_text="已核销 / borne by the bank")
    open = YuanField(source="open_fen", help_text="尚欠 / still owed")
    is_offset = serializers.BooleanField()
    state = serializers.ChoiceField(choices=Clawback.State.values)
    reason = serializers.CharField(source="why")
    document_number = serializers.CharField()
    dismissed_why = serializers.CharField()
    ordered_at = serializers.DateTimeField(source="made_at")
    decided_at = serializers.DateTimeField(source="checked_at", allow_null=True)


class ClawbackOrders(MoneyEndpoint, AnswersByKey):
    """Orders of finance, whoever entered them."""

    money = frozenset({"create"})
    needs = {
        "create": "clawbacks:write",
        "by_key": "clawbacks:write",
        "list": "clawbacks:read",
        "retrieve": "clawbacks:read",
    }
    wrong = frozenset({"unknown_note"})
    pointers = {
        "unknown_note": "/note_number",
        "nothing_paid": "/tier",
        "clawback_beyond_paid": "/amount",
        "clawback_known": "/document_number",
    }

    @extend_schema(
        summary="下达追回通知 / order a clawback",
        request=ClawbackOrderIn,
        responses={201: ClawbackOrderOut},
        examples=[OpenApiExample("追回 / an order", EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """It waits for the bank's second person, as in the admin."""
        self.require_finance()
        asked = checked(ClawbackOrderIn, request.data)
        self.require_own_scheme(asked["scheme_code"])
        self.within(asked["institution_code"])

        def act(at: datetime) -> Response:
            made = propose_named(
                named=_named(asked), ground=_ground(asked), actor=self.caller.actor, at=at
            )
            return Response(
                ClawbackOrderOut(self._rows().get(pk=made)).data,
                status=201,
                headers={"Location": reverse("api-clawback-order", kwargs={"id": made})},
            )

        return self.acted(act)

    @extend_schema(
        summary="追回通知列表 / orders to claw back",
        parameters=[ClawbackOrderQuery],
        responses=page_of(ClawbackOrderOut),
    )
    def list(self, request: Request) -> Response:
        """Latest first."""
        asked = query(ClawbackOrderQuery, request)
        lookups = {
            "scheme_code": "fund__scheme__code",
            "institution_code": "note__origin__code",
            "note_number": "note__note_number",
            "document_number": "document_number",
            "state": "state",
        }
        rows = narrowed(self._rows(), asked, lookups)
        return page(self, rows, lambda row: ClawbackOrderOut(row).data, asked=asked)

    @extend_schema(summary="一份追回通知 / one order", responses=ClawbackOrderOut)
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 (the address's name)
        """With what came of it."""
        return Response(ClawbackOrderOut(self.found(self._rows(), id)).data)

    def _rows(self) -> QuerySet[Clawback]:
        rows = Clawback.objects.filter(origin=ORDER).select_related("fund__scheme", "note__origin")
        return self.of_own_schemes(rows, "fund__scheme__code")


def _named(asked: dict[str, Any]) -> Named:
    return Named(
        note_number=asked["note_number"],
        institution_code=asked["institution_code"],
        scheme_code=asked["scheme_code"],
        tier=asked["tier"],
        purpose=asked["purpose"],
        year=asked["year"],
        amount_fen=asked["amount"],
    )


def _ground(asked: dict[str, Any]) -> Ground:
    return Ground(
        origin=ORDER,
        origin_id=0,
        why=asked["reason"],
        document_number=asked["document_number"],
        is_offset=asked["is_offset"],
    )
