from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    """What we tell others, in Django's list of apps."""

    name = "reports"
    verbose_name = _("报表报送")
    default_auto_field = "django.db.models.BigAutoField"

    # Whose former states need no keeping, and why (the others are tracked; tests hold the three lists).
    append_only = frozenset({"Reminder", "ReportFile"})
    untracked = {
        "Job": _("任务的进度，不是资料；下达人、时间和结果都在任务本身"),
        "Obligation": _("由政策条款、节假日和报表算出，可随时重算"),
        "Report": _("每一步只走一次，经办、复核、时间都在记录本身；文件只增不改"),
    }
