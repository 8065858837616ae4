"""Taking one step for each of the rows chosen in a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.base import ReadOnlyAdmin
from loans.values.errors import DomainError

CHECKED = _("已复核 %(count)d 条")


def each(
    request: HttpRequest,
    page: ReadOnlyAdmin,
    rows: QuerySet[Any],
    step: Callable[[int], None],
    *,
    told: Any = CHECKED,
) -> None:
    """Take one step for each chosen row; what a rule refuses is said and the others go on."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    done = 0
    for key in keys:
        try:
            step(key)
        except DomainError as refusal:
            page.message_user(request, f"#{key}: {refusal}", messages.ERROR)
        else:
            done += 1
    if done:
        page.message_user(request, told % {"count": done}, messages.SUCCESS)
