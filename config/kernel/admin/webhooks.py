"""Where clients are told of events: addresses and their keys, for who looks after the installation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import display
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from config.kernel.admin.access import sees_everything
from config.kernel.admin.acts import ActForm, ActsAdmin, Secret, text_field
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.history import HistoryAdmin
from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import SECTION_ROWS, Section, link, list_address, texts
from config.kernel.models import ApiClient, OutboxDelivery, WebhookEndpoint, WebhookSecret
from config.kernel.services import posting, webhooks

TOPICS = {
    "run.posted": _("贴息入账"),
    "report.submitted": _("报表报送"),
    "settlement.decided": _("结算批复"),
    "clawback.opened": _("追回开立"),
    "finding.opened": _("核查发现"),
}
CONNECTED = {  # what systems of provinces are told, and webhooks are not
    "note.drawn": _("新放款"),
    "interest.collected": _("收息"),
    "subsidy.paid": _("贴息支付"),
}


def topic_words(topic: str) -> Any:
    """What a topic is called; an unknown one by its code."""
    return (TOPICS | CONNECTED).get(topic, topic)


def _said_once(made: webhooks.Made) -> Secret:
    home = reverse("admin:kernel_webhookendpoint_change", args=[made.endpoint_id])
    return Secret(key_id=made.key_id, text=made.secret, home=home)


class AddressForm(ActForm):
    """Where to, and about what."""

    url = text_field(
        _("地址"), longest=posting.URL_MAX, help_text=_("以 https:// 开头；不跟随重定向")
    )
    topics = forms.MultipleChoiceField(
        label=_("事件类别"),
        choices=list(TOPICS.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )


class ChangeForm(AddressForm):
    """Another address, or other topics."""

    title = _("更改地址和类别")
    note = _("尚未送达的事件改送到新地址。")
    done = _("已更改")
    icon = "edit"

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        self.initial = {"url": row.url, "topics": row.topics}

    @classmethod
    def fits(cls, row: Any) -> bool:
        """While it is active."""
        return bool(row.is_active)

    def act(self, *, actor: str, at: datetime) -> None:
        """Change it."""
        webhooks.change_endpoint(endpoint_id=self.row.pk, **self.cleaned_data)


class NewForm(AddressForm):
    """A new address of a client."""

    title = _("登记推送地址")
    note = _("该客户端范围内的事件将签名后推送到此地址。")
    icon = "add"
    client = forms.ModelChoiceField(
        label=_("接口客户端"),
        queryset=ApiClient.objects.none(),
        widget=UnfoldAdminSelectWidget(),
    )
    field_order = ("client", "url", "topics")

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        chosen: Any = self.fields["client"]
        chosen.queryset = ApiClient.objects.filter(is_active=True)

    def act(self, *, actor: str, at: datetime) -> Secret:
        """Register it; its first key is said this once."""
        made = webhooks.add_endpoint(
            client_id=self.cleaned_data["client"].pk,
            url=self.cleaned_data["url"],
            topics=self.cleaned_data["topics"],
            actor=actor,
            at=at,
        )
        return _said_once(made)


class RotateForm(ActForm):
    """A new key."""

    title = _("更换密钥")
    note = _("生成新密钥；旧密钥继续并行签名 7 天，供接收方切换。")
    icon = "key"

    @classmethod
    def fits(cls, row: Any) -> bool:
        """While it is active."""
        return bool(row.is_active)

    def act(self, *, actor: str, at: datetime) -> Secret:
        """Make it; it is said this once."""
        return _said_once(webhooks.rotate_secret(endpoint_id=self.row.pk, actor=actor, at=at))


class DeactivateForm(ActForm):
    """No more posts there."""

    title = _("停用")
    note = _("不再推送；尚未送达的事件一并放弃，原因留存。停用后不能恢复，需要时重新登记。")
    done = _("已停用")
    icon = "block"
    why = text_field(_("原因"), longest=500)

    @classmethod
    def fits(cls, row: Any) -> bool:
        """While it is active."""
        return bool(row.is_active)

    def act(self, *, actor: str, at: datetime) -> None:
        """Stop it."""
        webhooks.deactivate(
            endpoint_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )


def keys(request: HttpRequest, endpoint: WebhookEndpoint) -> Section:
    """The keys that sign what is posted there, and those that did."""
    return Section(
        title=_("推送签名密钥"),
        columns=texts(_("密钥编号"), _("生成人"), _("生成时间"), _("失效时间")),
        rows=[
            (link("kernel_webhooksecret", one.pk, one.key_id), one.made_by, *_span(one))
            for one in endpoint.secrets.order_by("-pk")[:SECTION_ROWS]
        ],
    )


def _span(secret: WebhookSecret) -> tuple[str, str]:
    made, ends = secret.made_at, secret.ends_at
    return _moment(made), "—" if ends is None else _moment(ends)


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def deliveries(request: HttpRequest, endpoint: WebhookEndpoint) -> Section:
    """What was last sent there, or is to be."""
    latest = OutboxDelivery.objects.filter(receiver_kind=webhooks.KIND, receiver_id=endpoint.pk)
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
        more=list_address(
            "kernel_outboxdelivery", receiver_kind=webhooks.KIND, receiver_id=endpoint.pk
        ),
        empty=_("还没有推送过事件。"),
    )


class OfInstallation:
    """Pages for those who see every institution."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees everything."""
        return sees_everything(request)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(OfInstallation, ActsAdmin):
    """Addresses of clients."""

    is_short = True
    when_empty = _("没有推送地址：登记后，该客户端范围内的事件将推送过去。")
    list_display = ("number_of_row", "client", "url", "topic_names", "is_active", "made_at")
    list_filter = ("is_active", "client")
    list_select_related = ("client",)
    search_by = (number("pk"), exact("client__name"), exact("url"))
    search_help_text = _("序号、客户端名称或地址")
    fields = ("client", "url", "topic_names", "is_active", "made_by", "made_at")
    heading = ("number_of_row", "client")
    sections = (keys, deliveries)
    list_acts = {"new": NewForm}
    row_acts = {"edit": ChangeForm, "rotate": RotateForm, "deactivate": DeactivateForm}

    @display(description=_("序号"), ordering="pk")
    def number_of_row(self, obj: WebhookEndpoint) -> str:
        """Its number."""
        return f"#{obj.pk}"

    @display(description=_("事件类别"))
    def topic_names(self, obj: WebhookEndpoint) -> str:
        """What is told there."""
        return "、".join(str(topic_words(topic)) for topic in obj.topics)


@admin.register(WebhookSecret)
class WebhookSecretAdmin(OfInstallation, ReadOnlyAdmin):
    """Which keys there are, and since when; never what they are."""

    is_short = True
    when_empty = _("没有推送签名密钥；登记推送地址时生成。")
    list_display = ("key_name", "endpoint", "made_by", "made_at", "ends_at")
    list_select_related = ("endpoint",)
    search_by = (number("endpoint_id"),)
    search_help_text = _("推送地址序号")
    fields = list_display
    heading = ("key_name",)

    @display(description=_("密钥编号"), ordering="pk")
    def key_name(self, obj: WebhookSecret) -> str:
        """The name under which signatures refer to it."""
        return obj.key_id


@admin.register(apps.get_model("kernel", "WebhookEndpointEvent"))
class WebhookEndpointEventAdmin(OfInstallation, HistoryAdmin):
    """Former addresses."""


@admin.register(apps.get_model("kernel", "WebhookSecretEvent"))
class WebhookSecretEventAdmin(OfInstallation, HistoryAdmin):
    """Former ends of keys."""
