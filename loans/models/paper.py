"""Papers behind a note's subsidy: attached as files, or kept in the bank's archive under a number."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loans.models import fields
from loans.models.choices import PaperKind


def _note() -> "models.ForeignKey[models.Model | None, models.Model | None]":
    return models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="papers",
        null=True,
        blank=True,
        help_text=_("空 = 机构自身的资料 / blank: the institution's own"),
    )


class Paper(models.Model):
    """One paper of a note, or of an institution for one scheme, which then serves all notes below it.

    Append-only: a wrong one is withdrawn (`PaperWithdrawal`). A file is kept in the store by its
    sha256; a paper in the archive may state the sha256 of its scan.
    """

    institution = fields.scope()
    note = _note()
    scheme_code = models.CharField(
        _("贴息政策"), max_length=60, blank=True, default="", help_text=_("仅机构资料 / institutions only")
    )  # fmt: skip
    kind = models.CharField(_("资料种类"), max_length=40, choices=PaperKind.choices)
    archive_number = models.CharField(_("档案号"), max_length=100, blank=True, default="")
    dated_on = models.DateField(_("文件日期"), null=True, blank=True)
    file_name = models.CharField(_("文件名"), max_length=255, blank=True, default="", db_default="")
    size_bytes = models.BigIntegerField(_("字节数"), null=True, blank=True)
    sha256 = models.CharField(_("文件摘要"), max_length=64, blank=True, default="")
    made_by = models.CharField(_("经办"), max_length=150)
    made_at = models.DateTimeField(_("登记时间"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("资料")
        verbose_name_plural = _("资料")
        ordering = ["-id"]
        indexes = [
            models.Index(name="paper_archive_number", fields=["archive_number"]),
            models.Index(name="paper_of_institution", fields=["institution", "-id"]),
            models.Index(name="paper_sha256", fields=["sha256"]),
        ]
        constraints = [
            fields.one_of("paper_kind_known", "kind", PaperKind),
            models.CheckConstraint(
                name="paper_is_somewhere", condition=Q(size_bytes__gt=0) | ~Q(archive_number="")
            ),
            models.CheckConstraint(
                name="paper_file_has_name_and_digest",
                condition=Q(size_bytes__isnull=True, file_name="")
                | (Q(size_bytes__gt=0) & ~Q(file_name="") & ~Q(sha256="")),
            ),
            models.CheckConstraint(
                name="paper_sha256_written_in_hex", condition=Q(sha256__regex="^([0-9a-f]{64})?$")
            ),
            models.CheckConstraint(
                name="paper_of_a_note_serves_every_scheme",
                condition=Q(note__isnull=True) | Q(scheme_code=""),
            ),
        ]

    def __str__(self) -> str:
        return self.archive_number or self.file_name


class PaperWithdrawal(models.Model):
    """That a paper is wrong, and why; append-only. The paper itself stays to be looked at."""

    institution = fields.scope()
    note = models.ForeignKey(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )
    paper = models.OneToOneField(
        Paper, models.PROTECT, verbose_name=_("资料"), related_name="withdrawal"
    )
    why = models.CharField(_("原因"), max_length=500)
    made_by = models.CharField(_("经办"), max_length=150)
    made_at = models.DateTimeField(_("撤回时间"))

    class Meta:
        verbose_name = _("资料撤回")
        verbose_name_plural = _("资料撤回")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="paper_withdrawn_for_a_reason", condition=~Q(why="")),
        ]

    def __str__(self) -> str:
        return f"#{self.paper_id}"


class PaperShelf(models.Model):
    """Which kinds of papers a note has, withdrawn ones left out; kept by triggers on the other two.

    What is missing of 100,000 notes is read from it in one pass, without going through their papers.
    """

    note = models.OneToOneField(
        "loans.Note",
        models.PROTECT,
        verbose_name=_("借据"),
        related_name="paper_shelf",
        primary_key=True,
    )
    institution = fields.scope()
    held = models.IntegerField(
        _("已有资料"), help_text=_("按位 / see loans.values.papers.kind_bit")
    )

    class Meta:
        verbose_name = _("借据资料概况")
        verbose_name_plural = _("借据资料概况")
        ordering = ["note"]

    def __str__(self) -> str:
        return str(self.note)
