from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoansConfig(AppConfig):
    """What happened, in Django's list of apps."""

    name = "loans"
    verbose_name = _("贷款台账")
    default_auto_field = "django.db.models.BigAutoField"
