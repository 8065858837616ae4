from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SettlementConfig(AppConfig):
    """What it means, in Django's list of apps."""

    name = "settlement"
    verbose_name = _("贴息核算")
    default_auto_field = "django.db.models.BigAutoField"
