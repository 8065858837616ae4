"""What policies refer to: registered scheme labels, participating banks, funds and the LPR."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from config.kernel.models import tracked
from loans.models import fields


@tracked()
class SchemeLabel(models.Model):
    """A scheme code a note may be labelled with; registered when the scheme is loaded."""

    code = models.CharField(_("政策代码"), max_length=60, unique=True)
    name = models.CharField(_("政策名称"), max_length=200)

    class Meta:
        verbose_name = _("贴息政策标签")
        verbose_name_plural = _("贴息政策标签")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


def label_name(code: str) -> str:
    """The policy's name in Chinese, its code in English, for the title of one row's page."""
    if get_language() == "en":
        return code
    return SchemeLabel.objects.filter(code=code).values_list("name", flat=True).first() or code


@tracked()
class Participation(models.Model):
    """An institution and everything below it takes part in a scheme, both days included."""

    scheme_code = fields.scheme_code()
    institution = fields.institution(_("合作机构"))
    valid_from = models.DateField(_("合作起始日"))
    valid_to = models.DateField(
        _("合作终止日"), null=True, blank=True, help_text=_("含当日；空 = 长期 / last valid day")
    )
    batch = fields.batch()

    class Meta:
        verbose_name = _("合作银行")
        verbose_name_plural = _("合作银行")
        ordering = ["scheme_code", "institution", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                name="participation_once_per_start",
                fields=["institution", "scheme_code", "valid_from"],
            ),
            fields.not_before("participation_ends_after_start", "valid_from", "valid_to"),
        ]

    def __str__(self) -> str:
        return f"{label_name(self.scheme_code)} {self.institution.name} {self.valid_from}"


@tracked()
class Lpr(models.Model):
    """A fixing of the loan prime rate."""

    published_on = models.DateField(_("公布日"), unique=True)
    one_year_ppm = fields.rate(_("1年期LPR"))
    five_year_ppm = fields.rate(_("5年期LPR"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("贷款市场报价利率")
        verbose_name_plural = _("贷款市场报价利率")
        ordering = ["-published_on"]
        constraints = [
            fields.at_most("lpr_one_year_at_most_36_percent", "one_year_ppm", fields.RATE_MAX_PPM),
            fields.at_most(
                "lpr_five_year_at_most_36_percent", "five_year_ppm", fields.RATE_MAX_PPM
            ),
        ]

    def __str__(self) -> str:
        return f"{self.published_on}"


@tracked()
class SchemeFund(models.Model):
    """A scheme's fund for the notes drawn in one year."""

    scheme_code = fields.scheme_code()
    year = models.SmallIntegerField(_("年度"))
    amount_fen = fields.money(_("年度资金"))
    batch = fields.batch()

    class Meta:
        verbose_name = _("政策年度资金")
        verbose_name_plural = _("政策年度资金")
        ordering = ["scheme_code", "year"]
        constraints = [
            models.UniqueConstraint(
                name="scheme_fund_once_per_year", fields=["scheme_code", "year"]
            ),
            fields.at_most("scheme_fund_not_negative", "amount_fen", fields.AMOUNT_MAX_FEN),
        ]

    def __str__(self) -> str:
        return f"{label_name(self.scheme_code)} {self.year}"
