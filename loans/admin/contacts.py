"""Where enterprises are told what was paid for them: masked but for makers who change it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from config.kernel.admin.access import sees_as_finance, staff
from config.kernel.admin.filters import LevelFilter, YesNoFilter
from config.kernel.admin.sections import SECTION_ROWS, Button, Section, link, texts
from config.kernel.models import Institution
from loans.admin.base import FactAdmin, own_language, with_enterprise_name
from loans.admin.entry_forms import holders
from loans.admin.fields import WordChoice, refused
from loans.admin.lookups import of_enterprise
from loans.admin.steps import StepForm, StepsAdmin
from loans.models import Channel, Enterprise, EnterpriseContact
from loans.services.entry import enter_row
from loans.services.outcomes import ImportRefused, Source
from loans.values.contacts import masked
from loans.values.errors import DomainError

CHANNELS = dict(Channel.choices)
YES_NO = (("yes", _("是")), ("no", _("否")))


class ContactForm(StepForm):
    """A contact by hand, by the way of a file of one row."""

    icon = "contact_phone"
    at_field = {"row_known": "address"}

    address = forms.CharField(
        label=_("联系地址"),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("手机号码、APP 用户号或电子邮箱"),
    )
    name = forms.CharField(label=_("联系人"), widget=UnfoldAdminTextInputWidget, required=False)
    in_use = WordChoice(
        label=_("是否启用"),
        choices=YES_NO,
        initial="yes",
        help_text=_("停用后不再向此地址发送告知"),
    )

    def key(self) -> tuple[Institution, str, str]:
        """Whose contact, of which enterprise, on which channel."""
        raise PermissionDenied

    def act(self, *, actor: str, at: datetime) -> None:
        """Enter the row in the institution's scope."""
        place, uscc, channel = self.key()
        given = {name: self.cleaned_data[name] for name in ("address", "name", "in_use")}
        values = {"institution_code": place.code, "uscc": uscc, "channel": channel, **given}
        source = Source(actor=actor, at=at, scope=place.scope)
        enter_row(kind="enterprise-contacts", values=values, source=source)

    def refuse(self, refusal: DomainError) -> None:
        """Each problem at its column's field."""
        if not isinstance(refusal, ImportRefused):
            return super().refuse(refusal)
        for problem in refusal.problems:
            field = problem.column if problem.column in self.fields else None
            if field and problem.value is not None:
                self.add_error(field, refused(problem.value, problem.message))
            else:
                self.add_error(field, own_language(problem.message))
        return None


class EnterContact(ContactForm):
    """A new contact; one that the institution has for the enterprise and channel is corrected."""

    title = _("登记联系方式")
    button = _("登记")
    note = _(
        "规则与企业联系方式文件相同；同一机构、企业、渠道只留一个，再次登记即为更正，旧值留在历史中。"
    )
    done = _("联系方式已登记")

    institution_code = WordChoice(label=_("机构"))
    uscc = forms.CharField(label=_("统一社会信用代码"), widget=UnfoldAdminTextInputWidget)
    channel = WordChoice(label=_("告知渠道"), choices=Channel.choices)

    field_order = ("institution_code", "uscc", "channel", "address", "name", "in_use")

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.places = {place.code: place for place in _places(request)}
        fields: Any = self.fields
        fields["institution_code"].initial = next(iter(self.places), None)
        fields["institution_code"].choices = [(c, str(p)) for c, p in self.places.items()]

    def key(self) -> tuple[Institution, str, str]:
        """As chosen."""
        given = self.cleaned_data
        return self.places[given["institution_code"]], given["uscc"], given["channel"]


class ChangeContact(ContactForm):
    """The address of a contact, its person, or whether it is used."""

    title = _("更正联系方式")
    button = _("更正")
    icon = "edit"
    note = _("旧值留在历史中。已发出的告知不受影响。")
    done = _("联系方式已更正")

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.initial = {
            "address": row.address,
            "name": row.name,
            "in_use": "yes" if row.in_use else "no",
        }

    def sections(self) -> list[Section]:
        """Whose it is."""
        row: EnterpriseContact = self.row
        return [
            Section(
                title=_("企业联系方式"),
                columns=texts(_("机构"), _("统一社会信用代码"), _("告知渠道")),
                rows=[(row.institution.name, row.enterprise.uscc, row.get_channel_display())],
            )
        ]

    def key(self) -> tuple[Institution, str, str]:
        """The row's own."""
        row: EnterpriseContact = self.row
        return row.institution, row.enterprise.uscc, row.channel


def _places(request: HttpRequest) -> list[Institution]:
    """Institutions a person may keep contacts for: their own first, then those that are no branches."""
    user = staff(request)
    own = [user.institution] if user is not None and user.institution is not None else []
    return [*own, *(place for place in holders(request) if place not in own)]


class InUseFilter(YesNoFilter):
    """Used or not."""

    title = _("是否启用")
    parameter_name = "in_use"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Rows that are, or are not."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(in_use=self.value() == "yes")


@admin.register(EnterpriseContact)
class EnterpriseContactAdmin(StepsAdmin, FactAdmin):
    """Contacts within the person's scope; finance sees none."""

    when_empty = _("还没有联系方式：导入企业联系方式文件，或在此逐个登记。")
    list_display = (
        "enterprise", "enterprise_name", "institution_name", "channel", "masked_address", "name", "in_use",
    )  # fmt: skip
    fields = (*list_display, "batch_link")
    list_filter = ("channel", InUseFilter, LevelFilter)
    list_select_related = ("enterprise", "institution")
    finance_sees = False
    search_by = (of_enterprise("enterprise_id"),)
    search_help_text = _("统一社会信用代码，或企业名称的开头")
    list_steps = {"enter": EnterContact}
    row_steps = {"change-contact": ChangeContact}
    heading = ("enterprise", "channel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the enterprises' latest names."""
        return with_enterprise_name(super().get_queryset(request), "enterprise_id")

    @display(description=_("企业名称"))
    def enterprise_name(self, row: Any) -> str:
        """The latest known name."""
        return str(row.enterprise_name or "")

    @display(description=_("联系地址"))
    def masked_address(self, row: EnterpriseContact) -> str:
        """As much of it as tells it from others."""
        return masked(row.address)


def contacts(request: HttpRequest, enterprise: Enterprise) -> Section:
    """Where the person's own bank reaches the enterprise."""
    known = enterprise.contacts.select_related("institution")
    if sees_as_finance(request):
        known = known.none()
    return Section(
        title=_("联系方式"),
        columns=texts(_("告知渠道"), _("机构"), _("联系地址"), _("联系人"), _("是否启用")),
        rows=[
            (
                link("loans_enterprisecontact", one.pk, one.get_channel_display()),
                one.institution.name,
                masked(one.address),
                one.name,
                _("是") if one.in_use else _("否"),
            )
            for one in known[:SECTION_ROWS]
        ],
        empty=_("没有登记联系方式，贴息告知无法送达。"),
    )


def enter_contact(request: HttpRequest, enterprise: Enterprise) -> list[Button]:
    """Enter one for the enterprise, for whoever may."""
    if not EnterContact.may(request):
        return []
    address = f"{reverse('admin:loans_enterprisecontact_enter')}?uscc={enterprise.uscc}"
    return [Button(EnterContact.title, address, EnterContact.icon)]
