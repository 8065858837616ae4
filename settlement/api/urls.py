"""Addresses of money."""

from typing import Any

from django.urls import URLPattern, path

from config.kernel.api.answers import BY_KEY
from settlement.api.clawbacks import ClawbackOrders
from settlement.api.deductions import Deductions
from settlement.api.duplicate_probes import DuplicateProbes
from settlement.api.fund_balances import FundBalances
from settlement.api.pre_allocations import PreAllocations
from settlement.api.runs import DeductionRuns
from settlement.api.settlements import Liquidations, Settlements

LIST: dict[str, Any] = {"get": "list"}
ONE: dict[str, Any] = {"get": "retrieve"}
BOTH: dict[str, Any] = {"get": "list", "post": "create"}
DECISION: dict[str, Any] = {"post": "decision"}


def _of(stem: str, view: Any, collection: dict[str, Any]) -> list[URLPattern]:
    """A collection, a row of it, and the answers kept of what was posted to it."""
    name = f"api-{stem}"
    return [
        path(f"{stem}/", view.as_view(collection), name=name),
        path(f"{stem}/by-key/<str:key>/", view.as_view(BY_KEY), name=f"{name}-by-key"),
        path(f"{stem}/<str:id>/", view.as_view(ONE), name=name.removesuffix("s")),
    ]


urlpatterns: list[URLPattern] = [
    *_of("pre-allocations", PreAllocations, BOTH),
    *_of("settlements", Settlements, LIST),
    *_of("liquidations", Liquidations, LIST),
    *_of("clawback-orders", ClawbackOrders, BOTH),
    *_of("duplicate-probes", DuplicateProbes, {"post": "create"}),
    path("settlements/<str:id>/decision/", Settlements.as_view(DECISION), name="api-decision"),
    path(
        "liquidations/<str:id>/decision/",
        Liquidations.as_view(DECISION),
        name="api-liquidation-decision",
    ),
    path("fund-balances/", FundBalances.as_view(LIST), name="api-fund-balances"),
    path("deductions/", Deductions.as_view(LIST), name="api-deductions"),
    path("deductions/<str:id>/", Deductions.as_view(ONE), name="api-deduction"),
    path(
        "deductions/<str:id>/explanation/",
        Deductions.as_view({"get": "explain"}),
        name="api-deduction-explanation",
    ),
    path("deduction-runs/", DeductionRuns.as_view({"post": "create"}), name="api-deduction-runs"),
    path(
        "deduction-runs/by-key/<str:key>/",
        DeductionRuns.as_view(BY_KEY),
        name="api-deduction-runs-by-key",
    ),
]
