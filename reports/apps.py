from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    """What we tell others, in Django's list of apps."""

    name = "reports"
    verbose_name = _("报表报送")
    default_auto_field = "django.db.models.BigAutoField"
