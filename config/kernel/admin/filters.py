"""Filters whose choices cost nothing, or one small query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.contrib.admin import FieldListFilter, ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Institution

MONTHS_MAX = 36
A_MONTH = re.compile(r"([12][0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)
MONTH_ID = 10**12  # ids of bulk tables are yyyymm × 10¹² + n


class LevelFilter(SimpleListFilter):
    """By the level of the row's institution."""

    title = _("机构层级")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """The three levels."""
        return Institution.Level.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of institutions of that level."""
        level = self.value()
        return queryset.filter(institution__level=level) if level else queryset


class YesNoFilter(SimpleListFilter):
    """Has something or has not."""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """Yes and no."""
        return [("yes", _("是")), ("no", _("否"))]


class MonthFilter(SimpleListFilter):
    """By month of a date; subclasses say which, and where the first and last month come from."""

    title = _("月份")
    parameter_name = "month"
    date_field = ""

    def ends(self, rows: QuerySet[Any]) -> tuple[int, int] | None:
        """The first and the last month there is, as yyyymm."""
        dates = rows.exclude(**{self.date_field: None})
        first = dates.order_by(self.date_field).values_list(self.date_field, flat=True).first()
        last = dates.order_by(f"-{self.date_field}").values_list(self.date_field, flat=True).first()
        if first is None or last is None:
            return None
        return first.year * 100 + first.month, last.year * 100 + last.month

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """The latest months, newest first."""
        ends = self.ends(model_admin.get_queryset(request))
        if ends is None:
            return []
        first, last = (divmod(month, 100) for month in ends)
        count = (last[0] - first[0]) * 12 + last[1] - first[1] + 1
        found = []
        for back in range(min(count, MONTHS_MAX)):
            year, month = divmod(last[0] * 12 + last[1] - 1 - back, 12)
            found.append(f"{year:04d}-{month + 1:02d}")
        return [(text, text) for text in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of that month, offered or not; what is no month filters nothing."""
        found = A_MONTH.fullmatch(self.value() or "")
        return self.in_month(queryset, int(found[1]), int(found[2])) if found else queryset

    def in_month(self, queryset: QuerySet[Any], year: int, month: int) -> QuerySet[Any]:
        """Rows whose date lies in the month."""
        return queryset.filter(
            **{f"{self.date_field}__year": year, f"{self.date_field}__month": month}
        )


class MonthOfIdFilter(MonthFilter):
    """By the month in the id of a partitioned table: one partition is read."""

    def ends(self, rows: QuerySet[Any]) -> tuple[int, int] | None:
        """From the smallest and the largest id."""
        ids = rows.values_list("pk", flat=True)
        first, last = ids.order_by("pk").first(), ids.order_by("-pk").first()
        return None if first is None or last is None else (first // MONTH_ID, last // MONTH_ID)

    def in_month(self, queryset: QuerySet[Any], year: int, month: int) -> QuerySet[Any]:
        """Rows whose id lies in the month's range."""
        start = (year * 100 + month) * MONTH_ID
        return queryset.filter(pk__gte=start, pk__lt=start + MONTH_ID)


def month_of(field: str) -> type[FieldListFilter]:
    """A month filter on one date column."""
    made: Any = type(f"MonthOf_{field}", (MonthFilter,), {"date_field": field})
    return made  # type: ignore[no-any-return]
