"""Notes that look eligible but carry no label (应享未享): look, choose, label."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, F, Func, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError as BrokerError

from config.kernel.admin.access import may_make
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.sections import Button
from config.kernel.models import Run
from loans.admin.base import FactAdmin, SchemeFilter, with_enterprise_name
from loans.admin.labelling import LabellingAdmin
from loans.admin.lookups import of_enterprise, of_note
from settlement.models import MissedLabel
from settlement.services import missed_labels
from settlement.tasks import find_missed_labels


class Carried(Func):
    """Has the note been given the label since?"""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


@admin.register(MissedLabel)
class MissedLabelAdmin(LabellingAdmin, FactAdmin):
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
    list_before_template = "settlement/missed_labels.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Labels still missing, with the borrower's name."""
        rows = super().get_queryset(request)
        still = rows.annotate(carried=Carried(F("scheme_code"), F("note__scheme_codes")))
        return with_enterprise_name(still.filter(carried=False), "note__contract__enterprise_id")

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

    def chosen_notes(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Each note once."""
        return queryset.order_by("note_id").values_list("note_id", flat=True).distinct()

    def chosen_scheme(self, queryset: QuerySet[Any]) -> str:
        """The scheme of the rows, if it is one."""
        codes = list(
            queryset.order_by("scheme_code").values_list("scheme_code", flat=True).distinct()[:2]
        )
        return codes[0] if len(codes) == 1 else ""

    def row_buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Label the note."""
        if not may_make(request):
            return []
        address = (
            f"{reverse('admin:loans_note_label')}?notes={row.note_id}&scheme={row.scheme_code}"
        )
        return [Button(_("加标签"), address, "new_label")]

    @display(description=_("企业名称"))
    def enterprise_name(self, row: Any) -> str:
        """The latest known name."""
        return str(row.enterprise_name or "")

    @display(description=_("放款日期"), ordering="note__drawn_on")
    def drawn_on(self, row: MissedLabel) -> Any:
        """When the note was drawn."""
        return row.note.drawn_on
