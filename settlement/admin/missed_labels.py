"""Notes that look eligible but carry no label (应享未享): look, choose, label."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, F, Func, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError as BrokerError

from config.kernel.admin.access import may_make
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.sections import Button, Section, link, numbers, texts
from config.kernel.models import Run
from loans.admin.base import (
    FactAdmin,
    SchemeFilter,
    in_yuan,
    scheme_name,
    with_enterprise_name,
    yuan,
)
from loans.admin.label_forms import LabelEach, chosen_ids
from loans.admin.labelling import LabellingAdmin
from loans.admin.lookups import of_enterprise, of_note
from loans.admin.steps import StepsAdmin
from settlement.models import MissedLabel
from settlement.services import missed_labels
from settlement.services.schemes import terms_in_force
from settlement.tasks import find_missed_labels


class Carried(Func):
    """Has the note been given the label since?"""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def missing(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those whose note has not been given the label since."""
    found: QuerySet[Any] = rows.annotate(carried=Carried(F("scheme_code"), F("note__scheme_codes")))
    return found.filter(carried=False)


class LabelMissed(LabelEach):
    """Put on the notes of the chosen rows the labels they miss, each its own."""

    chosen = forms.CharField(
        widget=forms.HiddenInput, error_messages={"required": _("请先选择借据")}
    )

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.ids = chosen_ids(str((data or self.initial).get("chosen", "")))

    @cached_property
    def rows(self) -> list[Any]:
        """The rows chosen that are still on the list; a note's labels in their schemes' priority."""
        order = {terms.code: place for place, terms in enumerate(terms_in_force().terms)}
        found = missing(MissedLabel.objects.filter(pk__in=self.ids))
        named = with_enterprise_name(found, "note__contract__enterprise_id")
        rows = named.select_related("note", "institution").order_by("note__note_number", "pk")
        return sorted(rows, key=lambda row: order.get(row.scheme_code, len(order)))

    def sections(self) -> list[Section]:
        """Which note gets which label."""
        return [
            Section(
                title=_("将加的标签"),
                columns=[
                    *texts(_("加标签"), _("借据号"), _("机构"), _("企业名称"), _("放款日期")),
                    *texts(_("现有标签")),
                    *numbers(in_yuan(_("可贴息本金"))),
                ],
                rows=[
                    (
                        scheme_name(row.scheme_code),
                        link("loans_note", row.note_id, row.note.note_number),
                        row.institution.name,
                        row.enterprise_name,
                        row.note.drawn_on,
                        gettext("；").join(map(scheme_name, row.note.scheme_codes)),
                        yuan(row.eligible_fen),
                    )
                    for row in self.rows
                ],
            )
        ]

    def clean_chosen(self) -> str:
        """Every row is still on the list: what a new search or another's label took off is not guessed."""
        if not self.ids:
            raise forms.ValidationError(_("请先选择借据"))
        gone = len(set(self.ids)) - len(self.rows)
        if gone:
            told = gettext(
                "所选的 %(count)d 条已不在名单上（已加标签或重新查找过），请返回重新选择"
            )
            raise forms.ValidationError(told % {"count": gone})
        return str(self.cleaned_data["chosen"])

    def wanted(self) -> list[tuple[int, str]]:
        """Each row's note and scheme."""
        return [(row.note_id, row.scheme_code) for row in self.rows]


@admin.register(MissedLabel)
class MissedLabelAdmin(LabellingAdmin, StepsAdmin, FactAdmin):
    """Labels that notes miss, as of the last search; those given since are left out."""

    when_empty = _("没有应享未享的借据：每日查找一次，看来符合条件而未加标签的借据在此列出。")
    finance_sees = False
    list_display = (
        "note", "institution_name", "enterprise_name", "scheme_label", "drawn_on", "eligible_yuan",
        "subsidised_until",
    )  # fmt: skip
    fields = (*list_display[:-1], "subsidised_from", "subsidised_until", "found_at")
    heading = ("note", "scheme_label")
    list_filter = (SchemeFilter, LevelFilter)
    list_select_related = ("note", "institution")
    search_by = (of_note(), of_enterprise("note__contract__enterprise_id"))
    search_help_text = _("借据号的开头，信用代码或企业名称的开头")
    actions: Any = ("label_chosen",)
    chosen_as = "chosen"
    list_steps = {"label": LabelMissed}
    list_before_template = "settlement/missed_labels.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Labels still missing, with the borrower's name."""
        return with_enterprise_name(
            missing(super().get_queryset(request)), "note__contract__enterprise_id"
        )

    def get_urls(self) -> list[Any]:
        """Also: search again."""
        view = self.admin_site.admin_view(self.search_view)
        return [path("search/", view, name="settlement_missedlabel_search"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with when it was last looked for."""
        runs = Run.objects.filter(kind=missed_labels.KIND).order_by("-pk")
        last = runs.filter(state=Run.State.DONE).first()
        latest = runs.first()
        context = {
            "last_search": last,
            "search_waits": latest is not None and latest.state == Run.State.OPEN,
            "may_search": may_make(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def search_view(self, request: HttpRequest) -> HttpResponse:
        """Ring for a search: it is about every institution, so the worker orders and does it."""
        if not may_make(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                find_missed_labels.delay(actor=request.user.get_username())
            except BrokerError:
                told = gettext("任务队列暂不可用，请稍后再试")
                self.message_user(request, told, messages.ERROR)
            else:
                told = gettext("已安排查找，完成后刷新本页")
                self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:settlement_missedlabel_changelist"))

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Label the note."""
        if not LabelMissed.may(request):
            return []
        address = reverse("admin:settlement_missedlabel_label")
        return [Button(_("加标签"), f"{address}?chosen={row.pk}", "new_label")]

    @display(description=_("企业名称"))
    def enterprise_name(self, row: Any) -> str:
        """The latest known name."""
        return str(row.enterprise_name or "")

    @display(description=_("放款日期"), ordering="note__drawn_on")
    def drawn_on(self, row: MissedLabel) -> Any:
        """When the note was drawn."""
        return row.note.drawn_on
