"""Systems of provinces: connected, changed and closed by administrators; what they answered, and why not taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
)

from config.kernel.admin.acts import ActForm, ActsAdmin, text_field
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.history import HistoryAdmin
from config.kernel.admin.outbox import Inspected
from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import SECTION_ROWS, Section, link, list_address, numbers, texts
from config.kernel.admin.waiting import WAITING, Waiting
from config.kernel.admin.webhooks import OfInstallation, topic_words
from config.kernel.models import Institution, OutboxDelivery
from config.kernel.services import posting
from settlement.models import ProvinceAnswer, ProvinceCursor, ProvinceSystem, Scheme
from settlement.services import province_systems
from settlement.services.province_definitions import definitions
from settlement.services.province_sending import KIND
from settlement.services.province_systems import SECRET_MAX, Connection

SECRET_HELP = _("由对方系统发放；封存保管，此后不再显示")
KEPT_HELP = _("留空则沿用原密钥；换了主机或端口须重新填写")


def _moment(at: datetime | None) -> str:
    return "—" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


class ConnectionForm(ActForm):
    """Where it is, by what it knows us, and what it is told of."""

    url = text_field(
        _("地址"), longest=posting.URL_MAX, help_text=_("以 https:// 开头；文件交换留空")
    )
    secret = forms.CharField(
        label=_("密钥"), max_length=SECRET_MAX, required=False, widget=UnfoldAdminPasswordWidget(),
        help_text=SECRET_HELP,
    )  # fmt: skip
    schemes = forms.MultipleChoiceField(
        label=_("贴息政策"), required=False, help_text=_("不选 = 全部政策"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )  # fmt: skip

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        self.fields["url"].required = False
        chosen: Any = self.fields["schemes"]
        chosen.choices = list(Scheme.objects.order_by("code").values_list("code", "name"))

    def connection(self) -> Connection:
        """What was filled in."""
        given = self.cleaned_data
        return Connection(given["url"], given["secret"], given["schemes"])


class NewSystemForm(ConnectionForm):
    """A system that nobody speaks to yet."""

    title = _("登记省级贴息系统")
    note = _("自登记时起，范围内新放款、收息和贴息支付推送给该系统，并取回名单和审核结果。")
    done = _("已登记")
    icon = "add"
    code = text_field(_("编码"), longest=40, help_text=_("小写字母、数字、连字符"))
    definition = forms.ChoiceField(label=_("对接规格"), widget=UnfoldAdminSelectWidget())
    bound_to = forms.ModelChoiceField(
        label=_("机构范围"), queryset=Institution.objects.none(), required=False,
        empty_label=_("全部机构"), help_text=_("限定机构时不取回合作银行名单"),
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    field_order = ("code", "definition", "url", "secret", "bound_to", "schemes")

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        kinds: Any = self.fields["definition"]
        kinds.choices = [(code, one.name) for code, one in definitions().items()]
        places: Any = self.fields["bound_to"]
        places.queryset = Institution.objects.filter(level__in=["headquarters", "provincial"])

    def act(self, *, actor: str, at: datetime) -> None:
        """Connect it."""
        place = self.cleaned_data["bound_to"]
        province_systems.register(
            code=self.cleaned_data["code"],
            definition=self.cleaned_data["definition"],
            bound_to_id=None if place is None else place.pk,
            to=self.connection(),
            actor=actor,
            at=at,
        )


class ChangeSystemForm(ConnectionForm):
    """Elsewhere, by another secret, about other schemes."""

    title = _("更改对接")
    note = _("尚未送达的事件改送到新地址。")
    done = _("已更改")
    icon = "edit"

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        self.initial = {"url": row.url, "schemes": row.scheme_codes}
        self.fields["secret"].help_text = KEPT_HELP

    @classmethod
    def fits(cls, row: Any) -> bool:
        """While it is active."""
        return bool(row.is_active)

    def act(self, *, actor: str, at: datetime) -> None:
        """Change it."""
        province_systems.change(system_id=self.row.pk, to=self.connection(), actor=actor, at=at)


class CloseSystemForm(ActForm):
    """Nothing more to it or from it."""

    title = _("停用")
    note = _("不再推送和取回；尚未送达的事件一并放弃，原因留存。停用后不能恢复，需要时重新登记。")
    done = _("已停用")
    icon = "block"
    why = text_field(_("原因"), longest=500)

    @classmethod
    def fits(cls, row: Any) -> bool:
        """While it is active."""
        return bool(row.is_active)

    def act(self, *, actor: str, at: datetime) -> None:
        """Close it."""
        province_systems.close(
            system_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )


def deliveries(request: HttpRequest, system: ProvinceSystem) -> Section:
    """What was last told it, or is to be."""
    latest = OutboxDelivery.objects.filter(receiver_kind=KIND, receiver_id=system.pk)
    return Section(
        title=_("送达记录"),
        columns=texts(
            _("序号"), _("事件类别"), _("事件对象"), _("状态"), _("尝试次数"), _("最近错误")
        ),
        rows=[
            (
                link("kernel_outboxdelivery", one.pk, f"#{one.pk}"),
                topic_words(one.event.topic),
                one.aggregate,
                one.get_state_display(),
                one.attempts,
                one.last_error,
            )
            for one in latest.select_related("event")
            .defer("event__payload")
            .order_by("-pk")[: SECTION_ROWS // 5]
        ],
        more=list_address("kernel_outboxdelivery", receiver_kind=KIND, receiver_id=system.pk),
        empty=_("还没有推送过事件。"),
    )


def cursors(request: HttpRequest, system: ProvinceSystem) -> Section:
    """How far its answers are taken in, and what stands in the way."""
    return Section(
        title=_("回传进度"),
        columns=texts(_("数据类别"), _("游标"), _("最近查询"), _("当前问题")),
        rows=[
            (kind_words(one.kind), one.cursor or "—", _moment(one.asked_at), one.problem or "—")
            for one in system.cursors.order_by("kind")
        ],
        empty=_("还没有查询过。"),
    )


def answers(request: HttpRequest, system: ProvinceSystem) -> Section:
    """What it last answered."""
    return Section(
        title=_("系统回传"),
        columns=[
            *texts(_("序号"), _("数据类别"), _("时间"), _("结果")),
            *numbers(_("行数"), _("新增"), _("问题数")),
        ],
        rows=[
            (
                link("settlement_provinceanswer", one.pk, f"#{one.pk}"),
                kind_words(one.kind),
                _moment(one.at),
                one.get_outcome_display(),
                one.rows,
                one.inserted,
                one.problem_count,
            )
            for one in system.answers.order_by("-pk")[: SECTION_ROWS // 5]
        ],
        more=list_address("settlement_provinceanswer", system__id__exact=system.pk),
        empty=_("还没有回传。"),
    )


KINDS = {"participations": _("合作银行"), "review-results": _("审核结果")}


def kind_words(kind: str) -> Any:
    """What rows of that kind are called."""
    return KINDS.get(kind, kind)


@admin.register(ProvinceSystem)
class ProvinceSystemAdmin(OfInstallation, ActsAdmin):
    """Systems of provinces that this installation speaks to."""

    is_short = True
    when_empty = _("没有对接省级贴息系统：登记后，新放款、收息和贴息支付将推送过去。")
    list_display = ("code", "definition_name", "url", "place", "schemes", "is_active", "since")
    list_filter = ("is_active",)
    list_select_related = ("bound_to",)
    search_by = (exact("code"), exact("url"))
    search_help_text = _("编码或地址")
    fields = (
        "code", "definition_name", "url", "place", "schemes", "is_active", "since", "made_by",
        "made_at", "secret_set_by", "secret_set_at",
    )  # fmt: skip
    heading = ("code", "definition_name")
    sections = (cursors, deliveries, answers)
    list_acts = {"new": NewSystemForm}
    row_acts = {"edit": ChangeSystemForm, "close": CloseSystemForm}

    @display(description=_("对接规格"))
    def definition_name(self, obj: ProvinceSystem) -> str:
        """By which definition it is spoken to."""
        known = definitions().get(obj.definition)
        return obj.definition if known is None else known.name

    @display(description=_("机构范围"))
    def place(self, obj: ProvinceSystem) -> Any:
        """Of whom it is told."""
        return _("全部机构") if obj.bound_to is None else str(obj.bound_to)

    @display(description=_("贴息政策"))
    def schemes(self, obj: ProvinceSystem) -> Any:
        """Of what it is told."""
        return "、".join(obj.scheme_codes) or _("全部政策")


def problems(request: HttpRequest, answer: ProvinceAnswer) -> Section:
    """Why it was refused: the first rows of it."""
    return Section(
        title=_("问题"),
        columns=texts(_("行"), _("字段"), _("内容"), _("说明")),
        rows=[
            (row or "—", column or "—", value, why) for row, column, value, why in answer.problems
        ],
        empty=_("没有问题。"),
    )


@admin.register(ProvinceAnswer)
class ProvinceAnswerAdmin(Inspected):
    """What systems answered: taken in, or refused whole with every reason."""

    when_empty = _("还没有回传：对接省级贴息系统后，取回的名单和审核结果在此显示。")
    list_display = (
        "number_of_row", "at", "system", "kind_name", "source", "outcome", "rows", "others",
        "inserted", "corrected", "problem_count",
    )  # fmt: skip
    list_filter = ("outcome", "system")
    list_select_related = ("system",)
    search_by = (number("pk"), exact("sha256"))
    search_help_text = _("序号或内容摘要")
    fields = (
        "at", "system", "institution", "kind_name", "source", "cursor", "outcome", "rows", "others",
        "inserted", "corrected", "problem_count", "sha256",
    )  # fmt: skip
    heading = ("number_of_row", "kind_name")
    sections = (problems,)

    @display(description=_("序号"), ordering="pk")
    def number_of_row(self, obj: ProvinceAnswer) -> str:
        """Its number."""
        return f"#{obj.pk}"

    @display(description=_("数据类别"))
    def kind_name(self, obj: ProvinceAnswer) -> Any:
        """What its rows are."""
        return kind_words(obj.kind)


@admin.register(ProvinceCursor)
class ProvinceCursorAdmin(OfInstallation, ReadOnlyAdmin):
    """How far each system's answers are taken in."""

    is_short = True
    when_empty = _("还没有查询过。")
    list_display = ("system", "kind_name", "cursor", "asked_at", "problem")
    list_filter = ("system",)
    list_select_related = ("system",)
    search_by = (exact("system__code"),)
    search_help_text = _("系统编码")
    fields = list_display
    heading = ("system", "kind_name")

    @display(description=_("数据类别"))
    def kind_name(self, obj: ProvinceCursor) -> Any:
        """What is asked for."""
        return kind_words(obj.kind)


@admin.register(apps.get_model("settlement", "ProvinceSystemEvent"))
class ProvinceSystemEventAdmin(OfInstallation, HistoryAdmin):
    """Former addresses and schemes."""


WAITING.append(
    Waiting(
        "stuck",
        "settlement.provincecursor",
        _("省级系统回传受阻"),
        lambda _request, rows: rows.filter(system__is_active=True).exclude(problem=""),
    )
)
