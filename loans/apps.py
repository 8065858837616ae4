from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoansConfig(AppConfig):
    """What happened, in Django's list of apps."""

    name = "loans"
    verbose_name = _("贷款台账")
    default_auto_field = "django.db.models.BigAutoField"

    append_only = frozenset({
        "BankStatement", "Compensation", "ExternalSubsidy", "ImportBatch", "InterestCollection",
        "Paper", "PaperWithdrawal", "PreAllocation", "Repayment", "ReviewResult",
    })  # fmt: skip
    untracked = {
        "Enterprise": _("只有统一社会信用代码，从不变更；属性的更正记在企业信息的历史中"),
        **dict.fromkeys(
            ("FileImport", "ImportUndo"),
            _("每一步只走一次，经办、复核、时间都在记录本身；导入的数据各有自己的历史"),
        ),
        "PaperShelf": _("由资料算出，可随时重算；资料只增不改，即为其历史"),
    }
