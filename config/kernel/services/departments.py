"""Finance departments: which institutions and schemes answer to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from django.db import transaction

from config.kernel.models import AnsweringInstitution, FinanceDepartment, Institution
from config.kernel.services.clients import Refused

_REGION = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class Department:
    """What is said of a department."""

    code: str
    name: str
    level: str
    region_code: str
    scheme_codes: tuple[str, ...]
    institution_codes: tuple[str, ...]


@transaction.atomic
def register(*, department: Department) -> FinanceDepartment:
    """Enter a department, or replace what was said of it; its history is kept.

    Raises Refused for unknown institutions, one below another, no scheme, and a region that is none.
    """
    if not _REGION.fullmatch(department.region_code):
        raise Refused("行政区划代码须为 6 位数字 / a region code has six digits")
    if not department.scheme_codes:
        raise Refused("至少一项主管政策 / at least one scheme")
    places = _places(department.institution_codes)
    row, _ = FinanceDepartment.objects.update_or_create(
        code=department.code,
        defaults={
            "name": department.name,
            "level": department.level,
            "region_code": department.region_code,
            "scheme_codes": sorted(set(department.scheme_codes)),
        },
    )
    row.answering.exclude(place__in=places).delete()
    known = set(row.answering.values_list("place_id", flat=True))
    AnsweringInstitution.objects.bulk_create(
        AnsweringInstitution(department=row, place=place)
        for place in places
        if place.pk not in known
    )
    return row


def _places(codes: tuple[str, ...]) -> list[Institution]:
    places = list(Institution.objects.filter(code__in=codes).order_by("pk"))
    unknown = sorted(set(codes) - {place.code for place in places})
    if unknown or not places:
        raise Refused(f"未登记的机构编码：{', '.join(unknown)} / unknown institutions")
    for above, below in pairwise(places):
        if below.pk <= above.last_id:
            raise Refused(f"{below.code} 已在 {above.code} 之下 / is below the other already")
    return places
