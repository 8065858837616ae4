"""A connected system of a province, its cursor and an answer: a row in every table of the connector."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from config.kernel.models import Institution
from settlement.models import ProvinceAnswer, ProvinceCursor, ProvinceSystem
from settlement.services import province_systems
from settlement.services.province_systems import Connection
from tests.integration.province_double import TOKEN


def connected(
    origin: str,
    *,
    at: datetime,
    code: str = "jiangsu",
    schemes: Sequence[str] = (),
    bound_to: Institution | None = None,
) -> ProvinceSystem:
    """A system that is told of every institution, or of one and those below it."""
    made = province_systems.register(
        code=code,
        definition="jiangsu-http",
        bound_to_id=None if bound_to is None else bound_to.pk,
        to=Connection(origin, TOKEN, schemes),
        actor="root",
        at=at,
    )
    return ProvinceSystem.objects.get(pk=made)


def dropped(*, at: datetime, code: str = "files", schemes: Sequence[str] = ()) -> ProvinceSystem:
    """A system without an interface."""
    made = province_systems.register(
        code=code,
        definition="jiangsu-file",
        bound_to_id=None,
        to=Connection("", "", schemes),
        actor="root",
        at=at,
    )
    return ProvinceSystem.objects.get(pk=made)


def answered(of: Institution, at: datetime) -> ProvinceAnswer:
    """A system of one institution that was closed, and what it had answered."""
    system = ProvinceSystem.objects.create(
        code=f"bank-{of.pk}", definition="reviews-only", bound_to=of, since=at, made_by="root",
        made_at=at,
    )  # fmt: skip
    ProvinceSystem.objects.filter(pk=system.pk).update(is_active=False)
    ProvinceCursor.objects.create(system=system, kind="review-results", cursor="1", asked_at=at)
    return ProvinceAnswer.objects.create(
        institution=of, system=system, kind="review-results", source="/results", sha256="0" * 64,
        outcome="taken", rows=1, inserted=1, at=at,
    )  # fmt: skip


def changed(at: datetime) -> None:
    """A system with a history."""
    made = connected("https://province.example", at=at, code="changed")
    to = Connection("https://province.example/new", "", [])
    province_systems.change(system_id=made.pk, to=to, actor="root", at=at)
