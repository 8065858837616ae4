"""Where clients want to be told of events, and the secrets by which they know that it was us."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.kernel.models.clients import ApiClient
from config.kernel.models.history import tracked


@tracked(added=True)
class WebhookEndpoint(models.Model):
    """An address of a client to which events of these topics are posted, within the client's scope."""

    client = models.ForeignKey(
        ApiClient, models.PROTECT, verbose_name=_("接口客户端"), related_name="webhooks"
    )
    url = models.URLField(_("地址"), max_length=500)
    topics = ArrayField(models.CharField(max_length=60), verbose_name=_("事件类别"))
    is_active = models.BooleanField(_("启用"), default=True)
    made_by = models.CharField(_("登记人"), max_length=150)
    made_at = models.DateTimeField(_("登记时间"))

    class Meta:
        verbose_name = _("事件推送地址")
        verbose_name_plural = _("事件推送地址")
        ordering = ["client", "id"]
        constraints = [
            models.UniqueConstraint(
                name="webhook_address_once",
                fields=["client", "url"],
                condition=Q(is_active=True),
            ),
            models.CheckConstraint(name="webhook_has_topics", condition=~Q(topics=[])),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.url}"


@tracked(added=True, exclude=["material"])
class WebhookSecret(models.Model):
    """A key that signs what is posted to an endpoint; sealed. Two may hold while one replaces the other."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.PROTECT, verbose_name=_("事件推送地址"), related_name="secrets"
    )
    material = models.TextField(_("密钥"))
    made_by = models.CharField(_("生成人"), max_length=150)
    made_at = models.DateTimeField(_("生成时间"))
    ends_at = models.DateTimeField(_("失效时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("推送签名密钥")
        verbose_name_plural = _("推送签名密钥")
        ordering = ["endpoint", "-id"]

    def __str__(self) -> str:
        return self.key_id

    @property
    def key_id(self) -> str:
        """The name under which a signature refers to it."""
        return f"webhook-{self.endpoint_id}-{self.pk}"
