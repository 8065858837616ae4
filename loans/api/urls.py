"""Addresses of facts."""

from typing import Any

from django.db import transaction
from django.urls import URLPattern, path

from config.kernel.api.answers import BY_KEY
from loans.api.external import ExternalSubsidies
from loans.api.facts import FactEndpoint, InterestCollections, Notes, Repayments, ReviewResults
from loans.api.imports import Imports

CREATE: dict[str, Any] = {"post": "create"}
FACTS: tuple[type[FactEndpoint], ...] = (Notes, Repayments, InterestCollections, ReviewResults)
urlpatterns: list[URLPattern] = [
    *(path(f"{of.kind}/", of.as_view(CREATE), name=f"api-{of.kind}") for of in FACTS),
    *(
        path(f"{of.kind}/by-key/<str:key>/", of.as_view(BY_KEY), name=f"api-{of.kind}-by-key")
        for of in FACTS
    ),
    path("external-subsidies/", ExternalSubsidies.as_view(CREATE), name="api-external-subsidies"),
    path("imports/", transaction.non_atomic_requests(Imports.as_view(CREATE)), name="api-imports"),
    path(
        "external-subsidies/by-key/<str:key>/",
        ExternalSubsidies.as_view(BY_KEY),
        name="api-external-subsidies-by-key",
    ),
    path("imports/by-key/<str:key>/", Imports.as_view(BY_KEY), name="api-imports-by-key"),
]
