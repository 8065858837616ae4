"""Taking one step for each of the rows chosen in a list, once it was shown what each will change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import ActionForm

from config.kernel.admin.base import ReadOnlyAdmin
from loans.admin.base import own_language
from loans.admin.fields import ReasonField
from loans.admin.steps import StepForm, digest_of
from loans.values.errors import DomainError

CHECKED = _("已复核 %(count)d 条")
SHOWN_MAX = 20  # as many as a person looks through


class ReasonForm(ActionForm):  # type: ignore[misc]
    """An action that is done for a reason."""

    why = forms.CharField(label=_("原因"), required=False, max_length=500)


class WhyForm(forms.Form):
    """Asks why, below what will change."""

    use_required_attribute = False

    why = ReasonField()


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

    What is confirmed is what was shown: if any of it has changed meanwhile, it is shown again. A step
    that asks why asks it here, and is not taken without.
    """
    if rows.count() > SHOWN_MAX:
        text = gettext("一次最多复核 %(count)d 条，请分批") % {"count": SHOWN_MAX}
        page.message_user(request, text, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
    found = [(row, form(request, row).sections()) for row in rows.order_by("pk")]
    seen = digest_of([one for _row, sections in found for one in sections])
    confirmed = request.POST.get("confirmed")
    why = WhyForm(None if confirmed is None else request.POST)
    asks = "why" in form.base_fields
    if confirmed == seen and (not asks or why.is_valid()):
        return None
    if confirmed not in (None, seen):
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
        "why": why["why"] if asks else None,
        "home": request.get_full_path(),
    }
    return TemplateResponse(request, "loans/chosen.html", context)
