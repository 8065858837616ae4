"""`GET deductions/`: postings, originals and numbered differences, and how each came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet, Sum
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.paging import page
from config.kernel.api.problems import Problem
from config.kernel.api.serializers import (
    CodeField,
    DayField,
    NoQuery,
    PageQuery,
    WholeNumberField,
    query,
)
from config.kernel.services import scope
from loans.api.endpoints import RuledEndpoint
from loans.selectors.notes import note_card
from loans.values.money import scaled_text, yuan_from_fen
from settlement.api.explained import ExplanationOut, explanation
from settlement.engine import TIERS
from settlement.engine.codes import cut_reasons
from settlement.models import Deduction
from settlement.selectors.deductions import note_ids
from settlement.services.own_explanations import explain_posted

CODE_MAX, NUMBER_MAX = 60, 64
RUN_MAX = 10**9 - 1
NO_TERMS = "该政策没有生效的版本，无法说明 / the scheme has no version in force to explain it by"
RELATED = (
    "institution",
    "note__contract__enterprise",
    "collection",
    "scheme",
    "version",
)


class DeductionQuery(PageQuery):
    """Which postings."""

    scheme_code = CodeField(required=False, max_length=CODE_MAX)
    institution_code = CodeField(required=False, max_length=NUMBER_MAX)
    note_number = CodeField(required=False, max_length=NUMBER_MAX)
    uscc = CodeField(required=False, max_length=18)
    collected_from = DayField(required=False)
    collected_to = DayField(required=False, help_text="含当日 / this day included")
    run = WholeNumberField(low=1, high=RUN_MAX, in_query=True, required=False)


def _money(told: str) -> serializers.CharField:
    return serializers.CharField(help_text=f"元，{told} yuan")


_POSTING: dict[str, Any] = {
    "id": serializers.IntegerField(),
    "scheme_code": serializers.CharField(),
    "institution_code": serializers.CharField(),
    "uscc": serializers.CharField(),
    "contract_number": serializers.CharField(),
    "note_number": serializers.CharField(),
    "collection_reference": serializers.CharField(),
    "collected_on": serializers.DateField(),
    "period_start": serializers.DateField(),
    "period_end": serializers.DateField(),
    "sequence": serializers.IntegerField(
        help_text="0 = 原始，其后为差额 / 0: the original, then differences"
    ),
    "posted_on": serializers.DateField(),
    "run": serializers.IntegerField(),
    "scheme_version": serializers.IntegerField(),
    "days": serializers.IntegerField(),
    "product": serializers.CharField(help_text="积数，元·天 / yuan-days"),
    "raw_central": _money("限额前 / before caps,"),
    "raw_provincial": _money("限额前 / before caps,"),
    "raw_municipal": _money("限额前 / before caps,"),
    "central": _money("本次入账 / this posting's change,"),
    "provincial": _money("本次入账 / this posting's change,"),
    "municipal": _money("本次入账 / this posting's change,"),
    "total": _money("本次入账 / this posting's change,"),
    "cut_reasons": serializers.ListField(child=serializers.CharField()),
    "why": serializers.CharField(help_text="差额的原因 / why there is a difference"),
}
NetOut = inline_serializer(
    "DeductionNet",
    {
        "last_sequence": serializers.IntegerField(),
        **{name: serializers.CharField() for name in (*TIERS, "total")},
    },
)
Posting = inline_serializer("Deduction", dict(_POSTING))
PostingWithNet = inline_serializer("DeductionWithNet", {**_POSTING, "net": NetOut})
PostingPage = inline_serializer(
    "DeductionPage",
    {
        "next": serializers.URLField(allow_null=True),
        "results": inline_serializer("DeductionRow", dict(_POSTING), many=True),
    },
)


def posting(row: Deduction) -> dict[str, Any]:
    """One posting; money is its change, days, product and raw amounts the state after it."""
    money = {tier: getattr(row, f"{tier}_fen") for tier in TIERS}
    collection, contract = row.collection, row.note.contract
    return {
        "id": row.pk,
        "scheme_code": row.scheme.code,
        "institution_code": row.institution.code,
        "uscc": contract.enterprise.uscc,
        "contract_number": contract.contract_number,
        "note_number": row.note.note_number,
        "collection_reference": collection.reference,
        "collected_on": row.collected_on.isoformat(),
        "period_start": collection.period_start.isoformat(),
        "period_end": collection.period_end.isoformat(),
        "sequence": row.sequence,
        "posted_on": row.posted_on.isoformat(),
        "run": row.run_id,
        "scheme_version": row.version.version,
        "days": row.days,
        "product": scaled_text(row.product, decimals=2, keep=2),
        **{f"raw_{tier}": yuan_from_fen(getattr(row, f"raw_{tier}_fen")) for tier in TIERS},
        **{tier: yuan_from_fen(fen) for tier, fen in money.items()},
        "total": yuan_from_fen(sum(money.values())),
        "cut_reasons": list(cut_reasons(row.cut_reasons)),
        "why": row.why,
    }


def net(row: Deduction) -> dict[str, Any]:
    """What all postings of the same collection under the same scheme add up to."""
    of_same = Deduction.objects.filter(
        note_id=row.note_id, collection_id=row.collection_id, scheme_id=row.scheme_id
    )
    sums = of_same.aggregate(**{tier: Sum(f"{tier}_fen") for tier in TIERS})
    last = of_same.order_by("-sequence").values_list("sequence", flat=True).first()
    return {
        "last_sequence": last,
        **{tier: yuan_from_fen(fen) for tier, fen in sums.items()},
        "total": yuan_from_fen(sum(sums.values())),
    }


class Deductions(RuledEndpoint):
    """Postings of the caller's institutions; finance departments see those of their schemes."""

    needs = dict.fromkeys(("list", "retrieve", "explain"), "deductions:read")

    @extend_schema(
        summary="查询贴息入账 / list postings of deductions",
        operation_id="list_deductions",
        parameters=[DeductionQuery],
        responses={200: PostingPage},
    )
    def list(self, request: Request) -> Response:
        """A page, newest collections first."""
        asked = query(DeductionQuery, request)
        return page(self, self._chosen(asked), posting, asked=asked)

    @extend_schema(
        summary="查看一笔贴息入账 / read one posting",
        operation_id="get_deduction",
        responses={200: PostingWithNet},
    )
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 (the address calls it so)
        """One posting, with the net of its collection and scheme."""
        query(NoQuery, request)
        row = self.found(self._rows(), id)
        return Response({**posting(row), "net": net(row)})

    @extend_schema(
        summary="说明一笔贴息如何算出 / explain a deduction, step by step",
        operation_id="explain_deduction",
        responses={200: ExplanationOut},
    )
    def explain(self, request: Request, id: str) -> Response:  # noqa: A002 (the address calls it so)
        """The working of its collection under its scheme, whichever of its postings is asked for."""
        query(NoQuery, request)
        row = self.found(self._rows(), id)
        note = note_card(note_id=row.note_id)
        assert note is not None, "whoever sees a deduction sees its note"
        try:
            found = explain_posted(
                note=note, collection_id=row.collection_id, scheme_code=row.scheme.code
            )
        except LookupError as error:
            raise Problem("scheme_not_in_force", NO_TERMS, status=409) from error
        return Response(explanation(found))

    def _rows(self) -> QuerySet[Deduction]:
        rows = Deduction.objects.select_related(*RELATED)
        own = self.caller.scheme_codes
        return rows if own is None else rows.filter(scheme__code__in=sorted(own))

    def _chosen(self, asked: Mapping[str, Any]) -> QuerySet[Deduction]:
        rows = self._rows()
        names = {
            "scheme_code": "scheme__code",
            "institution_code": "institution__code",
            "collected_from": "collected_on__gte",
            "collected_to": "collected_on__lte",
            "run": "run_id",
        }
        rows = rows.filter(**{names[name]: asked[name] for name in names if name in asked})
        if "note_number" in asked or "uscc" in asked:
            rows = rows.filter(note_id__in=self._notes(asked))
        return rows

    def _notes(self, asked: Mapping[str, Any]) -> set[int]:
        """Notes first: their postings have an index, and a page by number alone would walk them all."""
        found: set[int] = set()
        for part in self.caller.ranges:
            scope.set_scope(*part)
            found |= note_ids(note_number=asked.get("note_number"), uscc=asked.get("uscc"))
        return found
