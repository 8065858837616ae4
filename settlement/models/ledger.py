"""The fund ledger: who holds what of a scheme's money (domain §5). Written by `services.funds` alone.

The database itself keeps every entry balanced, each line on one side, sealed, chained and unchanged: see
migrations 0005 and 0044.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from loans.models import Tier


class Account(models.TextChoices):
    """The chart of accounts; balances are debit − credit."""

    SPECIAL_ACCOUNT = "special_account", _("贴息专户")
    TREASURY_ADVANCE = "treasury_advance", _("预拨资金")
    SUBSIDY_APPLIED = "subsidy_applied", _("已代付贴息")
    BANK_ADVANCE = "bank_advance", _("银行垫付")
    CLAWBACK_RECEIVABLE = "clawback_receivable", _("应收追回")
    DISALLOWED = "disallowed", _("核减")


class Event(models.TextChoices):
    """What an entry records; `source_id` is the key of the record that caused it."""

    PRE_ALLOCATION = "pre_allocation", _("预拨到账")
    ADVANCE_REPAID = "advance_repaid", _("归还银行垫付")
    TAKEN_OVER = "taken_over", _("期初已贴息")
    DEDUCTION = "deduction", _("代付贴息")
    NEGATIVE_DIFFERENCE = "negative_difference", _("负差额")
    CLAWBACK_DECIDED = "clawback_decided", _("决定追回")
    CLAWBACK_LAPSED = "clawback_lapsed", _("追回并入差额")
    CLAWBACK_RECEIVED = "clawback_received", _("追回到账")
    CLAWBACK_WRITTEN_OFF = "clawback_written_off", _("追回核销")
    MADE_GOOD = "made_good", _("银行补足")
    USE_APPROVED = "use_approved", _("结算认可")
    USE_DISALLOWED = "use_disallowed", _("结算核减")
    SURPLUS_RETURNED = "surplus_returned", _("结余退回")


class Purpose(models.TextChoices):
    """What a fund pays: interest, or guarantee fees (D17), which have a fund of their own."""

    INTEREST = "interest", _("贷款贴息")
    GUARANTEE_FEE = "guarantee_fee", _("担保费补贴")


class WordField(models.CharField):  # type: ignore[type-arg]
    """A word of a PostgreSQL domain: one of the words its migration lists.

    The server reads a table's CHECK constraints anew for every statement, but a domain's once a
    session; of a posting's own time the lists of words took a sixth (migration 0027).
    """

    def __init__(self, *args: Any, domain: str, **kwargs: Any) -> None:
        self.domain = domain
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 (Django's signature)
        """The domain."""
        return self.domain

    def deconstruct(self) -> Any:
        """As any field, and its domain."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "domain": self.domain}


def _balance(name: Any) -> "models.BigIntegerField[int, int]":
    return models.BigIntegerField(
        name, default=0, db_default=0, help_text=_("分，借 − 贷 / fen, debit − credit")
    )


def _institution(*, checked: bool = True) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution",
        models.PROTECT,
        verbose_name=_("资金机构"),
        related_name="+",
        db_index=False,
        db_constraint=checked,
    )


class Fund(models.Model):
    """The money of one scheme and tier at one institution, with the balances of its accounts.

    Balances are counters moved by the posting function in the entry's own transaction.
    """

    institution = _institution()
    scheme = models.ForeignKey(
        "settlement.Scheme",
        models.PROTECT,
        verbose_name=_("贴息政策"),
        related_name="funds",
        db_index=False,
    )
    tier = models.CharField(_("资金层级"), max_length=20)
    purpose = WordField(
        _("用途"),
        domain="settlement_purpose",
        max_length=20,
        choices=Purpose.choices,
        default=Purpose.INTEREST,
    )
    special_account_fen = _balance(Account.SPECIAL_ACCOUNT.label)
    treasury_advance_fen = _balance(Account.TREASURY_ADVANCE.label)
    subsidy_applied_fen = _balance(Account.SUBSIDY_APPLIED.label)
    bank_advance_fen = _balance(Account.BANK_ADVANCE.label)
    clawback_receivable_fen = _balance(Account.CLAWBACK_RECEIVABLE.label)
    disallowed_fen = _balance(Account.DISALLOWED.label)
    reserved_fen = models.BigIntegerField(
        _("已预留"),
        default=0,
        db_default=0,
        help_text=_("分，计划中的代付 / fen, planned deductions"),
    )
    closed_through = models.SmallIntegerField(
        _("已结算年度"),
        default=0,
        db_default=0,
        help_text=_("含；0 = 无 / last settled year, 0 = none"),
    )
    entries = models.BigIntegerField(_("分录数"), default=0, db_default=0)
    chain = models.BinaryField(_("链头"), default=b"", db_default=b"", help_text="sha256")

    class Meta:
        verbose_name = _("资金")
        verbose_name_plural = _("资金")
        ordering = ["scheme", "institution", "tier", "purpose"]
        constraints = [
            models.UniqueConstraint(
                name="fund_once", fields=["institution", "scheme", "tier", "purpose"]
            ),
            models.CheckConstraint(
                name="fund_balances_add_up_to_zero",
                condition=Exact(
                    F("special_account_fen")
                    + F("treasury_advance_fen")
                    + F("subsidy_applied_fen")
                    + F("bank_advance_fen")
                    + F("clawback_receivable_fen")
                    + F("disallowed_fen"),
                    0,
                ),
            ),
            models.CheckConstraint(
                name="fund_reserved_within_balance",
                condition=Q(reserved_fen__gte=0, special_account_fen__gte=F("reserved_fen")),
            ),
            models.CheckConstraint(
                name="fund_sides_of_accounts",
                condition=Q(
                    bank_advance_fen__lte=0, clawback_receivable_fen__gte=0, disallowed_fen__gte=0
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {Tier(self.tier).label} {self.get_purpose_display()}"

    @property
    def available_fen(self) -> int:
        """What may still be paid out: the special account less what is reserved."""
        return self.special_account_fen - self.reserved_fen


class LedgerEntry(models.Model):
    """One event of one fund, with lines that balance; numbered and chained within the fund.

    Its fund and institution are those of the fund's row, which the posting function has just updated:
    the database need not look them up once more for every entry.
    """

    institution = _institution(checked=False)
    fund = models.ForeignKey(
        Fund,
        models.PROTECT,
        verbose_name=_("资金"),
        related_name="ledger",
        db_index=False,
        db_constraint=False,
    )
    number = models.BigIntegerField(_("编号"), help_text=_("本资金内从 1 起 / from 1 in its fund"))
    event = WordField(_("事项"), domain="settlement_event", max_length=30, choices=Event.choices)
    posted_on = models.DateField(_("入账日"))
    month = models.DateField(
        _("收息月份"), null=True, blank=True, help_text=_("当月第一日 / first day of the month")
    )
    year = models.SmallIntegerField(_("所属年度"), help_text=_("在此年度结算 / settled with it"))
    source = models.CharField(_("来源"), max_length=200)
    source_id = models.BigIntegerField(_("来源序号"))
    actor = models.CharField(_("经办"), max_length=150)
    chain = models.BinaryField(_("链值"), help_text="sha256")

    class Meta:
        verbose_name = _("分录")
        verbose_name_plural = _("分录")
        ordering = ["-id"]
        indexes = [
            models.Index(name="ledger_entry_institution", fields=["institution"]),
            models.Index(name="ledger_entry_posted_on", fields=["posted_on"]),
            models.Index(name="ledger_entry_source", fields=["source"]),
        ]
        constraints = [
            models.UniqueConstraint(name="ledger_entry_number_once", fields=["fund", "number"]),
            models.UniqueConstraint(
                name="ledger_entry_once_per_source",
                fields=["fund", "event", "source_id", "month"],
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.get_event_display()}"


class LedgerLine(models.Model):
    """One side of an entry; its institution is the entry's, which the seal checks."""

    institution = models.ForeignKey(
        "kernel.Institution",
        models.PROTECT,
        verbose_name=_("资金机构"),
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    entry = models.ForeignKey(
        LedgerEntry,
        models.DO_NOTHING,
        verbose_name=_("分录"),
        related_name="lines",
        db_constraint=False,
    )
    account = WordField(
        _("科目"), domain="settlement_account", max_length=20, choices=Account.choices
    )
    debit_fen = models.BigIntegerField(_("借方"), help_text=_("分 / fen"))
    credit_fen = models.BigIntegerField(_("贷方"), help_text=_("分 / fen"))

    class Meta:
        verbose_name = _("分录行")
        verbose_name_plural = _("分录行")
        ordering = ["id"]
        indexes = [
            models.Index(name="ledger_line_institution", fields=["institution"]),
        ]

    def __str__(self) -> str:
        return f"#{self.entry_id} {self.get_account_display()}"
