"""What an administrator does about clients of the interface, each on a page of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from config.kernel.admin.acts import ActForm, Secret, text_field
from config.kernel.models import ApiClient, FinanceDepartment, Institution, SigningKey
from config.kernel.services import clients
from config.kernel.services.clients import Refused, Speaker, Terms


def _said_once(client: ApiClient, secret: str) -> Secret:
    home = reverse("admin:kernel_apiclient_change", args=[client.pk])
    return Secret(key_id=client.application.client_id, text=secret, home=home)


def scope_words(code: str) -> str:
    """What a scope lets a machine do, in the reader's language."""
    chinese, _, english = settings.API_SCOPES.get(code, code).partition(" / ")
    return english if english and (get_language() or "").startswith("en") else chinese


class TermsForm(ActForm):
    """What a client may do, and what it has to prove."""

    scopes = forms.MultipleChoiceField(
        label=_("权限"),
        choices=lambda: [(one, scope_words(one)) for one in settings.API_SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    requires_signature = forms.BooleanField(
        label=_("资金请求须签名"), required=False, widget=UnfoldBooleanWidget()
    )
    certificate_sha256 = text_field(
        _("客户端证书指纹"), longest=95, help_text=_("SHA-256，十六进制；留空为不要求")
    )
    requests_per_minute = forms.IntegerField(
        label=_("每分钟请求上限"),
        min_value=1,
        max_value=1_000_000,
        initial=600,
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        self.fields["certificate_sha256"].required = False

    def terms(self) -> Terms:
        """As the service wants them."""
        given = self.cleaned_data
        return Terms(
            scopes=tuple(given["scopes"]),
            requires_signature=given["requires_signature"],
            requests_per_minute=given["requests_per_minute"],
            certificate_sha256=given["certificate_sha256"].replace(":", "").lower(),
        )


class NewClientForm(TermsForm):
    """Let a machine in."""

    title = _("登记接口客户端")
    note = _("绑定一个机构（银行核心系统）或一个财政部门（国库系统），二者择一。密钥只显示一次。")
    icon = "add"
    name = text_field(
        _("客户端名称"), longest=60, help_text=_("小写字母、数字和连字符，登记后不变")
    )
    institution = forms.ModelChoiceField(
        label=_("绑定机构"),
        queryset=Institution.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    department = forms.ModelChoiceField(
        label=_("绑定财政部门"),
        queryset=FinanceDepartment.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    field_order = ("name", "institution", "department", "scopes")

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        fields: Any = self.fields
        fields["institution"].queryset = Institution.objects.all()
        fields["department"].queryset = FinanceDepartment.objects.all()

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("institution")) == bool(data.get("department")):
            raise ValidationError(_("绑定机构与绑定财政部门须且只能选一个"))
        return data

    def act(self, *, actor: str, at: datetime) -> Secret:
        """Register it."""
        speaker = Speaker(self.cleaned_data["institution"], self.cleaned_data["department"])
        try:
            client, secret = clients.register(
                name=self.cleaned_data["name"],
                speaks_for=speaker,
                terms=self.terms(),
                actor=actor,
                at=at,
            )
        except Refused as refused:
            raise ValidationError(str(refused)) from refused
        return _said_once(client, secret)


class Active(ActForm):
    """A step on a client that is let in."""

    @classmethod
    def fits(cls, row: Any) -> bool:
        """While it is active."""
        return bool(row.is_active)


class ChangeClientForm(TermsForm, Active):
    """Other terms."""

    title = _("更改权限和限额")
    note = _("已发出的令牌立即按新的权限办理。")
    done = _("已更改")
    icon = "edit"

    def __init__(self, row: Any = None, data: Any = None) -> None:
        super().__init__(row, data)
        self.initial = {name: getattr(row, name) for name in self.fields}

    def act(self, *, actor: str, at: datetime) -> None:
        """Change them."""
        try:
            clients.change(client_id=self.row.pk, terms=self.terms())
        except Refused as refused:
            raise ValidationError(str(refused)) from refused


class RotateClientForm(Active):
    """A new secret."""

    title = _("更换客户端密钥")
    note = _("生成新密钥；旧密钥 7 天后失效，供对方切换。")
    icon = "key"

    def act(self, *, actor: str, at: datetime) -> Secret:
        """Make it; it is said this once."""
        return _said_once(
            self.row, clients.rotate_secret(client_id=self.row.pk, actor=actor, at=at)
        )


class SigningKeyForm(Active):
    """A key to sign by."""

    title = _("登记签名密钥")
    note = _("HMAC-SHA256：双方约定的密钥，至少 32 字节；Ed25519：对方的公钥（PEM）。")
    done = _("已登记")
    icon = "signature"
    key_id = text_field(_("密钥编号"), longest=60)
    algorithm = forms.ChoiceField(
        label=_("算法"), choices=SigningKey.Algorithm.choices, widget=UnfoldAdminSelectWidget()
    )
    material = forms.CharField(
        label=_("密钥"), max_length=4_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 6})
    )

    def clean_key_id(self) -> str:
        """A name that fits into a header."""
        key_id = str(self.cleaned_data["key_id"])
        if not key_id.isascii() or not key_id.replace("-", "").replace("_", "").isalnum():
            raise ValidationError(_("只能用字母、数字、连字符和下划线"))
        return key_id

    def act(self, *, actor: str, at: datetime) -> None:
        """Register it."""
        try:
            clients.add_signing_key(
                client_id=self.row.pk,
                key_id=self.cleaned_data["key_id"],
                algorithm=SigningKey.Algorithm(self.cleaned_data["algorithm"]),
                material=self.cleaned_data["material"].strip(),
                actor=actor,
                at=at,
            )
        except Refused as refused:
            raise ValidationError(str(refused)) from refused


class CloseForm(Active):
    """No more of it."""

    title = _("停用客户端")
    note = _("立即拒绝它的一切请求，已发出的令牌同时失效。需要时可重新启用。")
    done = _("已停用")
    icon = "block"

    def act(self, *, actor: str, at: datetime) -> None:
        """Close it."""
        clients.close(client_id=self.row.pk)


class ReopenForm(ActForm):
    """Let it in again."""

    title = _("重新启用")
    note = _("以它现有的密钥恢复登录。")
    done = _("已启用")
    icon = "lock_open"

    @classmethod
    def fits(cls, row: Any) -> bool:
        """While it is closed."""
        return not row.is_active

    def act(self, *, actor: str, at: datetime) -> None:
        """Reopen it."""
        clients.reopen(client_id=self.row.pk)


class EndKeyForm(ActForm):
    """No more signatures by it."""

    title = _("终止签名密钥")
    note = _("自现在起不再接受以它签名的请求。")
    done = _("已终止")
    icon = "block"

    @classmethod
    def fits(cls, row: Any) -> bool:
        """Until it has ended."""
        return row.ends_at is None

    def act(self, *, actor: str, at: datetime) -> None:
        """End it."""
        clients.end_signing_key(key_id=self.row.key_id, ends_at=at)
