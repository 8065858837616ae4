"""Contracts, drawdown notes and what belongs to them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import tracked
from loans.models import fields
from loans.models.choices import LoanType, NoteState
from loans.models.party import Enterprise, Project


@tracked()
class Contract(models.Model):
    """A loan contract at one institution."""

    institution = fields.institution(_("机构"))
    contract_number = models.CharField(_("合同号"), max_length=100)
    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, verbose_name=_("企业"), related_name="contracts"
    )
    signed_on = models.DateField(_("签订日期"))
    loan_type = models.CharField(_("贷款类型"), max_length=20, choices=LoanType.choices)
    amount_fen = fields.money(_("合同金额"))
    currency = models.CharField(_("币种"), max_length=3, default="CNY")
    purpose_field = models.CharField(_("投向领域"), max_length=200)
    project = models.ForeignKey(
        Project,
        models.PROTECT,
        verbose_name=_("项目"),
        related_name="contracts",
        null=True,
        blank=True,
    )
    batch = fields.batch()

    class Meta:
        verbose_name = _("合同")
        verbose_name_plural = _("合同")
        ordering = ["institution", "contract_number"]
        indexes = [
            models.Index(name="contract_number", fields=["contract_number"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="contract_number_once_per_institution",
                fields=["institution", "contract_number"],
            ),
            fields.one_of("contract_loan_type_known", "loan_type", LoanType),
            fields.at_most("contract_amount_not_negative", "amount_fen", fields.AMOUNT_MAX_FEN),
        ]

    def __str__(self) -> str:
        return self.contract_number


@tracked()
class SyndicateShare(models.Model):
    """A participant's share of a syndicated contract, held by its agent."""

    institution = fields.institution(_("牵头行"))
    contract = models.ForeignKey(
        Contract,
        models.PROTECT,
        verbose_name=_("合同"),
        related_name="syndicate_shares",
        db_index=False,
    )
    participant = fields.institution(_("参贷行"))
    share_ppm = fields.rate(_("承贷份额"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("银团份额")
        verbose_name_plural = _("银团份额")
        ordering = ["contract", "participant"]
        constraints = [
            models.UniqueConstraint(
                name="syndicate_share_once_per_participant", fields=["contract", "participant"]
            ),
            fields.at_most("syndicate_share_at_most_whole", "share_ppm", 1_000_000),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.participant.name}"


@tracked(moves=True)
class Note(models.Model):
    """A drawdown under a contract, with the schemes it is labelled with, in order."""

    institution = fields.scope()
    origin = fields.origin()
    note_number = models.CharField(_("借据号"), max_length=100)
    contract = models.ForeignKey(
        Contract, models.PROTECT, verbose_name=_("合同"), related_name="notes"
    )
    drawn_on = models.DateField(_("放款日期"))
    matures_on = models.DateField(_("到期日期"))
    principal_fen = fields.money(_("放款金额"))
    equipment_fen = fields.money(_("设备购置金额"), default=0)
    rate_ppm = fields.rate(_("年利率"))
    exchange_rate_e8 = models.BigIntegerField(
        _("折算汇率"), default=10**8, help_text=_("亿分之一，1 = 100000000 / CNY per unit × 10⁸")
    )
    scheme_codes = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("贴息政策"),
        default=list,
        blank=True,
        help_text=_("按认定顺序 / in the order they are judged"),
    )
    batch = fields.batch()

    class Meta:
        verbose_name = _("借据")
        verbose_name_plural = _("借据")
        ordering = ["origin", "note_number"]
        indexes = [
            models.Index(name="note_number", fields=["note_number"]),
            models.Index(name="note_drawn_on", fields=["drawn_on"]),
            models.Index(
                name="note_moved",
                fields=["institution", "contract"],
                condition=~Q(institution=F("origin")),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="note_number_once_per_institution", fields=["origin", "note_number"]
            ),
            models.CheckConstraint(
                name="note_matures_after_drawdown", condition=Q(matures_on__gt=F("drawn_on"))
            ),
            models.CheckConstraint(
                name="note_equipment_within_principal",
                condition=Q(equipment_fen__gte=0, equipment_fen__lte=F("principal_fen")),
            ),
            fields.at_most("note_principal_positive", "principal_fen", fields.AMOUNT_MAX_FEN, 1),
            fields.at_most("note_rate_at_most_36_percent", "rate_ppm", fields.RATE_MAX_PPM),
            models.CheckConstraint(
                name="note_exchange_rate_positive", condition=Q(exchange_rate_e8__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.note_number


@tracked(moves=True)
class NoteStatus(models.Model):
    """A stretch of days on which a note was overdue, extended or non-performing."""

    institution = fields.scope()
    note = models.ForeignKey(
        Note, models.PROTECT, verbose_name=_("借据"), related_name="statuses", db_index=False
    )
    status = models.CharField(_("状态"), max_length=20, choices=NoteState.choices)
    starts_on = models.DateField(_("起始日"))
    ends_on = models.DateField(
        _("结束日"),
        null=True,
        blank=True,
        help_text=_("不含当日；空 = 持续 / exclusive; blank = still"),
    )
    batch = fields.batch()

    class Meta:
        verbose_name = _("借据状态")
        verbose_name_plural = _("借据状态")
        ordering = ["note", "starts_on"]
        indexes = [
            models.Index(name="note_status_starts_on", fields=["starts_on"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="note_status_once_per_start", fields=["note", "status", "starts_on"]
            ),
            fields.not_before("note_status_ends_after_start", "starts_on", "ends_on"),
            fields.one_of("note_status_known", "status", NoteState),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.get_status_display()} {self.starts_on}"


@tracked(moves=True)
class EquipmentInvoice(models.Model):
    """An invoice for equipment bought with a note."""

    institution = fields.scope()
    note = models.ForeignKey(
        Note, models.PROTECT, verbose_name=_("借据"), related_name="invoices", db_index=False
    )
    invoice_number = models.CharField(_("发票号码"), max_length=100)
    issued_on = models.DateField(_("开票日期"))
    amount_fen = fields.money(_("金额"))
    serial_number = models.CharField(_("设备编号"), max_length=100, blank=True, default="")
    supplier = models.CharField(_("供应商"), max_length=200, blank=True, default="")
    batch = fields.batch()

    class Meta:
        verbose_name = _("设备发票")
        verbose_name_plural = _("设备发票")
        ordering = ["note", "invoice_number"]
        indexes = [
            models.Index(name="invoice_issued_on", fields=["issued_on"]),
            models.Index(name="invoice_number", fields=["invoice_number"]),
            models.Index(name="invoice_serial_number", fields=["serial_number"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="equipment_invoice_once_per_serial",
                fields=["note", "invoice_number", "serial_number"],
            ),
            fields.at_most(
                "equipment_invoice_amount_bounded",
                "amount_fen",
                fields.AMOUNT_MAX_FEN,
                -fields.AMOUNT_MAX_FEN,
            ),
        ]

    def __str__(self) -> str:
        return self.invoice_number


@tracked(moves=True)
class Guarantee(models.Model):
    """A guarantee of a note, for the guarantee-fee subsidy."""

    institution = fields.scope()
    origin = fields.origin()
    note = models.ForeignKey(
        Note, models.PROTECT, verbose_name=_("借据"), related_name="guarantees"
    )
    guarantee_number = models.CharField(_("担保合同号"), max_length=100)
    guarantor = models.CharField(_("担保机构"), max_length=200)
    principal_fen = fields.money(_("担保本金"))
    starts_on = models.DateField(_("起始日"))
    ends_on = models.DateField(_("结束日"))
    fee_rate_ppm = fields.rate(_("担保费率"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("担保")
        verbose_name_plural = _("担保")
        ordering = ["origin", "guarantee_number"]
        indexes = [
            models.Index(name="guarantee_starts_on", fields=["starts_on"]),
            models.Index(name="guarantee_number", fields=["guarantee_number"]),
        ]
        constraints = [
            models.UniqueConstraint(
                name="guarantee_number_once_per_institution", fields=["origin", "guarantee_number"]
            ),
            fields.not_before("guarantee_ends_after_start", "starts_on", "ends_on"),
            fields.at_most(
                "guarantee_principal_not_negative", "principal_fen", fields.AMOUNT_MAX_FEN
            ),
            fields.at_most("guarantee_fee_at_most_36_percent", "fee_rate_ppm", fields.RATE_MAX_PPM),
        ]

    def __str__(self) -> str:
        return self.guarantee_number


@tracked(moves=True)
class NoteTransfer(models.Model):
    """A note that moved to another institution; `loans_move_note` moves its scope."""

    institution = fields.scope()
    note = models.ForeignKey(
        Note, models.PROTECT, verbose_name=_("借据"), related_name="transfers", db_index=False
    )
    moved_on = models.DateField(_("划转日期"))
    new_institution = fields.institution(_("转入机构"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("借据划转")
        verbose_name_plural = _("借据划转")
        ordering = ["note", "moved_on"]
        constraints = [
            models.UniqueConstraint(name="note_transfer_once_per_day", fields=["note", "moved_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.note} {self.moved_on}"
