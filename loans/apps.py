from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoansConfig(AppConfig):
    """What happened, in Django's list of apps."""

    name = "loans"
    verbose_name = _("贷款台账")
    default_auto_field = "django.db.models.BigAutoField"

    append_only = frozenset({
        "BankStatement", "Compensation", "ExternalSubsidy", "ImportBatch", "InterestCollection",
        "PreAllocation", "Repayment", "ReviewResult",
    })  # fmt: skip
    untracked = {"Enterprise": _("只有统一社会信用代码，从不变更；属性的更正记在企业信息的历史中")}
