"""Work that waits for people: each app says which rows; the home page counts them, their lists filter by them.

The count and the filtered list are the same question asked of the list's own rows, so that they agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.core.exceptions import EmptyResultSet
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_check, may_check_for_all, may_make, may_open
from config.kernel.admin.paging import COUNT_MAX
from config.kernel.admin.sections import list_address
from config.kernel.services import bulk

Narrow = Callable[[HttpRequest, QuerySet[Any]], QuerySet[Any]]


@dataclass(frozen=True)
class Waiting:
    """One kind of work: `model` (`settlement.plan`), what it is called, which of its rows, and whose.

    `is_check`: a second person is to answer for what another made; `is_make`: who enters things is to go
    on with it; otherwise something is amiss, which everybody sees who sees the page. `is_for_all`: it
    holds for every institution.
    """

    key: str
    model: str
    title: Any
    narrow: Narrow
    is_check: bool = False
    is_for_all: bool = False
    is_make: bool = False

    def may(self, request: HttpRequest) -> bool:
        """Is it this person's to see?"""
        if self.is_check:
            return may_check_for_all(request) if self.is_for_all else may_check(request)
        if self.is_make and not may_make(request):
            return False
        return may_open(request, self.model.replace(".", "_"))

    @property
    def address(self) -> str:
        """The list of its rows."""
        return list_address(self.model.replace(".", "_"), waiting=self.key)


WAITING: list[Waiting] = []


def unchecked(
    key: str,
    model: str,
    title: Any,
    *,
    maker: str = "made_by",
    is_for_all: bool = False,
    **conditions: Any,
) -> Waiting:
    """Rows that another made and nobody has checked: those with these values, or without a checker."""
    of = Q(**(conditions or {"checked_by": None}))

    def narrow(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(of).exclude(**{maker: request.user.get_username()})

    return Waiting(key, model, title, narrow, is_check=True, is_for_all=is_for_all)


def having(
    key: str, model: str, title: Any, *, is_make: bool = False, **conditions: Any
) -> Waiting:
    """Rows with these values."""

    def narrow(_request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(**conditions)

    return Waiting(key, model, title, narrow, is_make=is_make)


def of_model(model: str) -> list[Waiting]:
    """The kinds of work in one table."""
    return [one for one in WAITING if one.model == model]


class WaitingFilter(SimpleListFilter):
    """Rows that wait for somebody, as the home page counts them."""

    title = _("待办")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Sequence[Any]:
        """The kinds of work in this table that are this person's to see."""
        self.kinds = {
            one.key: one for one in of_model(model_admin.opts.label_lower) if one.may(request)
        }
        return [(key, one.title) for key, one in self.kinds.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of that kind; a kind that is not offered filters nothing."""
        kind = self.kinds.get(self.value() or "")
        return queryset if kind is None else kind.narrow(request, queryset)


def counted(request: HttpRequest) -> list[tuple[Waiting, int]]:
    """How many rows of each kind wait for this person, at most `COUNT_MAX`, in one query."""
    kinds = [one for one in WAITING if one.may(request)]
    counts: list[str] = []
    params: list[Any] = []
    for kind in kinds:
        sql, values = _count(request, kind)
        counts.append(sql)
        params += values
    if not kinds:
        return []
    (found,) = bulk.rows(f"SELECT {', '.join(counts)}", params)
    return list(zip(kinds, found, strict=True))


def _count(request: HttpRequest, kind: Waiting) -> tuple[str, Sequence[Any]]:
    page = admin.site.get_model_admin(apps.get_model(kind.model))
    rows = kind.narrow(request, page.get_queryset(request))
    try:
        sql, params = rows.order_by().values("pk")[:COUNT_MAX].query.sql_with_params()
    except EmptyResultSet:
        return "0", []
    return f"(SELECT count(*) FROM ({sql}) AS t)", params
