"""Facts entered by hand, each by the same way as a file of one row."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from config.kernel.admin.institutions import within_scope
from config.kernel.models import Institution
from loans.admin.base import in_yuan, own_language, scheme_name
from loans.admin.fields import WordChoice, amount_widget, refused
from loans.admin.steps import StepForm
from loans.models import FundPurpose, SchemeLabel, Tier
from loans.selectors.paid_tiers import paid_tiers
from loans.services.entry import enter_row
from loans.services.outcomes import ImportRefused, Source
from loans.values.errors import DomainError


class PreAllocationForm(StepForm):
    """Money that finance paid ahead, from its document and the bank's account."""

    title = _("登记预拨资金")
    button = _("提交复核")
    icon = "add"
    note = _("规则与预拨资金文件相同；由另一人复核后入账。录错的用负数金额和新文号冲正。")
    done = _("预拨资金已登记，待他人复核入账")
    at_field = {"row_known": "document_number"}

    scheme_code = WordChoice(label=_("贴息政策"))
    institution_code = WordChoice(label=_("资金机构"))
    tier = WordChoice(
        label=_("资金层级"),
        choices=Tier.choices,
        help_text=_("只列出所选政策使用的资金层级"),
    )
    purpose = WordChoice(label=_("用途"), choices=FundPurpose.choices, initial=FundPurpose.INTEREST)
    document_number = forms.CharField(label=_("文号"), widget=UnfoldAdminTextInputWidget)
    received_on = forms.CharField(label=_("到账日期"), widget=UnfoldAdminDateWidget)
    amount = forms.CharField(
        label=in_yuan(_("金额")), widget=amount_widget(), help_text=_("负数为冲正")
    )

    class Media:
        js = ("loans/paid_tiers.js",)

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        fields: Any = self.fields
        codes = SchemeLabel.objects.order_by("code").values_list("code", flat=True)
        fields["scheme_code"].choices = [(code, scheme_name(code)) for code in codes]
        paid = {code: sorted(tiers) for code, tiers in paid_tiers().items()}
        fields["tier"].widget.attrs["data-paid"] = json.dumps(paid)
        self.places = {place.code: place for place in holders(request)}
        fields["institution_code"].choices = [(c, str(p)) for c, p in self.places.items()]

    def act(self, *, actor: str, at: datetime) -> None:
        """Enter the row; its batch is the institution's, so that its checkers see who made it."""
        place = self.places[self.cleaned_data["institution_code"]]
        source = Source(actor=actor, at=at, scope=place.scope)
        enter_row(kind="pre-allocations", values=self.cleaned_data, source=source)

    def refuse(self, refusal: DomainError) -> None:
        """Each problem at its column's field."""
        if not isinstance(refusal, ImportRefused):
            return super().refuse(refusal)
        for problem in refusal.problems:
            if problem.column in self.fields and problem.value is not None:
                self.add_error(problem.column, refused(problem.value, problem.message))
            else:
                field = problem.column if problem.column in self.fields else None
                self.add_error(field, own_language(problem.message))
        return None


def holders(request: HttpRequest) -> list[Institution]:
    """Institutions in scope that may hold a scheme's money: not a bank's branches."""
    branch = Institution.Level.BRANCH
    found = within_scope(request).exclude(level=branch, parent__isnull=False)
    return list(found.order_by("pk"))
