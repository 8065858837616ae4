"""Duplicates across banks without showing books: keyed hashes told and received, and who asked what."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

HASH_CHARACTERS = 64
QUESTIONS_MAX = 100


def _institution(**options: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        "kernel.Institution",
        models.PROTECT,
        verbose_name=_("所属机构"),
        related_name="+",
        db_index=False,
        **options,
    )


class ExchangeEntry(models.Model):
    """One hash of a subsidised note of ours: what other banks of the circle may be told of it.

    Remade from the facts; only the database's function for probes and the export read it.
    """

    institution = _institution()
    note = models.ForeignKey(
        "loans.Note", models.PROTECT, verbose_name=_("借据"), related_name="+", db_index=False
    )
    key_id = models.CharField(_("密钥编号"), max_length=40)
    kind = models.CharField(_("类别"), max_length=10)
    hash = models.CharField(_("哈希值"), max_length=HASH_CHARACTERS)
    duty = models.CharField(_("互斥组"), max_length=60)
    first_day = models.DateField(_("贴息首日"))
    last_day = models.DateField(_("贴息末日"))

    class Meta:
        verbose_name = _("交换哈希")
        verbose_name_plural = _("交换哈希")
        ordering = ["id"]
        indexes = [models.Index(name="exchange_entry_hash", fields=["hash"])]
        constraints = [
            models.UniqueConstraint(
                name="exchange_entry_once", fields=["note", "duty", "kind", "hash", "key_id"]
            ),
            models.CheckConstraint(
                name="exchange_entry_form",
                condition=Q(hash__regex=r"^[0-9a-f]{64}$", first_day__lte=models.F("last_day")),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ExchangeFile(models.Model):
    """One file of another bank, taken in or refused whole; its bank's latest one taken in counts."""

    class Outcome(models.TextChoices):
        TAKEN = "taken", _("已接收")
        REFUSED = "refused", _("已退回")

    institution = _institution(null=True, blank=True, help_text=_("空 = 全部机构 / blank = of all"))
    bank_code = models.CharField(_("来源银行"), max_length=14, blank=True, default="")
    key_id = models.CharField(_("密钥编号"), max_length=40, blank=True, default="")
    made_on = models.DateField(_("导出日"), null=True, blank=True)
    source = models.CharField(_("文件名"), max_length=255)
    sha256 = models.CharField(_("内容摘要"), max_length=64)
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome.choices)
    rows = models.IntegerField(_("行数"), default=0)
    problem_count = models.IntegerField(_("问题数"), default=0)
    problems = models.JSONField(_("问题"), default=list, blank=True)
    actor = models.CharField(_("经办"), max_length=150)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("交换文件")
        verbose_name_plural = _("交换文件")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="exchange_file_outcome",
                condition=Q(outcome="taken", problem_count=0, made_on__isnull=False)
                & ~Q(bank_code="")
                | Q(outcome="refused", problem_count__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ExchangeRow(models.Model):
    """One row of a file taken in: a hash of another bank. The web has no right to read it at all."""

    file = models.ForeignKey(
        ExchangeFile, models.PROTECT, verbose_name=_("交换文件"), related_name="told"
    )
    kind = models.CharField(_("类别"), max_length=10)
    hash = models.CharField(_("哈希值"), max_length=HASH_CHARACTERS)
    duty = models.CharField(_("互斥组"), max_length=60)
    first_day = models.DateField(_("贴息首日"))
    last_day = models.DateField(_("贴息末日"))

    class Meta:
        verbose_name = _("交换文件行")
        verbose_name_plural = _("交换文件行")
        ordering = ["id"]
        indexes = [models.Index(name="exchange_row_hash", fields=["hash"])]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Probe(models.Model):
    """What a client asked of other banks' notes: kept before it is answered, and never changed.

    `at` and the transaction it was asked in are the database's own (see the migration).
    """

    institution = _institution()
    actor = models.CharField(_("查询方"), max_length=150)
    key_id = models.CharField(_("密钥编号"), max_length=40)
    hashes = ArrayField(models.CharField(max_length=HASH_CHARACTERS), verbose_name=_("哈希值"))
    first_days = ArrayField(models.DateField(), verbose_name=_("贴息首日"))
    last_days = ArrayField(models.DateField(), verbose_name=_("贴息末日"))
    asked = models.IntegerField(_("查询条数"))
    request_id = models.CharField(_("请求编号"), max_length=64)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("跨行查询")
        verbose_name_plural = _("跨行查询")
        ordering = ["-id"]
        indexes = [
            models.Index(name="probe_rate", fields=["institution", "at"]),
            models.Index(name="probe_request", fields=["request_id"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="probe_within_bounds",
                condition=Q(asked__gte=1, asked__lte=QUESTIONS_MAX),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ProbeAnswer(models.Model):
    """What a probe was answered: written by the database's function, once, and repeated as it was."""

    institution = _institution()
    probe = models.OneToOneField(
        Probe, models.PROTECT, verbose_name=_("跨行查询"), related_name="answer"
    )
    hits = models.IntegerField(_("命中条数"))
    conflicts = models.JSONField(_("冲突"), default=list, blank=True)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("跨行查询应答")
        verbose_name_plural = _("跨行查询应答")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk}"
