"""Which papers each text of a scheme asks for, and which notes lack some."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loans.models import PaperKind
from loans.values.papers import kinds_of


class PaperRule(models.Model):
    """A paper that one text of a scheme asks for; written with the text and checked with it."""

    class Per(models.TextChoices):
        NOTE = "note", _("每笔借据")
        INSTITUTION = "institution", _("机构")

    version = models.ForeignKey(
        "settlement.SchemeVersion",
        models.PROTECT,
        verbose_name=_("政策版本"),
        related_name="paper_rules",
        db_index=False,
    )
    position = models.SmallIntegerField(_("次序"))
    kind = models.CharField(_("资料种类"), max_length=40, choices=PaperKind.choices)
    per = models.CharField(_("由谁提供"), max_length=12, choices=Per.choices)
    with_equipment = models.BooleanField(_("仅设备贷款"))
    blocks = models.BooleanField(_("缺少时计划不得复核"))
    say_zh = models.CharField(_("要求"), max_length=500)
    say_en = models.CharField(_("要求（英文）"), max_length=500)
    article = models.CharField(_("条款"), max_length=200, blank=True)
    assumed_because = models.CharField(_("假定理由"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("资料要求")
        verbose_name_plural = _("资料要求")
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(name="paper_rule_once_per_text", fields=["version", "kind"]),
            models.CheckConstraint(
                name="paper_rule_per_known", condition=Q(per__in=["note", "institution"])
            ),
            models.CheckConstraint(
                name="paper_rule_has_a_source", condition=~Q(article="") | ~Q(assumed_because="")
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class PaperGap(models.Model):
    """A note that is subsidised under a scheme and lacks papers it asks for: a view, never stored.

    Kinds are bits (`loans.values.papers.kind_bit`). Papers that an institution has to give are not
    among them: one letter would list every note.
    """

    institution = models.ForeignKey(
        "kernel.Institution", models.DO_NOTHING, verbose_name=_("所属机构"), related_name="+"
    )
    note = models.ForeignKey(
        "loans.Note", models.DO_NOTHING, verbose_name=_("借据"), related_name="+"
    )
    scheme_code = models.CharField(_("贴息政策"), max_length=60)
    needed = models.IntegerField(_("应有资料"))
    held = models.IntegerField(_("已有资料"))
    lacking = models.IntegerField(_("缺少的资料"))

    class Meta:
        managed = False
        db_table = "settlement_papergap"
        verbose_name = _("缺资料借据")
        verbose_name_plural = _("缺资料借据")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.note)

    @property
    def missing(self) -> list[str]:
        """The kinds that are not there."""
        return kinds_of(self.lacking)
