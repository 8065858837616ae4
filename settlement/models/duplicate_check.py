"""When the book was checked for duplicates, and what has changed since."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DuplicateDue(models.Model):
    """A change that a check has not looked at yet. Written by triggers alone, taken away by checks.

    Never unique: whoever changes a fact writes a row of its own and so waits for nobody.
    """

    enterprise_id = models.BigIntegerField(
        _("企业"), null=True, blank=True, help_text=_("空 = 全部企业 / blank: everybody")
    )

    class Meta:
        verbose_name = _("待核查变化")
        verbose_name_plural = _("待核查变化")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.enterprise_id or _("全部"))


class DuplicateCheck(models.Model):
    """One check that looked at something: by which terms and rules, at how much, and what came of it."""

    at = models.DateTimeField(_("核查时间"))
    rules_key = models.CharField(_("条款与规则标识"), max_length=200)
    enterprises = models.IntegerField(
        _("核查企业数"), null=True, blank=True, help_text=_("空 = 全部企业 / blank: everybody")
    )
    opened = models.IntegerField(_("新增"))
    changed = models.IntegerField(_("变化"))
    reopened = models.IntegerField(_("重新打开"))
    gone = models.IntegerField(_("已消除"))

    class Meta:
        verbose_name = _("重复贴息核查批次")
        verbose_name_plural = _("重复贴息核查批次")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.at:%Y-%m-%d %H:%M}"
