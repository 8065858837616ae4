"""What enterprises are told of the subsidies posted for them, and how it reached them (SME-14, EQ-11)."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def _unchecked(model: str, name: Any) -> "models.ForeignKey[Any, Any]":
    """A foreign key the database does not check, as on deductions: these rows are as many."""
    return models.ForeignKey(
        model,
        models.DO_NOTHING,
        verbose_name=name,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )


def _before(name: Any) -> "models.BigIntegerField[Any, Any]":
    return models.BigIntegerField(
        name, null=True, blank=True, help_text=_("分，该计息期更正前 / fen, of the period so far")
    )


class NoticeState(models.TextChoices):
    """Where a notice stands; one without a delivery has no gateway."""

    NO_GATEWAY = "no_gateway", _("未开通")
    WAITING = "waiting", _("待发送")
    SENT = "sent", _("已发送")
    DELIVERED = "delivered", _("已送达")
    FAILED = "failed", _("发送失败")
    NO_CONTACT = "no_contact", _("无联系方式")


class Notice(models.Model):
    """That one posted deduction is to be told, written with it; append-only.

    Carries the deduction's own number. A correction knows what its period had been granted before it. One
    posted while nothing was to be sent for its bank and scheme has no delivery, and gets none by itself.
    """

    deduction = models.OneToOneField(
        "settlement.Deduction",
        models.DO_NOTHING,
        verbose_name=_("代付贴息"),
        related_name="notice",
        primary_key=True,
        db_constraint=False,
    )
    institution = _unchecked("kernel.Institution", _("所属机构"))
    note = _unchecked("loans.Note", _("借据"))
    scheme = _unchecked("settlement.Scheme", _("贴息政策"))
    is_correction = models.BooleanField(_("更正告知"))
    before_central_fen = _before(_("更正前中央贴息"))
    before_provincial_fen = _before(_("更正前省级贴息"))
    before_municipal_fen = _before(_("更正前市级贴息"))

    class Meta:
        verbose_name = _("企业告知")
        verbose_name_plural = _("企业告知")
        indexes = [
            models.Index(name="notice_note", fields=["note"]),
            models.Index(name="notice_institution", fields=["institution"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="notice_correction_knows_what_was",
                condition=Q(
                    is_correction=False,
                    before_central_fen__isnull=True,
                    before_provincial_fen__isnull=True,
                    before_municipal_fen__isnull=True,
                )
                | Q(
                    is_correction=True,
                    before_central_fen__isnull=False,
                    before_provincial_fen__isnull=False,
                    before_municipal_fen__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class NoticeDelivery(models.Model):
    """How far the sending of one notice has come: the outbox that senders take from.

    `round` counts how often somebody had it sent anew, `attempts` the tries of this round; a sender holds
    it until `leased_until`.
    """

    notice = models.OneToOneField(
        Notice,
        models.DO_NOTHING,
        verbose_name=_("企业告知"),
        related_name="delivery",
        primary_key=True,
        db_constraint=False,
    )
    institution = _unchecked("kernel.Institution", _("所属机构"))
    note = _unchecked("loans.Note", _("借据"))
    state = models.CharField(
        _("状态"), max_length=10, choices=NoticeState.choices, default="waiting"
    )
    round = models.SmallIntegerField(_("轮次"), default=1, db_default=1)
    attempts = models.SmallIntegerField(_("尝试次数"), default=0, db_default=0)
    next_at = models.DateTimeField(_("下次发送"))
    leased_until = models.DateTimeField(_("占用至"), null=True, blank=True)

    class Meta:
        verbose_name = _("告知发送")
        verbose_name_plural = _("告知发送")
        indexes = [
            models.Index(name="notice_delivery_note", fields=["note"]),
            models.Index(
                name="notice_delivery_waiting",
                fields=["next_at", "notice"],
                condition=Q(state="waiting"),
            ),
            models.Index(
                name="notice_delivery_wanting",
                fields=["state", "notice"],
                condition=Q(state__in=["failed", "no_contact"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="notice_delivery_state_known",
                condition=Q(state__in=["waiting", "sent", "delivered", "failed", "no_contact"]),
            ),
            models.CheckConstraint(
                name="notice_delivery_counts", condition=Q(round__gte=1, attempts__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_state_display()}"


class NoticeRecord(models.Model):
    """What one attempt to send a notice came to, with its proof; or who had it sent anew, and why.

    Append-only. The address is kept masked; the whole one is the contact's, whose changes are kept there.
    """

    class Outcome(models.TextChoices):
        SENT = "sent", _("已发送")
        DELIVERED = "delivered", _("已送达")
        UNREACHED = "unreached", _("未发出，稍后重试")
        FAILED = "failed", _("发送失败")
        NO_CONTACT = "no_contact", _("无联系方式")
        ASKED = "asked", _("人工重发")

    institution: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )
    note = models.ForeignKey("loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="+")
    notice = models.ForeignKey(
        Notice, models.PROTECT, verbose_name=_("企业告知"), related_name="records"
    )
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome.choices)
    at = models.DateTimeField(_("时间"))
    actor = models.CharField(_("经办"), max_length=150)
    reference = models.CharField(
        _("告知编号"),
        max_length=40,
        help_text=_("重试不变，网关据此去重 / the same on every retry"),
    )
    channel = models.CharField(_("渠道"), max_length=10, blank=True, default="", db_default="")
    gateway = models.CharField(_("网关"), max_length=100, blank=True, default="", db_default="")
    contact = models.ForeignKey(
        "loans.EnterpriseContact",
        models.PROTECT,
        verbose_name=_("企业联系方式"),
        related_name="+",
        null=True,
        blank=True,
    )
    address = models.CharField(
        _("地址（掩码）"), max_length=200, blank=True, default="", db_default=""
    )
    message_id = models.CharField(
        _("网关消息号"), max_length=200, blank=True, default="", db_default=""
    )
    detail = models.CharField(_("说明"), max_length=500, blank=True, default="", db_default="")
    sha256 = models.CharField(_("内容摘要"), max_length=64, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("告知记录")
        verbose_name_plural = _("告知记录")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="notice_record_outcome_known",
                condition=Q(
                    outcome__in=["sent", "delivered", "unreached", "failed", "no_contact", "asked"]
                ),
            ),
            models.CheckConstraint(
                name="notice_record_sent_with_proof",
                condition=~Q(outcome__in=["sent", "delivered"])
                | Q(sha256__regex="^[0-9a-f]{64}$", contact__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_record_asked_for_a_reason",
                condition=~Q(outcome="asked") | ~Q(detail=""),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
