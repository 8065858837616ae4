"""What others are told of: events written with their effects, and whether each receiver has them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models.institution import Institution


class OutboxEvent(models.Model):
    """One thing that happened, written in the transaction that made it happen; never changed.

    `aggregate` is the thing it happened to, such as `settlement:12`: its events have growing numbers
    and reach every receiver in that order.
    """

    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("机构"),
        related_name="+",
        null=True,
        blank=True,
        help_text=_("空 = 全部机构的事件 / blank = of the whole installation"),
    )
    topic = models.CharField(_("事件类别"), max_length=60)
    aggregate = models.CharField(_("事件对象"), max_length=100)
    scheme_code = models.CharField(_("贴息政策"), max_length=60, blank=True, default="")
    payload = models.JSONField(_("内容"))
    created_at = models.DateTimeField(_("发生时间"))

    class Meta:
        verbose_name = _("事件")
        verbose_name_plural = _("事件")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="event_of_something", condition=~Q(topic="") & ~Q(aggregate="")
            )
        ]
        indexes = [models.Index(name="event_by_aggregate", fields=["aggregate", "id"])]

    def __str__(self) -> str:
        return f"#{self.pk} {self.topic} {self.aggregate}"


class OutboxPending(models.Model):
    """That nobody has looked yet who is to be told of an event; gone once somebody has.

    A row of its own, not “numbers above the last one seen”: numbers do not commit in their order.
    """

    event = models.OneToOneField(
        OutboxEvent, models.PROTECT, primary_key=True, related_name="pending"
    )

    class Meta:
        verbose_name = _("待分发事件")
        verbose_name_plural = _("待分发事件")

    def __str__(self) -> str:
        return f"#{self.event_id}"


class OutboxDelivery(models.Model):
    """Whether one receiver has one event: one row for each of both.

    `receiver_kind` names the channel (`webhook`, …), `receiver_id` the receiver among its own. What is
    dead keeps later events of its aggregate waiting until a person sends it again or gives it up.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("待送达")
        DELIVERED = "delivered", _("已送达")
        DEAD = "dead", _("未能送达")
        GIVEN_UP = "given_up", _("已放弃")

    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("机构"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )
    event = models.ForeignKey(
        OutboxEvent, models.PROTECT, verbose_name=_("事件"), related_name="deliveries"
    )
    receiver_kind = models.CharField(_("接收方类别"), max_length=30)
    receiver_id = models.BigIntegerField(_("接收方序号"))
    aggregate = models.CharField(_("事件对象"), max_length=100)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.IntegerField(_("尝试次数"), default=0)
    next_at = models.DateTimeField(_("下次尝试"))
    last_error = models.CharField(_("最近错误"), max_length=500, blank=True, default="")
    status = models.SmallIntegerField(
        _("应答状态码"), null=True, blank=True, help_text=_("最近一次 / of the last attempt")
    )
    proof = models.CharField(
        _("回执"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("接收方的应答 / what the receiver answered"),
    )
    delivered_at = models.DateTimeField(_("送达时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("送达记录")
        verbose_name_plural = _("送达记录")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="delivery_once", fields=["event", "receiver_kind", "receiver_id"]
            ),
            models.CheckConstraint(
                name="delivery_state_known",
                condition=Q(state__in=["waiting", "delivered", "dead", "given_up"]),
            ),
            models.CheckConstraint(
                name="delivery_delivered_at_a_time",
                condition=Q(state="delivered") ^ Q(delivered_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                name="delivery_due", fields=["next_at", "id"], condition=Q(state="waiting")
            ),
            models.Index(
                name="delivery_in_order",
                fields=["receiver_kind", "receiver_id", "aggregate", "event"],
                condition=Q(state__in=["waiting", "dead"]),
            ),
            models.Index(name="delivery_by_state", fields=["state", "-id"]),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class OutboxPause(models.Model):
    """That a receiver could not be reached at all: nothing else is tried there for a while."""

    receiver_kind = models.CharField(_("接收方类别"), max_length=30)
    receiver_id = models.BigIntegerField(_("接收方序号"))
    failures = models.IntegerField(_("连续失败次数"))
    until = models.DateTimeField(_("暂停至"))

    class Meta:
        verbose_name = _("接收方暂停")
        verbose_name_plural = _("接收方暂停")
        constraints = [
            models.UniqueConstraint(name="pause_once", fields=["receiver_kind", "receiver_id"])
        ]

    def __str__(self) -> str:
        return f"{self.receiver_kind}:{self.receiver_id}"


class DeliveryStep(models.Model):
    """What a person did about a delivery, and why: sent it again, or gave it up."""

    class Step(models.TextChoices):
        RESENT = "resent", _("重新发送")
        GIVEN_UP = "given_up", _("放弃")

    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("机构"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )
    delivery = models.ForeignKey(
        OutboxDelivery, models.PROTECT, verbose_name=_("送达记录"), related_name="steps"
    )
    step = models.CharField(_("步骤"), max_length=10, choices=Step.choices)
    why = models.CharField(_("原因"), max_length=500)
    attempts = models.IntegerField(_("此前尝试次数"))
    last_error = models.CharField(_("此前错误"), max_length=500, blank=True, default="")
    actor = models.CharField(_("操作人"), max_length=150)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("送达处理")
        verbose_name_plural = _("送达处理")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="delivery_step_known",
                condition=Q(step__in=["resent", "given_up"]) & ~Q(why=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.get_step_display()}"
