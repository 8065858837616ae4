from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    """The ground floor in Django's list of apps."""

    name = "config.kernel"
    label = "kernel"
    verbose_name = _("机构与人员")
    default_auto_field = "django.db.models.BigAutoField"
