"""What enterprises were told of their subsidies, how it reached them, and sending anew what did not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import MAKERS, has_role
from config.kernel.admin.filters import LevelFilter, YesNoFilter
from config.kernel.admin.sections import (
    SECTION_ROWS,
    Section,
    link,
    list_address,
    numbers,
    texts,
)
from loans.admin.base import (
    CollectedMonthFilter,
    FactAdmin,
    in_yuan,
    own_language,
    scheme_name,
    yuan,
)
from loans.admin.chosen import ReasonForm, each
from loans.admin.contacts import CHANNELS
from loans.admin.fields import ReasonField
from loans.admin.lookups import of_note
from loans.admin.notes import NOTE_SECTIONS
from loans.admin.steps import StepForm, StepsAdmin
from settlement.admin.deductions import DeductionSchemeFilter
from settlement.models import Notice, NoticeDelivery, NoticeRecord, NoticeState
from settlement.services import notice_texts
from settlement.services.notices import RESENT, routes, send_anew

FEW = ("waiting", "failed", "no_contact")  # kept in an index of their own


def state_of(notice: Any) -> NoticeState:
    """Where a notice stands."""
    delivery: NoticeDelivery | None = getattr(notice, "delivery", None)
    return NoticeState.NO_GATEWAY if delivery is None else NoticeState(delivery.state)


def granted_fen(notice: Any) -> int:
    """What was posted, all tiers."""
    one = notice.deduction
    return int(one.central_fen + one.provincial_fen + one.municipal_fen)


def last_record(notice: Any) -> NoticeRecord | None:
    """The last attempt."""
    return next((one for one in notice.latest if one.outcome != "asked"), None)


def with_latest(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Notices with what they tell of, their delivery and their records, the latest first."""
    records = Prefetch("records", NoticeRecord.objects.order_by("-pk"), to_attr="latest")
    named = rows.select_related("delivery", "institution", "note", "scheme")
    return named.prefetch_related("deduction", records)


def contents(request: HttpRequest, notice: Notice) -> Section:
    """The text as it reads now, and whether it is what was sent."""
    text = notice_texts.texts(notice_ids=[notice.pk]).get(notice.pk, "")
    sent = NoticeRecord.objects.filter(notice=notice).exclude(sha256="").order_by("-pk").first()
    if sent is None:
        proved: Any = _("尚未发送")
    elif sent.sha256 == hashlib.sha256(text.encode()).hexdigest():
        proved = _("与最近一次发送的内容摘要一致")
    else:
        proved = _("与最近一次发送的内容摘要不同：资料或模板在发送后有变更")
    return Section(title=_("告知内容"), columns=texts(_("内容"), _("核对")), rows=[(text, proved)])


def attempts(request: HttpRequest, notice: Notice) -> Section:
    """Every attempt with its proof, and who had it sent anew."""
    found = notice.records.order_by("pk")[:SECTION_ROWS]
    return Section(
        title=_("发送记录"),
        columns=texts(
            _("时间"), _("结果"), _("渠道"), _("地址（掩码）"), _("网关"), _("网关消息号"),
            _("告知编号"), _("说明"), _("经办"), _("内容摘要"),
        ),
        rows=[
            (
                f"{timezone.localtime(r.at):%Y-%m-%d %H:%M:%S}", r.get_outcome_display(),
                CHANNELS.get(r.channel, ""), r.address, r.gateway, r.message_id, r.reference,
                own_language(r.detail), r.actor, r.sha256[:12],
            )
            for r in found
        ],
        empty=_("还没有发送过。"),
    )  # fmt: skip


class StateFilter(SimpleListFilter):
    """By where a notice stands."""

    title = _("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """Every state."""
        return NoticeState.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Notices in that state; few of many are looked up where they are few."""
        state = self.value()
        if state == NoticeState.NO_GATEWAY:
            return queryset.filter(delivery__isnull=True)
        if state in FEW:
            few = NoticeDelivery.objects.filter(state=state)
            return queryset.filter(pk__in=few.values("notice_id"))
        return queryset.filter(delivery__state=state) if state else queryset


class CorrectionFilter(YesNoFilter):
    """Corrections or not."""

    title = _("更正告知")
    parameter_name = "correction"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Notices that are, or are not."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(is_correction=self.value() == "yes")


class SendAnew(StepForm):
    """Have a notice sent again that did not reach its enterprise."""

    title = _("重新发送")
    button = _("重新发送")
    icon = "replay"
    note = _("用新的告知编号再次发送。发送前请先核对企业的联系方式。")
    done = _("已转入待发送")
    at_field = {"notice_why": "why"}

    why = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Failed, without a contact, or posted while nothing was sent and now it is."""
        state = state_of(row)
        return state in RESENT or (state == NoticeState.NO_GATEWAY and bool(routes()))

    def sections(self) -> list[Section]:
        """What will be said."""
        return [contents(self.request, self.row)]

    def act(self, *, actor: str, at: datetime) -> None:
        """Let it wait again."""
        send_anew(notice_ids=[self.row.pk], why=self.cleaned_data["why"], actor=actor, at=at)


@admin.register(Notice)
class NoticeAdmin(StepsAdmin, FactAdmin):
    """Notices, by the month of collection."""

    when_empty = _("还没有告知：贴息入账时，每笔自动生成一条告知。")
    list_display = (
        "number", "scheme_label", "note", "institution_name", "what", "amount_yuan", "standing",
        "channel", "address", "sent_on",
    )  # fmt: skip
    fields = (
        "deduction_link", "scheme_label", "note", "institution_name", "what", "amount_yuan",
        "before_yuan", "standing", "next_at",
    )  # fmt: skip
    list_filter = (
        StateFilter, DeductionSchemeFilter, CorrectionFilter, CollectedMonthFilter, LevelFilter,
    )  # fmt: skip
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")
    row_steps = {"again": SendAnew}
    sections = (contents, attempts)
    actions = ("resend",)
    action_form = ReasonForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what they tell of and how it went."""
        return with_latest(super().get_queryset(request))

    def has_make_permission(self, request: HttpRequest) -> bool:
        """The bank's makers."""
        return has_role(request, MAKERS)

    @admin.action(description=_("重新发送"), permissions=["make"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the chosen ones sent anew, for the reason given."""
        actor, at = request.user.get_username(), timezone.localtime()
        why = request.POST.get("why", "")

        def step(key: int) -> None:
            send_anew(notice_ids=[key], why=why, actor=actor, at=at)

        each(request, self, queryset, step, told=gettext("%(count)d 条已转入待发送"))

    @display(description=_("贴息政策"))
    def scheme_label(self, row: Notice) -> str:
        """The scheme's name."""
        return scheme_name(row.scheme.code)

    @display(description=_("告知"))
    def number(self, row: Notice) -> str:
        """By its own number."""
        return str(row)

    @display(description=_("代付贴息"))
    def deduction_link(self, row: Notice) -> Any:
        """What it tells of."""
        return link("settlement_deduction", row.pk, f"#{row.pk}")

    @display(description=_("类别"))
    def what(self, row: Notice) -> Any:
        """Told first, or corrected."""
        return _("更正") if row.is_correction else _("告知")

    @display(description=in_yuan(_("本次入账")))
    def amount_yuan(self, row: Notice) -> Any:
        """All tiers of the posting."""
        return yuan(granted_fen(row))

    @display(description=in_yuan(_("更正前贴息")))
    def before_yuan(self, row: Notice) -> Any:
        """What the period had been granted."""
        before = (row.before_central_fen, row.before_provincial_fen, row.before_municipal_fen)
        return yuan(sum(fen or 0 for fen in before)) if row.is_correction else None

    @display(description=_("状态"))
    def standing(self, row: Notice) -> Any:
        """Where it stands."""
        return state_of(row).label

    @display(description=_("下次发送"))
    def next_at(self, row: Notice) -> Any:
        """When it is tried next."""
        waits = state_of(row) == NoticeState.WAITING
        return f"{timezone.localtime(row.delivery.next_at):%Y-%m-%d %H:%M}" if waits else None

    @display(description=_("渠道"))
    def channel(self, row: Any) -> Any:
        """Of the last attempt."""
        last = last_record(row)
        return CHANNELS.get(last.channel) if last else None

    @display(description=_("地址（掩码）"))
    def address(self, row: Any) -> Any:
        """Of the last attempt."""
        last = last_record(row)
        return (last.address or None) if last else None

    @display(description=_("发送日期"))
    def sent_on(self, row: Any) -> Any:
        """Of the last attempt; the minute is on the page."""
        last = last_record(row)
        return timezone.localtime(last.at).date() if last else None


@admin.register(NoticeDelivery)
class NoticeDeliveryAdmin(FactAdmin):
    """How far each sending has come: the outbox itself."""

    when_empty = _("没有发送任务：未开通发送，或还没有贴息入账。")
    list_display = (
        "notice", "note", "institution_name", "state", "round", "attempts", "next_at", "leased_until",
    )  # fmt: skip
    fields = list_display
    list_filter = ("state", LevelFilter)
    list_select_related = ("institution", "note", "notice")
    finance_sees = False
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")


@admin.register(NoticeRecord)
class NoticeRecordAdmin(FactAdmin):
    """Every attempt and every order to send anew, latest first."""

    when_empty = _("还没有发送记录：告知发送后，每次尝试在此留下证明。")
    list_display = (
        "at", "notice", "note", "institution_name", "outcome", "channel_words", "address",
        "message_id", "said",
    )  # fmt: skip
    fields = (*list_display, "gateway", "reference", "actor", "sha256")
    list_filter = ("outcome", LevelFilter)
    list_select_related = ("institution", "note", "notice")
    sortable_by = ()
    search_by = (of_note(),)
    search_help_text = _("借据号的开头")

    @display(description=_("说明"))
    def said(self, row: NoticeRecord) -> str:
        """Why it was not sent, or is sent anew, in the reader's language."""
        return own_language(row.detail) or self.empty_value_display

    @display(description=_("渠道"))
    def channel_words(self, row: NoticeRecord) -> Any:
        """In words."""
        return CHANNELS.get(row.channel)


def notices_of(request: HttpRequest, note: Any) -> Section:
    """What the note's enterprise was told, latest collection first."""
    rows = with_latest(Notice.objects.filter(note_id=note.pk).select_related("scheme"))
    found = list(rows.order_by("-pk")[:SECTION_ROWS])
    lasts = [last_record(one) for one in found]
    return Section(
        title=_("企业告知"),
        columns=[
            *texts(_("告知"), _("贴息政策"), _("收息日"), _("类别")),
            *numbers(in_yuan(_("本次入账"))),
            *texts(_("状态"), _("渠道"), _("地址（掩码）"), _("时间"), _("网关消息号")),
        ],
        rows=[
            (
                link("settlement_notice", one.pk, f"#{one.pk}"),
                scheme_name(one.scheme.code),
                one.deduction.collected_on,
                _("更正") if one.is_correction else _("告知"),
                yuan(granted_fen(one)),
                state_of(one).label,
                CHANNELS.get(last.channel) if last else None,
                (last.address or None) if last else None,
                f"{timezone.localtime(last.at):%Y-%m-%d %H:%M}" if last else None,
                (last.message_id or None) if last else None,
            )
            for one, last in zip(found, lasts, strict=True)
        ],
        more=list_address("settlement_notice", q=note.note_number),
    )


NOTE_SECTIONS.append(notices_of)
