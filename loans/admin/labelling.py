"""Lists whose chosen rows are labelled by a step of the same page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import may_make
from config.kernel.admin.base import ReadOnlyAdmin
from loans.admin.label_forms import CHOSEN_MAX


class LabellingAdmin(ReadOnlyAdmin):
    """Choose rows, then the label."""

    actions: Sequence[Any] = ("label_chosen", "unlabel_chosen")
    chosen_as = "notes"  # what the step's form calls the rows chosen

    def has_make_permission(self, request: HttpRequest) -> bool:
        """Makers, managers and administrators."""
        return may_make(request)

    @admin.action(description=_("加标签"), permissions=["make"])
    def label_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Go on to choosing the label."""
        return self._go(request, queryset, "label")

    @admin.action(description=_("去标签"), permissions=["make"])
    def unlabel_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Go on to choosing the label to take off."""
        return self._go(request, queryset, "unlabel")

    def _go(self, request: HttpRequest, queryset: QuerySet[Any], step: str) -> HttpResponse | None:
        keys = [
            str(pk) for pk in queryset.order_by("pk").values_list("pk", flat=True)[: CHOSEN_MAX + 1]
        ]
        if len(keys) > CHOSEN_MAX:
            told = gettext("一次最多选择 %(count)d 笔；更多的请导入借据文件") % {
                "count": CHOSEN_MAX
            }
            self.message_user(request, told, messages.ERROR)
            return None
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_{step}"
        return HttpResponseRedirect(f"{reverse(page)}?{self.chosen_as}={','.join(keys)}")
