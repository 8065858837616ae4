"""What the duplicate check found, on which facts it stands, and what two people said of it (domain §7)."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Checked, checked_by_another

DIGEST_CHARACTERS = 64


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution", models.PROTECT, verbose_name=_("所属机构"), related_name="+"
    )


def _note() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="+",
        null=True,
        blank=True,
    )


def _enterprise(name: Any) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "loans.Enterprise",
        models.PROTECT,
        verbose_name=name,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )


def _fen(name: Any) -> "models.BigIntegerField[Any, Any]":
    return models.BigIntegerField(name, help_text=_("分 / fen"), default=0)


class Finding(models.Model):
    """One duplicate or misuse: found by rule, decided by two people, gone when its facts are.

    It belongs to the institution of the side that yields (`note`), whose staff see and answer it; what
    is known of the other side stands in that side's own row. `identity` says which matter it is,
    `evidence_digest` on which facts it stands: the same matter never opens a second finding, and other
    facts reopen a dismissed one. Later stages (clawback, recovered) follow from its clawbacks.
    """

    class Rule(models.TextChoices):
        """The patterns of domain §7; N: near matches of one, which only propose."""

        P1 = "P1", _("P1 同一借据重复贴息")
        P2 = "P2", _("P2 合同或借据号重复录入")
        P3 = "P3", _("P3 同一企业多个名称或代码")
        P4 = "P4", _("P4 同一项目多家银行贴息")
        P5 = "P5", _("P5 发票或设备重复使用")
        P6 = "P6", _("P6 贴息超过已付利息")
        P7 = "P7", _("P7 不应贴息日仍贴息")
        P8 = "P8", _("P8 借新还旧")
        P9 = "P9", _("P9 拆分借款")
        P10 = "P10", _("P10 多家银行合计超上限")
        P11 = "P11", _("P11 与外部补贴重复")
        P12 = "P12", _("P12 预拨资金长期闲置")
        N2 = "N2", _("N2 疑似重复录入借据")
        N3 = "N3", _("N3 疑似同一企业")
        N5 = "N5", _("N5 疑似重复使用发票或设备")

    class Severity(models.TextChoices):
        """A violation breaks a document's words; a warning is for a person to judge.

        A proposal stands on likeness alone: whether it is the same thing at all is for a person to say.
        """

        VIOLATION = "violation", _("违规")
        WARNING = "warning", _("提示")
        PROPOSAL = "proposal", _("疑似")

    class State(models.TextChoices):
        OPEN = "open", _("待处理")
        CONFIRMED = "confirmed", _("属实")
        DISMISSED = "dismissed", _("不属实")

    institution = _institution()
    note = _note()
    enterprise = _enterprise(_("应退企业"))
    scheme = models.ForeignKey(
        "settlement.Scheme",
        models.PROTECT,
        verbose_name=_("应退政策"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("空 = 由人判断 / blank: for a person to say"),
    )
    rule = models.CharField(_("规则"), max_length=3, choices=Rule.choices)
    severity = models.CharField(_("程度"), max_length=10, choices=Severity.choices)
    blocked_schemes = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("暂停贴息的政策"),
        default=list,
        blank=True,
        help_text=_(
            "未判定不属实前，应退方在这些政策下不再入账 / nothing more is paid of the side that gives way, unless it is dismissed"
        ),
    )
    article = models.CharField(_("依据条款"), max_length=200)
    identity = models.CharField(_("事项标识"), max_length=DIGEST_CHARACTERS, unique=True)
    evidence_digest = models.CharField(_("证据摘要"), max_length=DIGEST_CHARACTERS)
    evidence = models.JSONField(
        _("证据"), help_text=_("金额为分 / amounts in fen"), default=dict, blank=True
    )
    central_fen = _fen(_("涉及中央贴息"))
    provincial_fen = _fen(_("涉及省级贴息"))
    municipal_fen = _fen(_("涉及市级贴息"))
    state = models.CharField(
        _("状态"), max_length=10, choices=State.choices, default=State.OPEN, db_default="open"
    )
    decision = models.OneToOneField(
        "settlement.FindingDecision",
        models.PROTECT,
        verbose_name=_("结论"),
        related_name="+",
        null=True,
        blank=True,
    )
    found_at = models.DateTimeField(_("发现时间"))
    changed_at = models.DateTimeField(_("证据变化时间"))
    gone_at = models.DateTimeField(
        _("消除时间"), null=True, blank=True, help_text=_("事实已不再如此 / its facts are gone")
    )

    class Meta:
        verbose_name = _("重复贴息核查")
        verbose_name_plural = _("重复贴息核查")
        ordering = ["-id"]
        indexes = [
            models.Index(
                name="finding_open",
                fields=["institution"],
                condition=Q(state="open", gone_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="finding_words_known",
                condition=Q(
                    rule__in=[*(f"P{number}" for number in range(1, 13)), "N2", "N3", "N5"],
                    severity__in=["violation", "warning", "proposal"],
                    state__in=["open", "confirmed", "dismissed"],
                ),
            ),
            models.CheckConstraint(
                name="finding_decided_by_a_decision",
                condition=Q(state="open") ^ Q(decision__isnull=False),
            ),
            models.CheckConstraint(
                name="finding_amounts_not_negative",
                condition=Q(central_fen__gte=0, provincial_fen__gte=0, municipal_fen__gte=0),
            ),
            models.CheckConstraint(
                name="finding_proposal_claims_nothing",
                condition=Q(severity="proposal", rule__startswith="N")
                & Q(central_fen=0, provincial_fen=0, municipal_fen=0)
                | ~Q(severity="proposal") & ~Q(rule__startswith="N"),
            ),
            models.CheckConstraint(name="finding_cites_an_article", condition=~Q(article="")),
            models.CheckConstraint(
                name="finding_only_violations_block",
                condition=Q(blocked_schemes=[]) | Q(severity="violation"),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_rule_display()}"

    @property
    def is_blocking(self) -> bool:
        """Whether it keeps deductions waiting now: its facts are there and nobody has ruled them out."""
        is_there = self.gone_at is None and self.state != self.State.DISMISSED
        return bool(self.blocked_schemes) and is_there


class FindingSide(models.Model):
    """One thing a finding is about: a note, an enterprise or an outside record, in canonical order.

    Each side is seen where it belongs, so that a finding between two banks shows neither's book to the
    other. Remade with the finding's facts.
    """

    institution = _institution()
    finding = models.ForeignKey(
        Finding,
        models.PROTECT,
        verbose_name=_("核查事项"),
        related_name="sides",
        db_index=False,
    )
    position = models.SmallIntegerField(_("序号"))
    note = _note()
    enterprise = _enterprise(_("企业"))
    facts = models.JSONField(_("要素"), help_text=_("金额为分 / amounts in fen"))

    class Meta:
        verbose_name = _("核查涉及方")
        verbose_name_plural = _("核查涉及方")
        ordering = ["finding_id", "position"]  # by the key: not everybody sees the finding
        indexes = [models.Index(name="finding_side_enterprise", fields=["enterprise"])]
        constraints = [
            models.UniqueConstraint(
                name="finding_side_once_per_position", fields=["finding", "position"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.finding_id}/{self.position}"


class FindingDecision(Checked):
    """What one person says of a finding, in force once another agrees; refused ones stay on record."""

    institution = _institution()
    finding = models.ForeignKey(
        Finding, models.PROTECT, verbose_name=_("核查事项"), related_name="decisions"
    )
    note = _note()
    outcome = models.CharField(
        _("结论"),
        max_length=10,
        choices=[c for c in Finding.State.choices if c[0] != Finding.State.OPEN],
    )
    why = models.CharField(_("原因"), max_length=500)
    evidence_digest = models.CharField(
        _("证据摘要"),
        max_length=DIGEST_CHARACTERS,
        help_text=_("所依据的证据 / what it was said of"),
    )
    refused_why = models.CharField(
        _("退回原因"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("核查结论")
        verbose_name_plural = _("核查结论")
        ordering = ["-id"]
        constraints = [
            checked_by_another("finding_decision_checked_by_another"),
            models.CheckConstraint(
                name="finding_decision_says_why",
                condition=~Q(why="") & Q(outcome__in=["confirmed", "dismissed"]),
            ),
            models.CheckConstraint(
                name="finding_decision_refused_by_somebody",
                condition=Q(refused_why="") | Q(checked_by__isnull=False),
            ),
            models.UniqueConstraint(
                name="finding_decision_one_waiting",
                fields=["finding"],
                condition=Q(checked_by__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.finding_id} {self.get_outcome_display()}"
