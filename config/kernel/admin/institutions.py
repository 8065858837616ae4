"""The institution tree."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import staff
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.history import HistoryAdmin
from config.kernel.admin.searching import exact, prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, link, texts
from config.kernel.models import Institution


def within_scope(request: HttpRequest) -> QuerySet[Institution]:
    """Institutions this person sees."""
    user = staff(request)
    scope = user.scope if user else None
    if scope is None:
        return Institution.objects.none()
    return Institution.objects.filter(pk__gte=scope.lo, pk__lte=scope.hi)


def children(request: HttpRequest, institution: Institution) -> Section:
    """Institutions directly below."""
    below = institution.children.order_by("pk")[:SECTION_ROWS]
    return Section(
        title=_("下级机构"),
        columns=texts(_("机构编码"), _("机构名称"), _("机构层级"), _("行政区划代码")),
        rows=[
            (
                link("kernel_institution", child.pk, child.code),
                child.name,
                child.get_level_display(),
                child.region_code,
            )
            for child in below
        ],
    )


@admin.register(Institution)
class InstitutionAdmin(ReadOnlyAdmin):
    """Institutions in the person's scope, in the order of the tree."""

    is_short = True
    when_empty = _("没有您可见的机构：请系统管理员导入机构文件，并在“用户”中指定您的所属机构。")
    list_display = ("code", "name", "level", "parent", "region_code")
    list_filter = ("level",)
    list_select_related = ("parent",)
    search_fields = ("code",)
    search_by = (exact("code"), prefix("code"), prefix("name"))
    search_help_text = _("机构编码或名称的开头")
    fields = ("code", "name", "level", "parent", "region_code")
    sections = (children,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """This person's institution and those below."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(pk__in=within_scope(request))


@admin.register(apps.get_model("kernel", "InstitutionEvent"))
class InstitutionEventAdmin(HistoryAdmin):
    """Former states of institutions."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Of this person's institution and those below."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(pgh_obj_id__in=within_scope(request))
