"""How a bank reaches its enterprises, to tell them what was paid for them (SME-14, EQ-11)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models import tracked
from loans.models import fields
from loans.models.choices import Channel


@tracked()
class EnterpriseContact(models.Model):
    """An enterprise's address on one channel, as one institution and those below it know it.

    The bank's own customer data, unlike the shared registry: another bank sees nothing of it. An address
    that is no longer to be used stays, with `in_use` false.
    """

    institution = fields.scope()
    enterprise = models.ForeignKey(
        "loans.Enterprise", models.PROTECT, verbose_name=_("企业"), related_name="contacts"
    )
    channel = models.CharField(_("告知渠道"), max_length=10, choices=Channel.choices)
    address = models.CharField(
        _("联系地址"), max_length=200, help_text=_("手机号码、APP 用户号或电子邮箱")
    )
    name = models.CharField(_("联系人"), max_length=200, blank=True, default="")
    in_use = models.BooleanField(_("是否启用"), default=True)
    batch = fields.batch()

    class Meta:
        verbose_name = _("企业联系方式")
        verbose_name_plural = _("企业联系方式")
        ordering = ["enterprise", "institution", "channel"]
        constraints = [
            models.UniqueConstraint(
                name="enterprise_contact_once_per_channel",
                fields=["institution", "enterprise", "channel"],
            ),
            fields.one_of("enterprise_contact_channel_known", "channel", Channel),
            models.CheckConstraint(
                name="enterprise_contact_has_address", condition=~models.Q(address="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise} {self.get_channel_display()}"
