"""Addresses of deductions and of what is ordered over them."""

from django.urls import URLPattern, path

from settlement.api.deductions import Deductions
from settlement.api.runs import DeductionRuns

urlpatterns: list[URLPattern] = [
    path("deductions/", Deductions.as_view({"get": "list"}), name="api-deductions"),
    path("deductions/<str:id>/", Deductions.as_view({"get": "retrieve"}), name="api-deduction"),
    path(
        "deductions/<str:id>/explanation/",
        Deductions.as_view({"get": "explain"}),
        name="api-deduction-explanation",
    ),
    path("deduction-runs/", DeductionRuns.as_view({"post": "create"}), name="api-deduction-runs"),
]
