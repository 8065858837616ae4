"""Addresses of facts."""

from typing import Any

from django.urls import URLPattern, path

from config.kernel.api.answers import BY_KEY
from loans.api.facts import FactEndpoint, InterestCollections, Notes, Repayments, ReviewResults

CREATE: dict[str, Any] = {"post": "create"}
FACTS: tuple[type[FactEndpoint], ...] = (Notes, Repayments, InterestCollections, ReviewResults)
urlpatterns: list[URLPattern] = [
    *(path(f"{of.kind}/", of.as_view(CREATE), name=f"api-{of.kind}") for of in FACTS),
    *(
        path(f"{of.kind}/by-key/<str:key>/", of.as_view(BY_KEY), name=f"api-{of.kind}-by-key")
        for of in FACTS
    ),
]
