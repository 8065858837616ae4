"""A finance department and its client, with all that has a history, as the tests of pages want them."""

from __future__ import annotations

from datetime import timedelta

from config.kernel.models import (
    ApiClient,
    FinanceDepartment,
    IdempotencyKey,
    Institution,
    SigningKey,
)
from config.kernel.services import clients, departments
from config.kernel.services.clients import Speaker, Terms
from tests.integration import rows

TERMS = Terms(scopes=("reports:read",))


def told(*places: Institution, name: str = "财政局") -> FinanceDepartment:
    """A department to which these answer."""
    said = departments.Department(
        code="NJCZ", name=name, level="municipal", region_code="320100",
        scheme_codes=("central-sme-2026",), institution_codes=tuple(place.code for place in places),
    )  # fmt: skip
    return departments.register(department=said)


def known(place: Institution) -> ApiClient:
    """A client of the department, changed once in everything that keeps its history."""
    told(place)
    department = told(place, name="南京市财政局")
    client, _ = clients.register(
        name="treasury", speaks_for=Speaker(department=department), terms=TERMS, actor="root",
        at=rows.AT,
    )  # fmt: skip
    clients.rotate_secret(client_id=client.pk, actor="root", at=rows.AT)
    clients.change(client_id=client.pk, terms=Terms(scopes=("reports:read", "jobs:read")))
    clients.add_signing_key(
        client_id=client.pk, key_id="treasury-1", algorithm=SigningKey.Algorithm.HMAC_SHA256,
        material="k" * 32, actor="root", at=rows.AT,
    )  # fmt: skip
    IdempotencyKey.objects.create(
        client=client, key="key-of-the-treasury", fingerprint="0" * 64, method="POST",
        path="/api/v1/pre-allocations/", status=201, body="{}", at=rows.AT,
    )  # fmt: skip
    clients.end_signing_key(key_id="treasury-1", ends_at=rows.AT + timedelta(days=1))
    return client
