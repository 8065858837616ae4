"""`pre-allocations/`: what finance pays ahead, or takes back with a negative amount (SME-12, EQ-06, MF-23, ST-16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils.timezone import localtime
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.paging import page, page_of
from config.kernel.api.problems import Fault, Problem
from config.kernel.api.serializers import ChoiceField, PageQuery, query
from config.kernel.services.second_person import stand_in
from loans.api import items, shapes
from loans.api.facts import Counts, FactEndpoint, counts
from loans.api.fields import WordsField, YuanField
from settlement.api.endpoints import MoneyEndpoint, narrowed
from settlement.selectors import told_money
from settlement.selectors.told_money import BOOKED, REFUSED, WAITING
from settlement.services import one_pre_allocation, pre_allocations
from settlement.services.funds import InsufficientFunds

if TYPE_CHECKING:
    from loans.services.outcomes import Outcome, Source

STATES = (BOOKED, WAITING, REFUSED)
STATE_HELP = (
    "booked 已入账，waiting 待银行复核，refused 已退回"
    " / booked, waiting for the bank's checker, or refused"
)
KNOWN = "该文号的预拨已登记过，未重复登记 / stored already under this document number, not entered again"
EXAMPLE = {
    "scheme_code": "central-sme-2026",
    "institution_code": "B0000000000001",
    "tier": "central",
    "received_on": "2026-01-10",
    "amount": "1000000.00",
    "document_number": "财金〔2026〕1号",
}


class PreAllocationQuery(PageQuery):
    """Filters of the list."""

    scheme_code = WordsField(required=False, max_length=60)
    institution_code = WordsField(required=False, max_length=60)
    document_number = WordsField(required=False, max_length=100)
    state = ChoiceField(choices=STATES, required=False)


class PreAllocationOut(serializers.Serializer[Any]):
    """One, and what became of it."""

    id = serializers.IntegerField()
    scheme_code = serializers.CharField()
    institution_code = serializers.CharField(source="institution.code")
    tier = serializers.CharField()
    purpose = serializers.CharField()
    received_on = serializers.DateField()
    amount = YuanField(source="amount_fen")
    document_number = serializers.CharField()
    state = serializers.SerializerMethodField(help_text=STATE_HELP)
    answered_at = serializers.SerializerMethodField(
        help_text="入账或退回的时间 / when it was booked or refused"
    )
    refused_why = serializers.SerializerMethodField(help_text="退回原因 / why it was refused")

    def get_state(self, row: Any) -> str:
        """Which of the three."""
        return told_money.state_of(row)

    def get_answered_at(self, row: Any) -> str | None:
        """When, if it was."""
        answer = told_money.answer_to(row)
        return None if answer is None else localtime(answer.checked_at).isoformat()

    def get_refused_why(self, row: Any) -> str:
        """Nothing, unless it was."""
        return getattr(told_money.answer_to(row), "why", "")


class PreAllocatedOut(serializers.Serializer[Any]):
    """What one item became."""

    id = serializers.IntegerField()
    state = serializers.CharField(help_text=STATE_HELP)


class PreAllocationsOut(Counts):
    """What a post did, item by item in its order."""

    items = PreAllocatedOut(many=True)


class PreAllocations(MoneyEndpoint, FactEndpoint):
    """Evidence: what was told once stays; a mistake is told again with the sign turned."""

    kind = "pre-allocations"
    money = frozenset({"create"})
    needs = {
        "create": "pre-allocations:write",
        "by_key": "pre-allocations:write",
        "list": "pre-allocations:read",
        "retrieve": "pre-allocations:read",
    }

    @extend_schema(
        summary="登记预拨资金，负数为收回 / enter pre-allocations, taken back if negative",
        operation_id="post_pre_allocations",
        request={"application/json": shapes.one_or_many("pre-allocations")},
        responses={201: PreAllocationsOut},
        examples=[OpenApiExample("预拨 / paid ahead", EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Booked at once where somebody stands in for the bank's checker; else it waits for one."""
        return super().create(request)

    def stored_at_once(self, body: items.Body, source: Source) -> Response | None:
        """Money paid ahead, told by itself and new, which is what most posts are."""
        single = items.single(body=body)
        what = None if single is None else one_pre_allocation.ordinary(values=single.values)
        taken = None if single is None or what is None else single.take(source)
        if what is None or taken is None:
            return None
        checker = stand_in()
        is_booked = checker is not None and one_pre_allocation.book(
            pre_allocation_id=taken.key,
            institution_id=taken.institution_id,
            what=what,
            made_by=source.actor,
            checker=checker,
            at=source.at,
            scope=source.scope,
        )
        return self._told(taken.outcome, body, [taken.key], BOOKED if is_booked else WAITING)

    def stored(self, outcome: Outcome, body: items.Body, source: Source) -> Response:
        """Each has to be new: the same again is told, not passed over."""
        found = items.stored(kind=self.kind)
        _require_new(found, body)
        state = BOOKED if self._booked(found, body, source) else WAITING
        return self._told(outcome, body, [one.key for one in found], state)

    def _told(
        self, outcome: Outcome, body: items.Body, keys: Sequence[int], state: str
    ) -> Response:
        told = [{"id": key, "state": state} for key in keys]
        headers = {"Location": f"{self.request.path}{keys[0]}/"} if body.is_single else {}
        return Response(counts(outcome) | {"items": told}, status=201, headers=headers)

    def _booked(self, found: Sequence[items.Stored], body: items.Body, source: Source) -> bool:
        checker = stand_in()
        if checker is None:
            return False
        try:
            return pre_allocations.book_at_once(
                ids=[one.key for one in found],
                made_by=source.actor,
                checker=checker,
                at=source.at,
                scope=source.scope,
            )
        except InsufficientFunds as refused:
            problem = self.refusal(refused)
            assert problem is not None, "a rule's refusal"
            index = next(one.place for one in found if one.key == refused.source_id)
            pointer = f"{body.prefix(index)}/amount"
            problem.faults = [Fault(pointer, problem.code, problem.message)]
            raise problem from refused

    @extend_schema(
        summary="预拨资金列表 / pre-allocations",
        parameters=[PreAllocationQuery],
        responses=page_of(PreAllocationOut),
    )
    def list(self, request: Request) -> Response:
        """Latest first."""
        asked = query(PreAllocationQuery, request)
        rows = narrowed(
            _in_state(self._rows(), asked.get("state")),
            asked,
            {
                "scheme_code": "scheme_code",
                "institution_code": "institution__code",
                "document_number": "document_number",
            },
        )
        return page(self, rows, lambda row: PreAllocationOut(row).data, asked=asked)

    @extend_schema(summary="一笔预拨资金 / one pre-allocation", responses=PreAllocationOut)
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002 (the address's name)
        """With what became of it."""
        return Response(PreAllocationOut(self.found(self._rows(), id)).data)

    def _rows(self) -> QuerySet[Any]:
        return self.of_own_schemes(told_money.pre_allocations(), "scheme_code")


def _require_new(found: Sequence[items.Stored], body: items.Body) -> None:
    known = [one for one in found if one.was_known]
    if known:
        faults = [
            Fault(
                body.prefix(one.place),
                "row_known",
                f"已登记为 #{one.key} / stored already as #{one.key}",
            )
            for one in known
        ]
        more = {"known": [one.key for one in known]}
        raise Problem("row_known", KNOWN, status=409, faults=faults, more=more)


def _in_state(rows: QuerySet[Any], state: str | None) -> QuerySet[Any]:
    if state is None:
        return rows
    is_waiting = {"receipt__isnull": True, "refusal__isnull": True}
    answered = {BOOKED: {"receipt__isnull": False}, REFUSED: {"refusal__isnull": False}}
    return rows.filter(**answered.get(state, is_waiting))
