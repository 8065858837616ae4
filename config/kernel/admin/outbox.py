"""What others were told, whether they have it, and what people did about what they have not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import is_inspector
from config.kernel.admin.acts import ActForm, ActsAdmin, text_field
from config.kernel.admin.base import ReadOnlyAdmin
from config.kernel.admin.paging import BoundedChangeList
from config.kernel.admin.searching import exact, number
from config.kernel.admin.sections import SECTION_ROWS, Section, link, texts
from config.kernel.admin.waiting import WAITING, having
from config.kernel.admin.webhooks import CONNECTED, TOPICS, topic_words
from config.kernel.admin.work import readable
from config.kernel.models import DeliveryStep, OutboxDelivery, OutboxEvent
from config.kernel.services import outbox

State = OutboxDelivery.State


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


class Inspected(ReadOnlyAdmin):
    """Pages for administrators and auditors; the database decides which rows."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators and auditors."""
        return is_inspector(request)


class ResendForm(ActForm):
    """Try it anew."""

    title = _("重新发送")
    note = _(
        "按原编号、原内容重新发送。请先确认接收方已恢复；同一对象之后的事件在它之后送达。"
        "已放弃的事件重新发送时，之后的事件可能已经送达。"
    )
    done = _("已排队重新发送")
    icon = "replay"
    why = text_field(_("原因"), longest=outbox.REASON_MAX)

    @classmethod
    def fits(cls, row: Any) -> bool:
        """What was not delivered and is not waiting."""
        return row.state in {State.DEAD, State.GIVEN_UP}

    def act(self, *, actor: str, at: datetime) -> None:
        """Put it back."""
        outbox.resend(delivery_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at)


class GiveUpForm(ActForm):
    """Stop trying."""

    title = _("放弃")
    note = _("不再尝试送达，同一对象之后的事件得以继续。请先另行告知接收方。")
    done = _("已放弃")
    icon = "cancel"
    why = text_field(_("原因"), longest=outbox.REASON_MAX)

    @classmethod
    def fits(cls, row: Any) -> bool:
        """What is not delivered."""
        return row.state in {State.WAITING, State.DEAD}

    def act(self, *, actor: str, at: datetime) -> None:
        """Give it up."""
        outbox.give_up(delivery_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at)


def steps(request: HttpRequest, delivery: OutboxDelivery) -> Section:
    """What people did about it."""
    return Section(
        title=_("送达处理"),
        columns=texts(
            _("时间"), _("步骤"), _("操作人"), _("原因"), _("此前尝试次数"), _("此前错误")
        ),
        rows=[
            (
                _moment(one.at),
                one.get_step_display(),
                one.actor,
                one.why,
                one.attempts,
                one.last_error,
            )
            for one in delivery.steps.order_by("-pk")[:SECTION_ROWS]
        ],
        empty=_("没有人工处理过。"),
    )


def named(deliveries: Iterable[Any]) -> None:
    """Let each delivery know what its receiver is called, with one question per channel."""
    kinds: dict[str, set[int]] = defaultdict(set)
    rows = list(deliveries)
    for row in rows:
        kinds[row.receiver_kind].add(row.receiver_id)
    names = {
        (kind, one): name
        for kind, ids in kinds.items()
        if (channel := outbox.channel_of(kind)) is not None
        for one, name in channel.names(ids).items()
    }
    for row in rows:
        key = row.receiver_kind, row.receiver_id
        row.receiver_name = names.get(key, f"{row.receiver_kind}:{row.receiver_id}")


class DeliveryList(BoundedChangeList):
    """A list of deliveries, with their receivers' names."""

    def get_results(self, request: HttpRequest) -> None:
        """Ask for the names of the page's rows together."""
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        named(self.result_list)


@admin.register(OutboxDelivery)
class DeliveryAdmin(Inspected, ActsAdmin):
    """Deliveries, by state; what is dead is sent again or given up here."""

    when_empty = _("没有送达记录：登记推送地址后，发生的事件在此显示。")
    list_display = (
        "number_of_row", "state", "topic", "aggregate", "receiver", "attempts", "next_try",
        "last_error", "delivered_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("event",)
    search_by = (number("event_id"), exact("event__aggregate"))
    search_help_text = _("事件序号或事件对象")
    fields = (
        "event", "institution", "receiver", "state", "attempts", "next_try", "status", "last_error",
        "proof", "delivered_at",
    )  # fmt: skip
    heading = ("number_of_row", "topic", "aggregate")
    sections = (steps,)
    row_acts = {"resend": ResendForm, "give-up": GiveUpForm}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Deliveries without what they tell, which may be large."""
        return super().get_queryset(request).defer("event__payload")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        """The list's class."""
        return DeliveryList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """The delivery, with its receiver's name."""
        found = super().get_object(request, object_id, from_field)
        named([] if found is None else [found])
        return found

    @display(description=_("序号"), ordering="pk")
    def number_of_row(self, obj: OutboxDelivery) -> str:
        """Its number."""
        return f"#{obj.pk}"

    @display(description=_("事件类别"))
    def topic(self, obj: OutboxDelivery) -> Any:
        """What it tells."""
        return topic_words(obj.event.topic)

    @display(description=_("接收方"))
    def receiver(self, obj: Any) -> str:
        """Whom it tells."""
        return str(obj.receiver_name)

    @display(description=_("下次尝试"))
    def next_try(self, obj: OutboxDelivery) -> str | None:
        """When it is tried next, if it is."""
        return _moment(obj.next_at) if obj.state == State.WAITING else None


def told(request: HttpRequest, event: OutboxEvent) -> Section:
    """Who was to be told, and who was."""
    rows: list[Any] = list(event.deliveries.order_by("pk")[:SECTION_ROWS])
    named(rows)
    return Section(
        title=_("送达记录"),
        columns=texts(_("序号"), _("接收方"), _("状态"), _("尝试次数"), _("送达时间")),
        rows=[
            (
                link("kernel_outboxdelivery", one.pk, f"#{one.pk}"),
                one.receiver_name,
                one.get_state_display(),
                one.attempts,
                "—" if one.delivered_at is None else _moment(one.delivered_at),
            )
            for one in rows
        ],
        empty=_("没有要告知的接收方。"),
    )


class TopicFilter(SimpleListFilter):
    """By what is told; the topics that are published, never asked of the table."""

    title = _("事件类别")
    parameter_name = "topic"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[Any]:
        """What is published."""
        return list((TOPICS | CONNECTED).items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Events of that topic."""
        return queryset.filter(topic=self.value()) if self.value() else queryset


@admin.register(OutboxEvent)
class EventAdmin(Inspected):
    """Events, as they are told."""

    when_empty = _("还没有事件：入账、报送、批复、追回和核查发现时在此显示。")
    list_display = (
        "number_of_row", "created_at", "topic_name", "aggregate", "institution", "scheme_code",
    )  # fmt: skip
    list_filter = (TopicFilter,)
    list_select_related = ("institution",)
    search_by = (number("pk"), exact("aggregate"), exact("institution__code"))
    search_help_text = _("事件序号、事件对象或机构编码")
    fields = (
        "created_at", "topic_name", "aggregate", "institution", "scheme_code", "payload_text",
    )  # fmt: skip
    heading = ("number_of_row", "topic_name", "aggregate")
    sections = (told,)

    @display(description=_("序号"), ordering="pk")
    def number_of_row(self, obj: OutboxEvent) -> str:
        """The event's number, as receivers know it."""
        return f"#{obj.pk}"

    @display(description=_("事件类别"))
    def topic_name(self, obj: OutboxEvent) -> Any:
        """What it tells."""
        return topic_words(obj.topic)

    @display(description=_("内容"))
    def payload_text(self, obj: OutboxEvent) -> Any:
        """What is told."""
        return readable(obj.payload)


@admin.register(DeliveryStep)
class DeliveryStepAdmin(Inspected):
    """What people did about deliveries."""

    when_empty = _("没有人工处理过送达。")
    list_display = ("at", "step", "delivery", "actor", "why", "attempts", "last_error")
    list_filter = ("step",)
    list_select_related = ("delivery",)
    search_by = (number("delivery_id"), exact("actor"))
    search_help_text = _("送达记录序号或操作人")
    fields = list_display


WAITING.append(having("dead", "kernel.outboxdelivery", _("未能送达的事件"), state=State.DEAD))
