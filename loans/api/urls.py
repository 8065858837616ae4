"""Addresses of facts."""

from typing import Any

from django.db import transaction
from django.urls import URLPattern, path

from loans.api.external import ExternalSubsidies
from loans.api.facts import InterestCollections, Notes, Repayments, ReviewResults
from loans.api.imports import Imports

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
    path("external-subsidies/", ExternalSubsidies.as_view(CREATE), name="api-external-subsidies"),
    path("imports/", transaction.non_atomic_requests(Imports.as_view(CREATE)), name="api-imports"),
]
