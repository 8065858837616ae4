"""Who came in, when and from where; and the passwords a person had before. Both only grow."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SignIn(models.Model):
    """One thing that happened at the door. It never holds a password, a code or a name nobody has.

    It has no institution: most of it happens before anybody is known. The admin shows a row to who
    may see the person it is about.
    """

    class Event(models.TextChoices):
        SIGNED_IN = "signed_in", _("登录")
        CODE_AWAITED = "code_awaited", _("密码正确，待验证码")
        REFUSED = "refused", _("登录失败")
        CODE_REFUSED = "code_refused", _("验证码错误")
        LOCKED = "locked", _("锁定")
        UNLOCKED = "unlocked", _("解除锁定")
        SIGNED_OUT = "signed_out", _("退出")
        EXPIRED = "expired", _("会话超时")
        SESSIONS_ENDED = "sessions_ended", _("全部会话终止")
        FACTOR_ENROLLED = "factor_enrolled", _("绑定双重验证")
        FACTOR_RESET = "factor_reset", _("重置双重验证")
        RECOVERY_CODES_MADE = "recovery_codes_made", _("生成恢复码")
        PASSWORD_CHANGED = "password_changed", _("更改密码")

    class Method(models.TextChoices):
        PASSWORD = "password", _("密码")
        CODE = "code", _("密码与验证码")
        RECOVERY = "recovery", _("密码与恢复码")
        SSO = "sso", _("单点登录")
        SSO_CODE = "sso_code", _("单点登录与验证码")
        SSO_RECOVERY = "sso_recovery", _("单点登录与恢复码")

    at = models.DateTimeField(_("时间"))
    event = models.CharField(_("事件"), max_length=20, choices=Event.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("用户"),
        related_name="sign_ins",
        null=True,
        blank=True,
        db_index=False,
    )
    username = models.CharField(
        _("用户名"),
        max_length=150,
        help_text=_("未登记的用户名只存摘要 / a name nobody has is kept as a digest"),
    )
    actor = models.CharField(_("操作人"), max_length=150, blank=True, default="")
    address = models.GenericIPAddressField(_("地址"), null=True, blank=True)
    browser = models.CharField(_("浏览器"), max_length=200, blank=True, default="")
    method = models.CharField(
        _("方式"), max_length=20, choices=Method.choices, blank=True, default=""
    )
    detail = models.CharField(_("说明"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("登录记录")
        verbose_name_plural = _("登录记录")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="sign_in_of_user"),
            models.Index(fields=["username", "-id"], name="sign_in_of_name"),
            models.Index(fields=["address", "-id"], name="sign_in_from"),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} {self.username}"


class FormerPassword(models.Model):
    """The hash of a password a person set, so that none of the last few comes back."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("用户"),
        related_name="former_passwords",
    )
    password = models.CharField(_("密码摘要"), max_length=128)
    set_at = models.DateTimeField(_("设置时间"), auto_now_add=True)

    class Meta:
        verbose_name = _("历史密码")
        verbose_name_plural = _("历史密码")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.set_at:%Y-%m-%d}"
