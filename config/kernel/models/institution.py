"""Institutions, numbered so that one range of numbers is one subtree."""

from typing import NamedTuple

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models.history import tracked


class Scope(NamedTuple):
    """A range of institution numbers, both ends included."""

    lo: int
    hi: int


SCOPE_ALL = Scope(lo=0, hi=2**63 - 1)


@tracked()
class Institution(models.Model):
    """A bank or one of its branches; `id … last_id` holds it and everything below it, for ever."""

    class Level(models.TextChoices):
        HEADQUARTERS = "headquarters", _("总行")
        PROVINCIAL = "provincial", _("一级分行")
        BRANCH = "branch", _("分支机构")

    id = models.BigIntegerField(
        _("机构序号"), primary_key=True, help_text=_("树形编号 / number in the tree, never changes")
    )
    last_id = models.BigIntegerField(
        _("末级序号"),
        help_text=_("下级机构可用的最大序号 / highest number below this one, inclusive"),
    )
    code = models.CharField(_("机构编码"), max_length=40, unique=True)
    name = models.CharField(_("机构名称"), max_length=200)
    level = models.CharField(_("机构层级"), max_length=20, choices=Level.choices)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("上级机构"),
        related_name="children",
        null=True,
        blank=True,
    )
    region_code = models.CharField(
        _("行政区划代码"), max_length=6, help_text=_("6 位 / 6 digits (GB/T 2260)")
    )

    class Meta:
        verbose_name = _("机构")
        verbose_name_plural = _("机构")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="institution_level_known",
                condition=Q(level__in=["headquarters", "provincial", "branch"]),
            ),
            models.CheckConstraint(
                name="institution_range_holds_itself", condition=Q(id__gt=0, last_id__gte=F("id"))
            ),
            models.CheckConstraint(
                name="institution_parent_numbered_first",
                condition=Q(parent__isnull=True) | Q(parent__lt=F("id")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def scope(self) -> Scope:
        """The institution and everything below it."""
        return Scope(lo=self.id, hi=self.last_id)
