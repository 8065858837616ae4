"""Clients with an address for events, as the tests of webhooks want them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oauth2_provider.models import Application

from config.kernel.models import AnsweringInstitution, ApiClient, FinanceDepartment, Institution
from config.kernel.services import webhooks
from config.kernel.services.event_schemas import TOPICS
from config.kernel.services.webhooks import Made


def client(
    name: str, *, at: datetime, bank: Institution | None = None,
    department: FinanceDepartment | None = None,
) -> ApiClient:  # fmt: skip
    """A client that speaks for an institution or for a finance department."""
    application = Application.objects.create(
        name=name, client_type="confidential", authorization_grant_type="client-credentials"
    )
    return ApiClient.objects.create(
        application=application, name=name, bound_to=bank, department=department, scopes=["reports:read"],
        made_by="root", made_at=at,
    )  # fmt: skip


def department(*, schemes: Sequence[str], places: Sequence[Institution]) -> FinanceDepartment:
    """A finance department to which these institutions answer, for these schemes."""
    made = FinanceDepartment.objects.create(
        code="JSCZ", name="江苏省财政厅", level="provincial", region_code="320000",
        scheme_codes=list(schemes),
    )  # fmt: skip
    for place in places:
        AnsweringInstitution.objects.create(department=made, place=place)
    return made


def endpoint(owner: ApiClient, url: str, *, at: datetime, topics: Sequence[str] = TOPICS) -> Made:
    """An address of the client that hears every topic, or these."""
    return webhooks.add_endpoint(client_id=owner.pk, url=url, topics=topics, actor="root", at=at)
