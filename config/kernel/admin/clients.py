"""Machines that speak to us: who they are, what they may do, since when by which secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import display
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.acts import ActsAdmin
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.client_forms import (
    ChangeClientForm,
    CloseForm,
    EndKeyForm,
    NewClientForm,
    ReopenForm,
    RotateClientForm,
    SigningKeyForm,
    scope_words,
)
from config.kernel.admin.history import HistoryAdmin
from config.kernel.admin.searching import exact, number, prefix
from config.kernel.admin.sections import SECTION_ROWS, Section, link, texts
from config.kernel.admin.webhooks import OfInstallation
from config.kernel.models import ApiClient, ClientSecret, SigningKey


def _moment(at: datetime | None) -> str:
    return "—" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def secrets_of(request: Any, client: ApiClient) -> Section:
    """Its secrets, by when they were made; what they are nobody can say."""
    return Section(
        title=_("客户端密钥"),
        columns=texts(_("序号"), _("生成人"), _("生成时间"), _("失效时间")),
        rows=[
            (
                link("kernel_clientsecret", one.pk, f"#{one.pk}"),
                one.made_by,
                _moment(one.made_at),
                _moment(one.ends_at),
            )
            for one in client.secrets.order_by("-pk")[:SECTION_ROWS]
        ],
    )


def signing_keys(request: Any, client: ApiClient) -> Section:
    """The keys it signs by."""
    return Section(
        title=_("签名密钥"),
        columns=texts(_("密钥编号"), _("算法"), _("生成人"), _("生成时间"), _("失效时间")),
        rows=[
            (
                link("kernel_signingkey", one.pk, one.key_id),
                one.get_algorithm_display(),
                one.made_by,
                _moment(one.made_at),
                _moment(one.ends_at),
            )
            for one in client.signing_keys.order_by("-pk")[:SECTION_ROWS]
        ],
        empty=_("没有签名密钥。"),
    )


@admin.register(ApiClient)
class ApiClientAdmin(OfInstallation, ActsAdmin):
    """Clients of the interface."""

    is_short = True
    when_empty = _("没有接口客户端：登记后，银行核心系统或国库系统即可调用接口。")
    list_display = ("name", "bound_to", "department", "is_active", "requires_signature", "made_at")
    list_filter = ("is_active",)
    list_select_related = ("bound_to", "department")
    search_by = (exact("name"), prefix("name"), exact("application__client_id"))
    search_help_text = _("客户端名称的开头或 client_id")
    fields = (
        "name", "client_id", "bound_to", "department", "scope_words", "requires_signature",
        "certificate_sha256", "requests_per_minute", "is_active", "made_by", "made_at",
    )  # fmt: skip
    heading = ("name",)
    sections = (secrets_of, signing_keys)
    list_acts = {"new": NewClientForm}
    row_acts = {
        "edit": ChangeClientForm,
        "rotate": RotateClientForm,
        "sign": SigningKeyForm,
        "close": CloseForm,
        "reopen": ReopenForm,
    }

    @display(description="client_id")
    def client_id(self, obj: ApiClient) -> str:
        """Its name in OAuth2."""
        return str(obj.application.client_id)

    @display(description=_("权限"))
    def scope_words(self, obj: ApiClient) -> str:
        """What it may do, in words."""
        return "；".join(scope_words(one) for one in obj.scopes)


@admin.register(SigningKey)
class SigningKeyAdmin(OfInstallation, ActsAdmin):
    """Which keys there are, and since when; never what they are."""

    is_short = True
    when_empty = _("没有签名密钥；在接口客户端页面登记。")
    list_display = ("key_id", "client", "algorithm", "made_by", "made_at", "ends_at")
    list_select_related = ("client",)
    search_by = (exact("key_id"), exact("client__name"))
    search_help_text = _("密钥编号或客户端名称")
    fields = list_display
    heading = ("key_id",)
    row_acts = {"end": EndKeyForm}


@admin.register(ClientSecret)
class ClientSecretAdmin(OfInstallation, ReadOnlyAdmin):
    """Which secrets there are, and since when; never what they are."""

    is_short = True
    when_empty = _("没有客户端密钥；登记接口客户端时生成。")
    list_display = ("number_of_row", "client", "made_by", "made_at", "ends_at")
    list_select_related = ("client",)
    search_by = (number("pk"), exact("client__name"))
    search_help_text = _("序号或客户端名称")
    fields = list_display
    heading = ("number_of_row",)

    @display(description=_("序号"), ordering="pk")
    def number_of_row(self, obj: ClientSecret) -> str:
        """Its number."""
        return f"#{obj.pk}"


@admin.register(apps.get_model("kernel", "ApiClientEvent"))
class ApiClientEventAdmin(OfInstallation, HistoryAdmin):
    """Former terms of clients."""


@admin.register(apps.get_model("kernel", "ClientSecretEvent"))
class ClientSecretEventAdmin(OfInstallation, HistoryAdmin):
    """Former ends of secrets."""


@admin.register(apps.get_model("kernel", "SigningKeyEvent"))
class SigningKeyEventAdmin(OfInstallation, HistoryAdmin):
    """Former ends of keys."""
