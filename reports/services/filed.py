"""The reports finance already has, and the papers behind subsidies, for whoever packs them up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from loans.selectors.kept_files import opened_file
from reports.definitions import period
from reports.models import Report, ReportFile
from reports.services import storing
from reports.services.audit_pack import Filed
from settlement.selectors.papers import files_of

if TYPE_CHECKING:
    from reports.services.catalogue import Asked


def filed(asked: Asked, *, but: str) -> list[Filed]:
    """Every file of every version that was submitted, of periods within the one asked about.

    `but`: the code of the report that asks, which is not packed into itself. Reading a file raises
    DomainError `file_missing` or `file_tampered`.
    """
    reports = Report.objects.filter(
        institution_id__gte=asked.scope[0],
        institution_id__lte=asked.scope[1],
        submitted_at__isnull=False,
    ).exclude(code=but)
    if asked.scheme_code is not None:
        reports = reports.filter(scheme_code__in=("", asked.scheme_code))
    within = [one.pk for one in reports if _is_within(one.period, asked.period)]
    files = ReportFile.objects.filter(report_id__in=within).order_by("report_id", "name")
    return [
        Filed(
            name=f"reports/{file.report_id}/{file.name}",
            title="已报送报表",
            opened=partial(storing.opened, file=file),
        )
        for file in files
    ]


def papers(asked: Asked, *, note_ids: Sequence[int]) -> list[Filed]:
    """Files attached to these notes, and to the institutions asked about; named by their content.

    What is attached to other notes is listed with its sha256 in the register of papers. Reading a file
    raises as `filed`.
    """
    found = files_of(note_ids=note_ids, scheme_code=asked.scheme_code, scope=asked.scope)
    return [
        Filed(
            name=f"papers/{sha256}.{name.rpartition('.')[2].lower()}",
            title="资料",
            opened=partial(opened_file, sha256=sha256, name=name),
        )
        for sha256, name in found
    ]


def _is_within(code: str, asked: period.Period) -> bool:
    one = period.parse(code)
    return one is not None and asked.start <= one.start and one.end <= asked.end
