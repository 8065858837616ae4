"""Addresses of facts."""

from typing import Any

from django.urls import URLPattern, path

from loans.api.facts import InterestCollections, Notes, Repayments, ReviewResults

CREATE: dict[str, Any] = {"post": "create"}
urlpatterns: list[URLPattern] = [
    path("notes/", Notes.as_view(CREATE), name="api-notes"),
    path("repayments/", Repayments.as_view(CREATE), name="api-repayments"),
    path(
        "interest-collections/",
        InterestCollections.as_view(CREATE),
        name="api-interest-collections",
    ),
    path("review-results/", ReviewResults.as_view(CREATE), name="api-review-results"),
]
