"""Taking one step for each of the rows chosen in a list, once it was shown what each will change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.sections import Section
from loans.admin.base import own_language
from loans.admin.steps import StepForm
from loans.values.errors import DomainError

CHECKED = _("已复核 %(count)d 条")
SHOWN_MAX = 20  # as many as a person looks through


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
            with transaction.atomic():
                step(key)
        except DomainError as refusal:
            page.message_user(request, f"#{key}: {own_language(str(refusal))}", messages.ERROR)
        else:
            done += 1
    if done:
        page.message_user(request, told % {"count": done}, messages.SUCCESS)


def shown_first(
    request: HttpRequest, page: ReadOnlyAdmin, rows: QuerySet[Any], form: type[StepForm]
) -> HttpResponse | None:
    """The page that says what the step will change of each chosen row; None once it was confirmed.

    What is confirmed is what was shown: if any of it has changed meanwhile, it is shown again.
    """
    if rows.count() > SHOWN_MAX:
        text = gettext("一次最多复核 %(count)d 条，请分批") % {"count": SHOWN_MAX}
        page.message_user(request, text, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
    found = [(row, form(request, row).sections()) for row in rows.order_by("pk")]
    seen = _digest([sections for _row, sections in found])
    confirmed = request.POST.get("confirmed")
    if confirmed == seen:
        return None
    if confirmed is not None:
        page.message_user(request, gettext("内容在您查看后有变化，请重新核对"), messages.WARNING)
    context = {
        **page.admin_site.each_context(request),
        "title": form.title,
        "note": form.note,
        "opts": page.opts,
        "found": [{"row": row, "sections": sections} for row, sections in found],
        "action": request.POST["action"],
        "name": ACTION_CHECKBOX_NAME,
        "seen": seen,
        "home": request.get_full_path(),
    }
    return TemplateResponse(request, "settlement/chosen.html", context)


def _digest(found: Sequence[Sequence[Section]]) -> str:
    """Of everything that is shown."""
    told = [
        [str(cell) for row in section.rows for cell in row]
        for sections in found
        for section in sections
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()
