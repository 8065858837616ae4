from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

_REDONE = _("由事实重算得出：旧值可由证据随时重现，不另留历史")
_STEPS = _("每一步只走一次，经办、复核、时间都在记录本身；金额的每次变动是一笔分录")
_COUNTED = _("余额只随分录变动，分录只增不改，即为其历史")


class SettlementConfig(AppConfig):
    """What it means, in Django's list of apps."""

    name = "settlement"
    verbose_name = _("贴息核算")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell intake which tiers the terms in force pay, and systems of provinces what comes in."""
        from config.kernel.services import outbox
        from loans.selectors import paid_tiers, written
        from settlement.services import province_events, province_sending
        from settlement.services.province_definitions import definitions
        from settlement.services.schemes import tiers_in_force

        definitions()  # one that is wrong is told now, not to whoever imports a file

        paid_tiers.SOURCES.append(tiers_in_force)
        written.LISTENERS.append(province_events.facts_written)
        outbox.register(province_sending.CHANNEL)

    # Whose former states need no keeping, and why (the others are tracked; tests hold the three lists).
    append_only = frozenset({
        "ClawbackLapse", "Deduction", "ExchangeFile", "GuaranteePosting",
        "LedgerEntry", "LedgerLine", "MonthlySubsidy", "Notice", "NoticeRecord", "Payout",
        "PayoutResult", "Probe", "ProbeAnswer", "ProvinceAnswer", "Receipt", "ReceiptRefusal", "TakenOver",
    })  # fmt: skip
    untracked = {
        "Fund": _COUNTED,
        "NoticeDelivery": _("发送的进度，不是资料；每次尝试和每次重发都在告知记录中"),
        "ProvinceCursor": _("查询的进度，不是资料；每次回传另有只增不改的记录"),
        "DuplicateDue": _("待办的标记，核查后即取走；每次核查另有记录"),
        "PaperRule": _("随政策条款一并写入、一并复核，条款的历史即其历史"),
        "ExchangeRow": _("只留每家银行最近一份文件的内容；收到过哪些文件另有只增不改的记录"),
        "MoneyJob": _("任务的进度，不是资料；下达人、时间和结果都在任务本身"),
        **dict.fromkeys(
            (
                "Assessment", "BlockedSubsidy", "DuplicateCheck", "Enrolment", "EnterprisePosting", "ExchangeEntry", "Finding",
                "FindingSide", "GuaranteeSubsidy", "MissedLabel", "PaperGap", "PlanException",
                "ReconciliationDifference",
            ),
            _REDONE,
        ),
        **dict.fromkeys(
            (
                "Clawback", "ClawbackMovement", "DifferenceExplanation", "FindingDecision", "MadeGood",
                "PayoutAttempt", "PayoutBatch", "Plan", "PlannedDeduction", "Recomputation", "Settlement",
                "SettlementItem",
            ),
            _STEPS,
        ),
    }  # fmt: skip
