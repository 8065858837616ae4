"""When all labels were judged, over which facts and terms: judging is skipped while these stand."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Assessment(models.Model):
    """One judging of all labels."""

    facts_position = models.BigIntegerField(_("事实位置"))
    terms_key = models.CharField(_("条款标识"), max_length=200)
    engine = models.IntegerField(_("算法版本"))
    labels = models.IntegerField(_("标签数"))
    changed = models.IntegerField(_("变化数"))
    at = models.DateTimeField(_("认定时间"))

    class Meta:
        verbose_name = _("资格认定批次")
        verbose_name_plural = _("资格认定批次")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.at:%Y-%m-%d %H:%M}"
