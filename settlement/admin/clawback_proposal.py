"""The form in which a clawback is proposed, from the list or from a note's page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, numbers, texts
from loans.admin.base import in_yuan, scheme_name, yuan
from loans.admin.fields import AmountField, ReasonField, WordChoice, WordField, YearField, YesNo
from loans.admin.steps import StepForm
from settlement.admin import wording
from settlement.models import Clawback, Purpose, Scheme
from settlement.selectors import clawbacks as selected
from settlement.services.claims import Named, propose_named
from settlement.services.clawbacks import Ground

Origin = Clawback.Origin
FILLED = {"scheme": "scheme_code", "tier": "tier", "purpose": "purpose", "year": "year"}


class Propose(StepForm):
    """A clawback that staff propose, or that an order of finance demands."""

    title = _("新增追回")
    button = _("提交复核")
    icon = "add"
    note = _("登记后由另一人决定；决定前不入账。借据页面上的同名按钮会填好借据。")
    done = _("追回已提出，待他人复核")
    at_field = {
        "unknown_note": "note_number",
        "several_notes": "institution_code",
        "nothing_paid": "tier",
        "clawback_beyond_paid": "amount",
        "clawback_known": "document_number",
    }

    note_number = WordField(label=_("借据号"))
    institution_code = WordField(
        label=_("机构编码"), required=False, help_text=_("借据号在多家机构重复时填写")
    )
    scheme = WordChoice(label=_("贴息政策"))
    tier = WordChoice(label=_("资金层级"), choices=list(wording.TIER_NAMES.items()))
    purpose = WordChoice(label=_("用途"), choices=Purpose.choices, initial=Purpose.INTEREST)
    year = YearField(label=_("年度"), help_text=_("被追回贴息的收息年度"))
    amount = AmountField(label=in_yuan(_("追回金额")))
    origin = WordChoice(
        label=_("起因"), choices=[(o.value, o.label) for o in (Origin.STAFF, Origin.ORDER)]
    )
    document_number = WordField(
        label=_("文号"), required=False, help_text=_("财政追回令须填；同一文号不重复登记")
    )
    why = ReasonField(label=_("事由"))
    is_offset = YesNo(label=_("从下次贴息抵扣"), initial=True)

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        codes = Scheme.objects.order_by("code").values_list("code", flat=True)
        field: Any = self.fields["scheme"]
        field.choices = [(code, scheme_name(code)) for code in codes]
        self.note_id = self._asked()

    def _asked(self) -> int | None:
        """The note of the page this was opened from, whose number is filled in."""
        text = self.request.GET.get("note", "")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return None
        found = selected.number_of_note(note_id=int(text))
        if found is None:
            return None
        self.initial["note_number"], self.initial["institution_code"] = found
        lines = selected.claimable(note_id=int(text))
        for name, column in FILLED.items():
            values = {getattr(one, column) for one in lines}
            if len(values) == 1:  # of several the person chooses
                self.initial[name] = values.pop()
        return int(text)

    def clean(self) -> dict[str, Any]:
        """An order has its number."""
        cleaned: dict[str, Any] = self.cleaned_data
        if cleaned.get("origin") == Origin.ORDER and not cleaned.get("document_number"):
            fault = ValidationError(gettext("财政追回令须填文号"))
            self.add_error("document_number", fault)
        return cleaned

    def sections(self) -> list[Section]:
        """What of the note may still be taken back."""
        lines = [] if self.note_id is None else selected.claimable(note_id=self.note_id)
        if self.note_id is None:
            return []
        return [
            Section(
                title=_("该借据可追回的贴息"),
                columns=[
                    *texts(_("贴息政策"), _("资金层级"), _("用途"), _("年度")),
                    *numbers(
                        in_yuan(_("已贴息")), in_yuan(_("已提出或决定追回")), in_yuan(_("可追回"))
                    ),
                ],
                rows=[
                    (
                        scheme_name(one.scheme_code),
                        wording.tier_name(one.tier),
                        Purpose(one.purpose).label,
                        one.year,
                        *map(yuan, (one.paid_fen, one.claimed_fen, one.left_fen)),
                    )
                    for one in lines
                ],
            )
        ]

    def act(self, *, actor: str, at: datetime) -> int:
        """Propose it."""
        data = self.cleaned_data
        ground = Ground(
            origin=data["origin"],
            origin_id=0,
            why=data["why"],
            document_number=data["document_number"],
            is_offset=data["is_offset"],
        )
        named = Named(
            note_number=data["note_number"],
            institution_code=data["institution_code"],
            scheme_code=data["scheme"],
            tier=data["tier"],
            purpose=data["purpose"],
            year=data["year"],
            amount_fen=data["amount"],
        )
        return propose_named(named=named, ground=ground, actor=actor, at=at)

    def leads_to(self, outcome: Any) -> str:
        """The new clawback."""
        return reverse("admin:settlement_clawback_change", args=[outcome])
