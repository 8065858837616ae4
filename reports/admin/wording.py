"""Names of reports, as people say them (domain §6)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from loans.admin.base import scheme_name
from reports.models.names import REPORTS as REPORTS  # noqa: PLC0414 (for all pages of reports)
from reports.models.names import report_name as report_name  # noqa: PLC0414

EVERY_SCHEME = _("全部政策")


def scheme_or_all(code: str) -> Any:
    """The policy's name; a report without one is about all."""
    return scheme_name(code) if code else EVERY_SCHEME
