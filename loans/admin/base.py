"""What pages of facts share: amounts in yuan, rates in percent, names of policies, rows in scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from django.contrib.admin import ModelAdmin as DjangoAdmin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import Exists, Field, Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, QueryDict
from django.utils.functional import lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import sees_everything
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.filters import MonthOfIdFilter
from config.kernel.admin.searching import is_storable
from config.kernel.admin.wording import own_language as own_language  # noqa: PLC0414 (for all pages of facts)
from loans.models import Contract, EnterpriseRecord, Note, SchemeLabel
from loans.values.money import grouped_yuan, percent_from_ppm

SUFFIXES = {"_fen": "_yuan", "_ppm": "_percent"}
RENAMED = {"scheme_code": "scheme_label", "scheme_codes": "scheme_labels", "batch": "batch_link"}

SAID = {
    "why",
    "withdrawn_why",
    "dismissed_why",
    "reason",
    "file_name",
}  # may be kept as `中文 / English`

_scheme_names: ContextVar[dict[str, str] | None] = ContextVar("scheme_names", default=None)


def yuan(fen: int | None) -> str | None:
    """An amount as people read it: 123450 → `1,234.50`; nothing stays nothing."""
    return None if fen is None else grouped_yuan(fen)


def percent(ppm: int | None) -> str | None:
    """A rate as people read it: 30000 → `3.00%`; nothing stays nothing."""
    return None if ppm is None else f"{percent_from_ppm(ppm)}%"


def in_yuan(name: Any) -> Any:
    """The title of a column of amounts."""
    return lazy(lambda: gettext("%(name)s（元）") % {"name": name}, str)()


def scheme_name(code: str) -> str:
    """The policy's name in Chinese, its code in English; names are read once per request."""
    if get_language() == "en":
        return code
    names = _scheme_names.get()
    if names is None:
        names = dict(SchemeLabel.objects.values_list("code", "name"))
        _scheme_names.set(names)
    return names.get(code, code)


def _column(
    field: Field[Any, Any], title: Any, shown: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    @display(description=title, ordering=field.name)
    def column(row: Any) -> Any:
        return shown(getattr(row, field.attname))

    return column


class FactAdmin(ReadOnlyAdmin):
    """A table of facts or results.

    Each `*_fen` column also goes by `*_yuan`, each `*_ppm` by `*_percent`; those are what is shown.
    """

    when_empty = _("数据由经办导入文件后出现；已导入的文件见“导入批次”。")
    ordering: Sequence[str] = ("-pk",)

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        for field in self.opts.concrete_fields:
            stem, suffix = field.name[:-4], field.name[-4:]
            if suffix == "_fen" and not hasattr(self, f"{stem}_yuan"):
                setattr(self, f"{stem}_yuan", _column(field, in_yuan(field.verbose_name), yuan))
            elif suffix == "_ppm":
                setattr(self, f"{stem}_percent", _column(field, field.verbose_name, percent))
            elif field.name in SAID and not field.choices:
                setattr(self, f"{field.name}_words", _column(field, field.verbose_name, _words))

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Its columns, texts of both languages in the reader's."""
        return [self._in_words(name) for name in super().get_list_display(request)]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[Any]:
        """Likewise."""
        return [self._in_words(name) for name in super().get_fields(request, obj)]

    def _in_words(self, name: Any) -> Any:
        words = f"{name}_words"
        return words if name in SAID and hasattr(self, words) else name

    def shown_columns(self) -> list[str]:
        """Every column, amounts in yuan and rates in percent."""
        return [_shown(name) for name in super().shown_columns()]

    @display(description=_("贴息政策"), ordering="scheme_code")
    def scheme_label(self, row: Any) -> str:
        """The policy's name."""
        return scheme_name(row.scheme_code)

    @display(description=_("贴息政策"))
    def scheme_labels(self, row: Any) -> str:
        """The policies' names, in the order they are judged."""
        return (
            gettext("；").join(scheme_name(code) for code in row.scheme_codes)
            or self.empty_value_display
        )

    @display(description=_("机构"), ordering="institution_id")
    def institution_name(self, row: Any) -> Any:
        """Whose row it is."""
        return None if row.institution_id is None else row.institution.name

    @display(description=_("导入批次"))
    def batch_link(self, row: Any) -> Any:
        """The file the row came from; who may not see the file sees its number."""
        return None if row.batch_id is None else f"#{row.batch_id}"


def _words(text: str) -> str:
    return own_language(text or "")


def _shown(name: str) -> str:
    if name in RENAMED:
        return RENAMED[name]
    return name[:-4] + SUFFIXES[name[-4:]] if name[-4:] in SUFFIXES else name


class SchemeFilter(SimpleListFilter):
    """By policy."""

    title = _("贴息政策")
    parameter_name = "scheme"
    field = "scheme_code"

    def lookups(self, request: HttpRequest, model_admin: DjangoAdmin[Any]) -> Sequence[Any]:
        """Every registered policy."""
        codes = SchemeLabel.objects.order_by("code").values_list("code", flat=True)
        return [(code, scheme_name(code)) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of that policy."""
        code = self.value()
        return queryset.filter(**{self.field: code}) if code else queryset


class CollectedMonthFilter(MonthOfIdFilter):
    """By month of collection: none is older than the first drawdown, and notes are few beside interest."""

    def first_month(self) -> int:
        """The month of the first drawdown in scope."""
        drawn = Note.objects.order_by("drawn_on").values_list("drawn_on", flat=True).first()
        return super().first_month() if drawn is None else drawn.year * 100 + drawn.month


class RegistryAdmin(FactAdmin):
    """The shared registry: enterprises that have a contract in the person's scope, or by exact code."""

    when_empty = _("只显示在本机构及下级有合同的企业；输入完整的统一社会信用代码可查其他企业。")
    enterprise = "enterprise"  # path from the row to the enterprise; "" for the enterprise itself

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What this person may see of the registry."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if sees_everything(request):
            return rows
        own = Contract.objects.filter(
            enterprise=OuterRef(f"{self.enterprise}_id" if self.enterprise else "pk")
        )
        asked = asked_code(request)
        if not asked:  # alone the borrowers can be found from the scope's contracts
            return rows.filter(Exists(own))
        code = f"{self.enterprise}__uscc" if self.enterprise else "uscc"
        return rows.filter(Q(Exists(own)) | Q(**{code: asked}))


def asked_code(request: HttpRequest) -> str:
    """The code asked for, in the list or on the way from the list to the page."""
    kept = QueryDict(request.GET.get("_changelist_filters", ""))
    term = (request.GET.get("q") or kept.get("q") or "").strip()
    return term if len(term) == 18 and is_storable(term) else ""


def with_enterprise_name(
    rows: QuerySet[Any], column: str, *, of: str = "enterprise"
) -> QuerySet[Any]:
    """Rows with `enterprise_name`, the latest known name of the enterprise.

    `column` of the row itself is what `of` is in the enterprise's records: a path to another table
    would join that table wherever the rows are only counted or numbered.
    """
    records = EnterpriseRecord.objects.filter(**{of: OuterRef(column)}).order_by("-valid_from")
    named: QuerySet[Any] = rows.annotate(enterprise_name=Subquery(records.values("name")[:1]))
    return named
