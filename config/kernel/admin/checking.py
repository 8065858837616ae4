"""A page whose rows a second person checks: by ticking them in the list, or on the row's own page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from config.kernel.admin.access import may_check, may_check_for_all
from config.kernel.admin.base import ReadOnlyAdmin


class CheckedAdmin(ReadOnlyAdmin):
    """Rows with `made_by` and `checked_by`; subclasses name the action `pass_check`."""

    actions: Sequence[Any] = ("pass_check",)
    change_form_outer_after_template = "kernel/check.html"

    def has_check_permission(self, request: HttpRequest) -> bool:
        """Checkers."""
        return may_check(request)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Offer the check to whoever may do it."""
        row = self.row(request, object_id) if object_id else None
        context = {"row_to_check": row if self.waits_for(request, row) else None}
        return super().changeform_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def waits_for(self, request: HttpRequest, row: Model | None) -> bool:
        """Is the row unchecked and not refused, and may this person check it?"""
        if row is None or not self.has_check_permission(request):
            return False
        made_by, checked_by = getattr(row, "made_by", ""), getattr(row, "checked_by", "")
        is_open = checked_by is None and getattr(row, "refused_by", None) is None
        return is_open and made_by != request.user.get_username()

    def report(self, request: HttpRequest, *, done: int, asked: int) -> None:
        """Say how many rows were checked, and why the others were not."""
        if done:
            text = gettext("已复核 %(count)d 条") % {"count": done}
            self.message_user(request, text, messages.SUCCESS)
        if asked > done:
            text = gettext("%(count)d 条未复核：不能复核本人经办的记录，已复核的不再变动")
            self.message_user(request, text % {"count": asked - done}, messages.WARNING)


class CheckedForAllAdmin(CheckedAdmin):
    """The same for rows that belong to no institution and hold for all of them."""

    def has_check_permission(self, request: HttpRequest) -> bool:
        """Checkers of a head office, and administrators who see everything."""
        return may_check_for_all(request)
