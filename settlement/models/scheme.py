"""Schemes and the texts of their terms."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import tracked


@tracked()
class Scheme(models.Model):
    """A policy; its small number stands for its code on every deduction."""

    id = models.SmallAutoField(_("序号"), primary_key=True)
    code = models.CharField(_("政策代码"), max_length=60, unique=True)
    name = models.CharField(_("政策名称"), max_length=200)

    class Meta:
        verbose_name = _("贴息政策")
        verbose_name_plural = _("贴息政策")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


@tracked()
class SchemeVersion(models.Model):
    """One text of a scheme's terms. In force once checked by another person than its maker.

    One that another person refused has `refused_why` and never is.
    """

    scheme = models.ForeignKey(
        Scheme, models.PROTECT, verbose_name=_("贴息政策"), related_name="versions", db_index=False
    )
    version = models.IntegerField(_("版本"), help_text=_("从 1 起 / counted from 1"))
    text = models.TextField(_("条款"), help_text=_("TOML"))
    sha256 = models.CharField(_("条款摘要"), max_length=64)
    made_by = models.CharField(_("经办"), max_length=150)
    checked_by = models.CharField(_("复核"), max_length=150, null=True, blank=True)
    loaded_at = models.DateTimeField(_("载入时间"))
    checked_at = models.DateTimeField(_("复核时间"), null=True, blank=True)
    refused_by = models.CharField(_("退回人"), max_length=150, null=True, blank=True)
    refused_at = models.DateTimeField(_("退回时间"), null=True, blank=True)
    refused_why = models.CharField(
        _("退回原因"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("政策版本")
        verbose_name_plural = _("政策版本")
        ordering = ["scheme", "id"]
        constraints = [
            models.UniqueConstraint(name="scheme_version_once", fields=["scheme", "version"]),
            models.CheckConstraint(
                name="scheme_version_checked_by_another",
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("made_by")),
            ),
            models.CheckConstraint(
                name="scheme_version_refused_by_another_for_a_reason",
                condition=Q(refused_by__isnull=True, refused_why="")
                | (
                    Q(refused_by__isnull=False, checked_by__isnull=True)
                    & ~Q(refused_why="")
                    & ~Q(refused_by=F("made_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme.name} v{self.version}"
