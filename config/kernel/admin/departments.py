"""Finance departments, and the institutions and schemes that answer to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from config.kernel.admin.acts import ActForm, ActsAdmin, text_field
from config.kernel.admin.history import HistoryAdmin
from config.kernel.admin.searching import exact, prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, link, texts
from config.kernel.admin.webhooks import OfInstallation
from config.kernel.models import FinanceDepartment
from config.kernel.services import departments
from config.kernel.services.clients import Refused


class DepartmentForm(ActForm):
    """A department, and what answers to it."""

    code = text_field(_("财政部门编码"), longest=40)
    name = text_field(_("名称"), longest=200)
    level = forms.ChoiceField(
        label=_("财政层级"),
        choices=FinanceDepartment.Level.choices,
        widget=UnfoldAdminSelectWidget(),
    )
    region_code = text_field(_("行政区划代码"), longest=6)
    schemes = text_field(_("主管政策"), longest=1_000, help_text=_("政策编码，逗号分隔"))
    places = text_field(
        _("对口机构"), longest=4_000, help_text=_("机构编码，逗号分隔；下级机构随之在内")
    )

    def act(self, *, actor: str, at: datetime) -> None:
        """Enter it."""
        given = self.cleaned_data
        told = departments.Department(
            code=given["code"],
            name=given["name"],
            level=given["level"],
            region_code=given["region_code"],
            scheme_codes=_words(given["schemes"]),
            institution_codes=_words(given["places"]),
        )
        try:
            departments.register(department=told)
        except Refused as refused:
            raise ValidationError(str(refused)) from refused


def _words(text: str) -> tuple[str, ...]:
    parts = text.replace("，", ",").split(",")
    return tuple(part.strip() for part in parts if part.strip())


class NewDepartmentForm(DepartmentForm):
    """One more."""

    title = _("登记财政部门")
    note = _("其客户端只能查看和办理对口机构的主管政策。")
    done = _("已登记")
    icon = "add"

    def clean_code(self) -> str:
        """A code of its own."""
        code = str(self.cleaned_data["code"])
        if FinanceDepartment.objects.filter(code=code).exists():
            raise ValidationError(_("该编码已登记"))
        return code


class ChangeDepartmentForm(DepartmentForm):
    """What is said of it now."""

    title = _("更改财政部门")
    note = _("它的客户端立即按新的范围办理。")
    done = _("已更改")
    icon = "edit"

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        del self.fields["code"]
        self.initial = {
            "name": row.name,
            "level": row.level,
            "region_code": row.region_code,
            "schemes": ",".join(row.scheme_codes),
            "places": ",".join(row.answering.values_list("place__code", flat=True)),
        }

    def act(self, *, actor: str, at: datetime) -> None:
        """Change it; its code stays."""
        self.cleaned_data["code"] = self.row.code
        super().act(actor=actor, at=at)


def answering(request: Any, department: FinanceDepartment) -> Section:
    """The institutions that answer to it."""
    rows = department.answering.select_related("place").order_by("place_id")[:SECTION_ROWS]
    return Section(
        title=_("对口机构"),
        columns=texts(_("机构编码"), _("机构名称"), _("机构层级")),
        rows=[
            (
                link("kernel_institution", one.place_id, one.place.code),
                one.place.name,
                one.place.get_level_display(),
            )
            for one in rows
        ],
    )


@admin.register(FinanceDepartment)
class FinanceDepartmentAdmin(OfInstallation, ActsAdmin):
    """Finance departments."""

    is_short = True
    when_empty = _("没有财政部门：登记后，其国库系统可绑定为接口客户端。")
    list_display = ("code", "name", "level", "region_code", "scheme_words")
    list_filter = ("level",)
    search_by = (exact("code"), prefix("name"))
    search_help_text = _("编码或名称的开头")
    fields = list_display
    heading = ("code", "name")
    sections = (answering,)
    list_acts = {"new": NewDepartmentForm}
    row_acts = {"edit": ChangeDepartmentForm}

    @display(description=_("主管政策"))
    def scheme_words(self, obj: FinanceDepartment) -> str:
        """The schemes' codes."""
        return "、".join(obj.scheme_codes)


@admin.register(apps.get_model("kernel", "FinanceDepartmentEvent"))
class FinanceDepartmentEventAdmin(OfInstallation, HistoryAdmin):
    """What was said of departments before."""


@admin.register(apps.get_model("kernel", "AnsweringInstitutionEvent"))
class AnsweringInstitutionEventAdmin(OfInstallation, HistoryAdmin):
    """Institutions that answered to a department before."""
