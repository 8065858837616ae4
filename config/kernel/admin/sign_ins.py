"""The audit of sign-ins, for administrators and auditors."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import is_inspector, sees_everything
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.institutions import within_scope
from config.kernel.admin.searching import exact
from config.kernel.admin.wording import own_language
from config.kernel.models import SignIn


def from_address(term: str) -> Q:
    """Rows from this address; none if the term is not one."""
    try:
        return Q(address=str(ip_address(term)))
    except ValueError:
        return Q(pk__in=[])


def detail_of(row: SignIn) -> str:
    """Why somebody was refused, in the reader's language; a reason somebody gave as they gave it."""
    return own_language(row.detail) if row.event == SignIn.Event.REFUSED else row.detail


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin):
    """Who came in, when, from where and with which result; those of one's own institutions' people."""

    when_empty = _("还没有登录记录：本机构人员登录后，在此显示。")
    list_display = (
        "at", "event", "username", "actor", "address", "method", "words", "browser",
    )  # fmt: skip
    fields = list_display
    list_filter = ("event", "method")
    ordering: Sequence[str] = ("-id",)
    search_by = (exact("username"), exact("actor"), from_address)
    search_help_text = _("用户名、操作人或地址")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators and auditors."""
        return is_inspector(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Of people in scope; attempts at names nobody has, for who sees everything."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if sees_everything(request):
            return rows
        return rows.filter(user__institution__in=within_scope(request))

    @display(description=_("说明"))
    def words(self, obj: SignIn) -> str | None:
        """Why, in the reader's language."""
        return detail_of(obj) or None
