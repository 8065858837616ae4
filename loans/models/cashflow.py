"""Evidence of money: append-only rows, reversed and re-entered, never edited. Amounts in fen."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Institution, tracked
from loans.models import fields
from loans.models.choices import ExternalKind, FundPurpose, Review, Tier


class Repayment(models.Model):
    """Principal repaid; a negative amount reverses an earlier row."""

    institution = fields.scope()
    origin = fields.origin()
    note = models.ForeignKey(
        "loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="repayments"
    )
    repaid_on = models.DateField(_("还本日期"))
    amount_fen = fields.money(_("还本金额"))
    reference = models.CharField(_("流水号"), max_length=100)
    batch = fields.batch()

    class Meta:
        verbose_name = _("还本")
        verbose_name_plural = _("还本")
        ordering = ["note", "repaid_on", "id"]
        indexes = [
            models.Index(name="repayment_repaid_on", fields=["repaid_on"]),
            models.Index(name="repayment_reference", fields=["reference"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="repayment_reference_once_per_institution", fields=["origin", "reference"]
            ),
            fields.at_most(
                "repayment_amount_bounded",
                "amount_fen",
                fields.AMOUNT_MAX_FEN,
                -fields.AMOUNT_MAX_FEN,
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class InterestCollection(models.Model):
    """Interest collected from the enterprise, or planned (`interest_paid_fen` null).

    Partitioned by month: `id` = yyyymm of `collected_on` × 10¹² + a number from the sequence, given by
    `loans_collection_id(collected_on)`. No foreign key is enforced; intake checks whole files.
    """

    id = models.BigIntegerField(_("序号"), primary_key=True, editable=False)
    institution = fields.institution(_("所属机构"), constrained=False)
    origin = fields.institution(_("原机构"), constrained=False)
    note = models.ForeignKey(
        "loans.Note",
        models.DO_NOTHING,
        verbose_name=_("借据"),
        related_name="collections",
        db_constraint=False,
        db_index=False,
    )
    interest_due_fen = fields.money(_("应收利息"))
    interest_paid_fen = fields.money(_("实收利息"), null=True, blank=True)
    completes = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        verbose_name=_("对应计划"),
        related_name="completed_by",
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
    )
    batch = fields.batch()
    period_start = models.DateField(_("计息起日"))
    period_end = models.DateField(_("计息止日"), help_text=_("不含当日 / exclusive"))
    collected_on = models.DateField(_("收息日"))
    reference = models.CharField(_("流水号"), max_length=100)

    class Meta:
        verbose_name = _("收息")
        verbose_name_plural = _("收息")
        indexes = [
            models.Index(name="loans_interestcollection_note", fields=["note"]),
            models.Index(name="collection_institution", fields=["institution"]),
            models.Index(name="collection_reference", fields=["reference"]),
            models.Index(
                name="collection_planned",
                fields=["id"],
                condition=Q(interest_paid_fen__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="collection_period_has_days", condition=Q(period_end__gt=F("period_start"))
            ),
            fields.at_most(
                "collection_due_not_negative", "interest_due_fen", fields.AMOUNT_MAX_FEN
            ),
            models.CheckConstraint(
                name="collection_paid_within_due",
                condition=Q(interest_paid_fen__isnull=True)
                | Q(
                    interest_paid_fen__lte=F("interest_due_fen"),
                    interest_paid_fen__gte=-F("interest_due_fen"),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class ExternalSubsidy(models.Model):
    """A subsidy paid outside this system; a negative amount reverses an earlier row."""

    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("机构"),
        related_name="+",
        null=True,
        blank=True,
        help_text=_("空 = 不属于任何机构 / blank: of no institution; follows the note"),
    )
    origin = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("原机构"),
        related_name="+",
        null=True,
        blank=True,
        help_text=_("借据号所属机构 / the institution in the note's key"),
    )
    source = models.CharField(_("来源"), max_length=200)
    reference = models.CharField(_("流水号"), max_length=100)
    uscc = models.CharField(_("统一社会信用代码"), max_length=18, db_index=True)
    kind = models.CharField(_("类别"), max_length=20, choices=ExternalKind.choices)
    scheme_name = models.CharField(_("政策名称"), max_length=200)
    note_number = models.CharField(_("借据号"), max_length=100, blank=True, default="")
    project_code = models.CharField(_("项目代码"), max_length=100, blank=True, default="")
    invoice_number = models.CharField(_("发票号码"), max_length=100, blank=True, default="")
    year = models.SmallIntegerField(_("年度"))
    amount_fen = fields.money(_("金额"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("外部贴息")
        verbose_name_plural = _("外部贴息")
        ordering = ["source", "reference"]
        constraints = [
            models.UniqueConstraint(
                name="external_subsidy_once_per_source", fields=["source", "reference"]
            ),
            fields.one_of("external_subsidy_kind_known", "kind", ExternalKind),
            fields.at_most(
                "external_subsidy_amount_bounded",
                "amount_fen",
                fields.AMOUNT_MAX_FEN,
                -fields.AMOUNT_MAX_FEN,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.reference}"


class PreAllocation(models.Model):
    """Money received from finance ahead of use; a negative amount reverses an earlier row."""

    institution = fields.institution(_("资金机构"))
    scheme_code = fields.scheme_code()
    tier = models.CharField(_("资金层级"), max_length=20, choices=Tier.choices)
    purpose = models.CharField(
        _("用途"),
        max_length=20,
        choices=FundPurpose.choices,
        default=FundPurpose.INTEREST,
        db_default=FundPurpose.INTEREST,
    )
    received_on = models.DateField(_("到账日期"))
    amount_fen = fields.money(_("金额"))
    document_number = models.CharField(_("文号"), max_length=100)
    batch = fields.batch()

    class Meta:
        verbose_name = _("预拨资金")
        verbose_name_plural = _("预拨资金")
        ordering = ["scheme_code", "institution", "tier", "received_on"]
        constraints = [
            models.UniqueConstraint(
                name="pre_allocation_once_per_document",
                fields=["institution", "scheme_code", "document_number", "tier", "purpose"],
            ),
            fields.one_of("pre_allocation_tier_known", "tier", Tier),
            fields.one_of("pre_allocation_purpose_known", "purpose", FundPurpose),
            fields.at_most(
                "pre_allocation_amount_bounded",
                "amount_fen",
                fields.AMOUNT_MAX_FEN,
                -fields.AMOUNT_MAX_FEN,
            ),
        ]

    def __str__(self) -> str:
        return self.document_number


class ReviewResult(models.Model):
    """Finance's answer on one note and month."""

    institution = fields.scope()
    scheme_code = fields.scheme_code()
    note = models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="review_results",
        db_index=False,
    )
    month = models.DateField(_("月份"), help_text=_("当月第一日 / first day of the month"))
    result = models.CharField(_("审核结果"), max_length=20, choices=Review.choices)
    amount_fen = fields.money(_("核减金额"), null=True, blank=True)
    reason = models.CharField(_("原因"), max_length=500, blank=True, default="")
    document_number = models.CharField(_("文号"), max_length=100)
    batch = fields.batch()

    class Meta:
        verbose_name = _("审核结果")
        verbose_name_plural = _("审核结果")
        ordering = ["note", "month"]
        indexes = [
            models.Index(name="review_result_month", fields=["month"]),
            models.Index(name="review_result_document", fields=["document_number"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="review_result_once_per_document",
                fields=["note", "scheme_code", "month", "document_number"],
            ),
            fields.one_of("review_result_known", "result", Review),
            models.CheckConstraint(
                name="review_result_month_is_a_first_day", condition=Q(month__day=1)
            ),
            models.CheckConstraint(
                name="review_result_amount_bounded",
                condition=Q(amount_fen__isnull=True)
                | Q(amount_fen__gte=0, amount_fen__lte=fields.AMOUNT_MAX_FEN),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.month:%Y-%m} {self.get_result_display()}"


class BankStatement(models.Model):
    """A line of the special account's statement; credits are positive."""

    institution = fields.institution(_("机构"))
    scheme_code = fields.scheme_code()
    tier = models.CharField(_("资金层级"), max_length=20, choices=Tier.choices)
    moved_on = models.DateField(_("记账日期"))
    amount_fen = fields.money(_("发生额"))
    balance_fen = fields.money(_("余额"))
    reference = models.CharField(_("流水号"), max_length=100)
    summary = models.CharField(_("摘要"), max_length=500, blank=True, default="")
    batch = fields.batch()

    class Meta:
        verbose_name = _("专户流水")
        verbose_name_plural = _("专户流水")
        ordering = ["scheme_code", "institution", "tier", "moved_on", "id"]
        indexes = [
            models.Index(name="bank_statement_moved_on", fields=["moved_on"]),
            models.Index(name="bank_statement_reference", fields=["reference"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="bank_statement_reference_once",
                fields=["institution", "scheme_code", "tier", "reference"],
            ),
            fields.one_of("bank_statement_tier_known", "tier", Tier),
            fields.at_most(
                "bank_statement_amount_bounded",
                "amount_fen",
                fields.AMOUNT_MAX_FEN,
                -fields.AMOUNT_MAX_FEN,
            ),
        ]

    def __str__(self) -> str:
        return self.reference


@tracked(moves=True)
class OpeningPosition(models.Model):
    """What was subsidised before this system took over, per note, scheme, tier and year.

    Reference data, not evidence: a correction replaces it and is kept in history.
    """

    institution = fields.scope()
    note = models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="opening_positions",
        db_index=False,
    )
    scheme_code = fields.scheme_code()
    tier = models.CharField(_("资金层级"), max_length=20, choices=Tier.choices)
    year = models.SmallIntegerField(_("年度"))
    amount_fen = fields.money(_("已贴息金额"))
    interest_paid_fen = fields.money(_("已收利息"))
    paid_through = models.DateField(_("已贴息至"), help_text=_("不含当日 / exclusive"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("期初数")
        verbose_name_plural = _("期初数")
        ordering = ["note", "scheme_code", "tier", "year"]
        constraints = [
            models.UniqueConstraint(
                name="opening_position_once_per_year",
                fields=["note", "scheme_code", "tier", "year"],
            ),
            fields.one_of("opening_position_tier_known", "tier", Tier),
            fields.at_most(
                "opening_position_amount_not_negative", "amount_fen", fields.AMOUNT_MAX_FEN
            ),
            fields.at_most(
                "opening_position_interest_not_negative", "interest_paid_fen", fields.AMOUNT_MAX_FEN
            ),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.get_tier_display()} {self.year}"
