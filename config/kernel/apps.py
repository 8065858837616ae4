from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KernelConfig(AppConfig):
    """The ground floor in Django's list of apps."""

    name = "config.kernel"
    label = "kernel"
    verbose_name = _("机构与人员")
    default_auto_field = "django.db.models.BigAutoField"

    # Whose former states need no keeping, and why (the others are tracked; tests hold the three lists).
    append_only = frozenset({"DeliveryStep", "FormerPassword", "OutboxEvent", "SignIn"})
    untracked = {
        "IdempotencyKey": _("只增不改（触发器守护），满 400 天才可清理"),
        "UsedNonce": _("只增不改，过期即清理；它只为拒绝重放"),
        "OutboxPending": _("待分发的标记，分发后即消失；事件本身只增不改"),
        "OutboxPause": _("接收方不可达时的暂停，恢复后即消失"),
        "OutboxDelivery": _("送达的进度，不是资料；人工处理另有只增不改的记录"),
        "Run": _("任务的进度，不是资料；下达人、时间和结果都在任务本身"),
        "Chunk": _("任务的进度，不是资料；下达人、时间和结果都在任务本身"),
    }

    def ready(self) -> None:
        """Let webhooks take part in telling others what happened."""
        from config.kernel.services import outbox, webhooks

        outbox.register(webhooks.CHANNEL)
