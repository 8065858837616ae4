"""Subsidy systems of a province that are told what happens and asked for what they decided (MF-21, ST-20)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models import Institution
from config.kernel.models.history import tracked


@tracked(added=True, exclude=["secret"])
class ProvinceSystem(models.Model):
    """A system outside, by which definition it is spoken to, and about what.

    `secret` is sealed. `bound_to` blank: of every institution; `scheme_codes` empty: of every scheme.
    """

    code = models.CharField(
        _("编码"),
        max_length=40,
        help_text=_("小写字母、数字、连字符 / lower-case letters, digits, hyphens"),
    )
    definition = models.CharField(_("对接规格"), max_length=40)
    url = models.CharField(_("地址"), max_length=500, blank=True, default="")
    secret = models.TextField(_("密钥"), blank=True, default="")
    secret_set_by = models.CharField(_("密钥填写人"), max_length=150, blank=True, default="")
    secret_set_at = models.DateTimeField(_("密钥填写时间"), null=True, blank=True)
    bound_to = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("机构范围"),
        related_name="+",
        null=True,
        blank=True,
        help_text=_("含下级机构；空 = 全部机构 / with those below; blank = all"),
    )
    scheme_codes = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("贴息政策"),
        default=list,
        blank=True,
        help_text=_("空 = 全部政策 / blank = all"),
    )
    is_active = models.BooleanField(_("启用"), default=True)
    since = models.DateTimeField(
        _("对接起始时间"), help_text=_("此后发生的才推送 / what happens from then on is told")
    )
    made_by = models.CharField(_("登记人"), max_length=150)
    made_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("省级贴息系统")
        verbose_name_plural = _("省级贴息系统")
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(
                name="province_system_once", fields=["code"], condition=Q(is_active=True)
            ),
            models.CheckConstraint(
                name="province_system_code", condition=Q(code__regex=r"^[a-z][a-z0-9-]{1,39}$")
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def actor(self) -> str:
        """As whom rows are brought that were pulled from it."""
        return f"province:{self.code}"


class ProvinceCursor(models.Model):
    """How far a system's answers of one kind are taken in, and what stands in the way of the next."""

    system = models.ForeignKey(
        ProvinceSystem, models.PROTECT, verbose_name=_("省级贴息系统"), related_name="cursors"
    )
    kind = models.CharField(_("数据类别"), max_length=40)
    cursor = models.CharField(_("游标"), max_length=200, blank=True, default="")
    asked_at = models.DateTimeField(_("最近查询"), null=True, blank=True)
    problem = models.CharField(_("当前问题"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("回传进度")
        verbose_name_plural = _("回传进度")
        ordering = ["system", "kind"]
        constraints = [
            models.UniqueConstraint(name="province_cursor_once", fields=["system", "kind"])
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ProvinceAnswer(models.Model):
    """One answer of a system, taken in or refused whole; its bytes are in the store under `sha256`."""

    class Outcome(models.TextChoices):
        TAKEN = "taken", _("已接收")
        REFUSED = "refused", _("已退回")

    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("机构"),
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("空 = 全部机构 / blank = of all"),
    )
    system = models.ForeignKey(
        ProvinceSystem, models.PROTECT, verbose_name=_("省级贴息系统"), related_name="answers"
    )
    kind = models.CharField(_("数据类别"), max_length=40)
    source = models.CharField(_("来源"), max_length=255)
    sha256 = models.CharField(_("内容摘要"), max_length=64)
    cursor = models.CharField(_("查询游标"), max_length=200, blank=True, default="")
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome.choices)
    rows = models.IntegerField(_("行数"), default=0)
    others = models.IntegerField(
        _("他行"), default=0, help_text=_("未登记机构的行，不取 / rows of institutions not ours")
    )
    inserted = models.IntegerField(_("新增"), default=0)
    corrected = models.IntegerField(_("更正"), default=0)
    problem_count = models.IntegerField(_("问题数"), default=0)
    problems = models.JSONField(_("问题"), default=list, blank=True)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = _("系统回传")
        verbose_name_plural = _("系统回传")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="province_answer_refused_once",
                fields=["system", "kind", "cursor", "sha256"],
                condition=Q(outcome="refused"),
            ),
            models.CheckConstraint(
                name="province_answer_outcome",
                condition=Q(outcome="taken", problem_count=0)
                | Q(outcome="refused", problem_count__gt=0, inserted=0, corrected=0),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
