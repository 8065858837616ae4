"""The form in which finance's decision on a settlement is entered: document, day, yuan by tier."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from loans.values.errors import DomainError
from loans.values.money import fen_from_yuan, yuan_from_fen
from settlement.admin import wording
from settlement.models import Settlement


class DecisionForm(forms.Form):
    """One amount per fund of the settlement, at first all that is claimed."""

    document_number = forms.CharField(
        label=_("批复文号"), max_length=100, widget=UnfoldAdminTextInputWidget
    )
    decided_on = forms.DateField(label=_("批复日期"), widget=UnfoldAdminDateWidget)

    def __init__(self, settlement: Settlement, data: Any = None) -> None:
        super().__init__(data)
        self.settlement_id = settlement.pk
        self.keys: dict[str, tuple[str, str]] = {}
        for item in settlement.items.select_related("fund").order_by("fund__purpose", "pk"):
            name = f"approved_{item.pk}"
            self.keys[name] = (item.fund.tier, item.fund.purpose)
            self.fields[name] = forms.CharField(
                label=_label(item.fund.tier, item.fund.get_purpose_display()),
                initial=yuan_from_fen(item.claimed_fen),
                widget=UnfoldAdminTextInputWidget,
            )

    def clean(self) -> dict[str, Any]:
        """Amounts as fen; what is no amount is told."""
        cleaned: dict[str, Any] = self.cleaned_data
        for name in self.keys:
            try:
                cleaned[name] = fen_from_yuan(cleaned.get(name, ""))
            except DomainError as refusal:
                self.add_error(name, ValidationError(str(refusal)))
        return cleaned

    @property
    def approved(self) -> dict[tuple[str, str], int]:
        """Fen by tier and purpose."""
        return {key: self.cleaned_data[name] for name, key in self.keys.items()}


def _label(tier: str, purpose: str) -> Any:
    return lazy(lambda: f"{wording.tier_name(tier)} {purpose} {gettext('认可额（元）')}", str)()
