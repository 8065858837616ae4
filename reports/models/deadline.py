"""When reports are due: days that are not what their weekday says, obligations, and reminders."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import tracked
from reports.models.names import report_name


def _institution() -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        "kernel.Institution",
        models.PROTECT,
        verbose_name=_("报送机构"),
        related_name="+",
        db_index=False,
    )


@tracked()
class WorkingDayException(models.Model):
    """A day that is off or worked by public notice, whatever day of the week it is.

    A year without any such day is one whose notice has not been brought in yet.
    """

    day = models.DateField(_("日期"), primary_key=True)
    is_working = models.BooleanField(_("上班"))
    name = models.CharField(_("名称"), max_length=100)
    document_number = models.CharField(_("文号"), max_length=100)

    class Meta:
        verbose_name = _("节假日与调休")
        verbose_name_plural = _("节假日与调休")
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.name}"


class Obligation(models.Model):
    """A report somebody has to file: scheme × institution × code × period, with its day.

    Where it stands follows from the reports there are, and is not stored.
    """

    institution = _institution()
    scheme_code = models.CharField(_("贴息政策"), max_length=60)
    code = models.CharField(_("报表"), max_length=40)
    period = models.CharField(_("报告期"), max_length=7)
    due_on = models.DateField(_("截止日"))
    last_working_day = models.DateField(
        _("最后工作日"),
        help_text=_("截止日当天或之前 / the due day itself or the last working day before it"),
    )
    draft_from = models.DateField(
        _("起草日"), help_text=_("自此日起自动生成 / drafted from then on")
    )
    addressee = models.CharField(_("报送对象"), max_length=200)
    article = models.CharField(_("依据"), max_length=100)
    assumed = models.CharField(_("假设"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("报送事项")
        verbose_name_plural = _("报送事项")
        ordering = ["due_on", "institution", "scheme_code", "code"]
        constraints = [
            models.UniqueConstraint(
                name="obligation_once", fields=["institution", "scheme_code", "code", "period"]
            ),
            models.CheckConstraint(
                name="obligation_last_working_day_not_after_due",
                condition=models.Q(last_working_day__lte=models.F("due_on")),
            ),
        ]
        indexes = [models.Index(name="obligation_due", fields=["due_on"])]

    def __str__(self) -> str:
        return f"{report_name(self.code)} {self.period}"


class Reminder(models.Model):
    """That somebody was told of an obligation on a day; append-only, once a day."""

    institution = _institution()
    obligation = models.ForeignKey(
        Obligation,
        models.PROTECT,
        verbose_name=_("报送事项"),
        related_name="reminders",
        db_index=False,
    )
    day = models.DateField(_("日期"))
    recipients = models.TextField(_("收件人"), blank=True)
    at = models.DateTimeField(_("提醒时间"))

    class Meta:
        verbose_name = _("提醒")
        verbose_name_plural = _("提醒")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="reminder_once_a_day", fields=["obligation", "day"])
        ]

    def __str__(self) -> str:
        return f"{self.obligation} {self.day:%Y-%m-%d}"
