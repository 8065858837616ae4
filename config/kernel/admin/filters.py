"""Filters whose choices cost nothing, or one small query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from django.contrib.admin import FieldListFilter, ModelAdmin, SimpleListFilter
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Institution

MONTHS_MAX = 36
A_MONTH = re.compile(r"([12][0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)
YEARS = 12
MONTH_ID = 10**12  # ids of bulk tables are yyyymm × 10¹² + n


class LevelFilter(SimpleListFilter):
    """By the level of the row's institution."""

    title = _("机构层级")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """The three levels."""
        return Institution.Level.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of institutions of that level: as numbers, of which the database knows how many rows each has."""
        level = self.value()
        if not level:
            return queryset
        of_level = Institution.objects.filter(level=level).values_list("pk", flat=True)
        return queryset.filter(institution_id__in=list(of_level))


class YesNoFilter(SimpleListFilter):
    """Has something or has not."""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """Yes and no."""
        return [("yes", _("是")), ("no", _("否"))]


class YearFilter(SimpleListFilter):
    """By year, without asking the table which years there are."""

    title = _("年度")
    parameter_name = "year"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """Next year and those before."""
        following = timezone.localdate().year + 1
        return [(str(year), str(year)) for year in range(following, following - YEARS, -1)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of that year; a year that is not offered filters nothing."""
        year = self.value()
        offered = {choice for choice, _title in self.lookup_choices}
        return queryset.filter(year=int(year)) if year in offered and year else queryset


class MonthFilter(SimpleListFilter):
    """By month of a date; subclasses say which, and where the first and last month come from."""

    title = _("月份")
    parameter_name = "month"
    date_field = ""

    def ends(self, rows: QuerySet[Any]) -> tuple[int, int] | None:
        """The first and the last month there is, as yyyymm."""
        model, name = self._column(rows)
        if model is not rows.model:  # the index is the other table's
            rows = model.objects.all()
        dates = rows.exclude(**{name: None}).values_list(name, flat=True)
        first, last = dates.order_by(name).first(), dates.order_by(f"-{name}").first()
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
        """Rows whose date lies in the month, as a range that an index serves."""
        first, after = date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
        model, name = self._column(queryset)
        ends: list[Any] = [first, after]
        if isinstance(model._meta.get_field(name), DateTimeField):  # noqa: SLF001 (Django's public name)
            ends = [timezone.make_aware(datetime.combine(day, time())) for day in ends]
        return queryset.filter(
            **{f"{self.date_field}__gte": ends[0], f"{self.date_field}__lt": ends[1]}
        )

    def _column(self, rows: QuerySet[Any]) -> tuple[Any, str]:
        """The table that has the date, by way of others perhaps, and the column there."""
        model: Any = rows.model
        *path, name = self.date_field.split("__")
        for step in path:
            model = model._meta.get_field(step).related_model  # noqa: SLF001 (Django's public name)
        return model, name


class MonthOfIdFilter(MonthFilter):
    """By the month in the id of a partitioned table: one partition is read."""

    def ends(self, rows: QuerySet[Any]) -> tuple[int, int] | None:
        """Up to the largest id; from the first month, or as far back as months are offered."""
        last = rows.order_by("-pk").values_list("pk", flat=True).first()
        return None if last is None else (self.first_month(), last // MONTH_ID)

    def first_month(self) -> int:
        """The month, as yyyymm, before which no row can lie; subclasses that know one say so."""
        return 1

    def in_month(self, queryset: QuerySet[Any], year: int, month: int) -> QuerySet[Any]:
        """Rows whose id lies in the month's range."""
        start = (year * 100 + month) * MONTH_ID
        return queryset.filter(pk__gte=start, pk__lt=start + MONTH_ID)


def month_of(field: str) -> type[FieldListFilter]:
    """A month filter on one date column."""
    made: Any = type(f"MonthOf_{field}", (MonthFilter,), {"date_field": field})
    return made  # type: ignore[no-any-return]
