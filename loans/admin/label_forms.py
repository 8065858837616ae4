"""Putting a scheme's label on chosen notes, and taking it off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import staff
from config.kernel.admin.sections import Column, Section, link, texts
from loans.admin.base import in_yuan, own_language, scheme_name, with_enterprise_name, yuan
from loans.admin.fields import WordChoice
from loans.admin.steps import StepForm
from loans.models import Note, SchemeLabel
from loans.services import labels
from loans.services.outcomes import ImportRefused, Outcome, Source
from loans.values.errors import DomainError

CHOSEN_MAX = 300  # an address holds no more


class LabellingForm(StepForm):
    """A step that changes labels; reached from a list with the rows chosen there."""

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Offered by the list's actions, which know the rows."""
        return False

    def source(self, *, actor: str, at: datetime) -> Source:
        """Who changes them, and in which institutions."""
        user = staff(self.request)
        scope = user.scope if user else None
        assert scope is not None, "whoever may make has institutions"
        return Source(actor=actor, at=at, scope=(scope.lo, scope.hi))

    def refuse(self, refusal: DomainError) -> None:
        """What the notes' own rules refuse, line by line."""
        if not isinstance(refusal, ImportRefused):
            return super().refuse(refusal)
        for problem in refusal.problems:
            self.add_error(None, own_language(problem.message))
        return None


class LabelForm(LabellingForm):
    """What both steps share: several notes, one scheme."""

    service: Callable[..., Outcome]
    at_field = {"labels_known": "scheme_code"}

    notes = forms.CharField(
        widget=forms.HiddenInput, error_messages={"required": _("请先选择借据")}
    )
    scheme_code = WordChoice(label=_("贴息政策"))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        if data is None and "scheme" in self.initial:
            self.initial["scheme_code"] = self.initial["scheme"]
        codes = SchemeLabel.objects.order_by("code").values_list("code", flat=True)
        fields: Any = self.fields
        fields["scheme_code"].choices = [(code, scheme_name(code)) for code in codes]
        self.ids = chosen_ids(str((data or self.initial).get("notes", "")))

    def sections(self) -> list[Section]:
        """The notes chosen, with the labels they carry."""
        found = with_enterprise_name(
            Note.objects.filter(pk__in=self.ids), "contract__enterprise_id"
        )
        return [
            Section(
                title=_("所选借据"),
                columns=[
                    *texts(_("借据号"), _("机构"), _("企业名称"), _("放款日期"), _("现有标签")),
                    Column(in_yuan(_("放款金额")), is_number=True),
                ],
                rows=[
                    (
                        link("loans_note", n.pk, n.note_number),
                        n.institution.name,
                        n.enterprise_name,
                        n.drawn_on,
                        gettext("；").join(scheme_name(code) for code in n.scheme_codes),
                        yuan(n.principal_fen),
                    )
                    for n in found.select_related("institution").order_by("note_number", "pk")
                ],
            )
        ]

    def clean_notes(self) -> str:
        """At least one note, not more than an address can name."""
        if not self.ids:
            raise forms.ValidationError(_("请先选择借据"))
        return str(self.cleaned_data["notes"])

    def act(self, *, actor: str, at: datetime) -> Outcome:
        """As a file of these notes would."""
        return type(self).service(
            note_ids=self.ids,
            scheme_code=self.cleaned_data["scheme_code"],
            source=self.source(actor=actor, at=at),
        )

    def leads_to(self, outcome: Any) -> str:
        """The note, if it is one; else their list."""
        return reverse("admin:loans_note_change", args=self.ids) if len(self.ids) == 1 else ""


class Label(LabelForm):
    """Put a label on."""

    title = _("加标签")
    button = _("加标签")
    icon = "new_label"
    note = _(
        "标签排在借据已有标签之后，按先后认定；同级财政只享受排在前面的一项。加标签后由认定任务判断资格，"
        "符合的从下次代付起贴息，已收利息一并补记。经办人和时间记入历史记录。"
    )
    service = staticmethod(labels.label_notes)

    def told(self, outcome: Outcome) -> str:
        """How many."""
        return gettext("已为 %(count)d 笔借据加标签，待认定") % {"count": outcome.corrected}


class LabelEach(LabellingForm):
    """Put on each note the label meant for it; `wanted` says which, in the order they go on."""

    title, button, icon, note = Label.title, Label.button, Label.icon, Label.note

    def wanted(self) -> list[tuple[int, str]]:
        """Notes and schemes; none unless a page says so."""
        return []

    def act(self, *, actor: str, at: datetime) -> dict[str, int]:
        """As a file of each scheme's notes would, all or nothing; how many by scheme."""
        notes: dict[str, list[int]] = {}
        for note_id, scheme_code in self.wanted():
            notes.setdefault(scheme_code, []).append(note_id)
        source = self.source(actor=actor, at=at)
        return {
            code: labels.label_notes(note_ids=ids, scheme_code=code, source=source).corrected
            for code, ids in notes.items()
        }

    def told(self, outcome: dict[str, int]) -> str:
        """How many of which."""
        each = gettext("；").join(
            gettext("%(scheme)s %(count)d 笔") % {"scheme": scheme_name(code), "count": count}
            for code, count in outcome.items()
        )
        return gettext("已加标签，待认定：%(each)s") % {"each": each}


class Unlabel(LabelForm):
    """Take a label off."""

    title = _("去标签")
    button = _("去标签")
    icon = "label_off"
    note = _(
        "去掉标签后该政策不再贴息；已代付的贴息在下次任务中记为负差额，向企业追回。经办人和时间记入历史记录。"
    )
    service = staticmethod(labels.unlabel_notes)

    def told(self, outcome: Outcome) -> str:
        """How many."""
        return gettext("已为 %(count)d 笔借据去标签") % {"count": outcome.corrected}


def chosen_ids(text: str) -> list[int]:
    """The notes an address names; nothing if it cannot be read or names too many."""
    parts = text.split(",")
    fits = all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts)
    return [int(part) for part in parts] if fits and len(parts) <= CHOSEN_MAX else []
