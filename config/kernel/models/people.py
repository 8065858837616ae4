"""People, what they may do, and whose rows they see."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from config.kernel.models.history import tracked
from config.kernel.models.institution import SCOPE_ALL, Institution, Scope


class Role(models.TextChoices):
    """What a person may do (contract §7)."""

    MAKER = "maker", _("经办")
    CHECKER = "checker", _("复核")
    MANAGER = "manager", _("机构管理员")
    FINANCE_VIEWER = "finance_viewer", _("财政只读")
    AUDITOR = "auditor", _("审计")
    ADMINISTRATOR = "administrator", _("系统管理员")


# Whose mistake or absence would let money move unchecked: they prove a second thing beside a password.
TWO_FACTOR_ROLES = frozenset({Role.CHECKER, Role.ADMINISTRATOR})


@tracked(added=True, exclude=["password", "last_login", "must_change_password", "session_epoch"])
class User(AbstractUser):
    """A person, or one of the two system actors `system` and `system-checker`.

    What a person does about passwords and sessions is in the audit of sign-ins; what others change
    about them is in the history.
    """

    must_change_password = models.BooleanField(
        _("须更改密码"),
        default=False,
        db_default=False,
        help_text=_("密码由他人设置 / somebody else set the password"),
    )
    session_epoch = models.IntegerField(
        _("会话批次"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("加一即终止全部会话 / one more ends every session"),
    )
    role = models.CharField(_("角色"), max_length=20, choices=Role.choices, default=Role.MAKER)
    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        verbose_name=_("所属机构"),
        related_name="users",
        null=True,
        blank=True,
        help_text=_(
            "可见本机构及下级；系统管理员留空 = 全部 / sees it and all below; administrators blank = all"
        ),
    )

    class Meta:
        verbose_name = _("用户")
        verbose_name_plural = _("用户")
        constraints = [
            models.CheckConstraint(
                name="user_role_known", condition=models.Q(role__in=Role.values)
            ),
        ]

    @property
    def needs_second_factor(self) -> bool:
        """Must this person prove a second thing to come in?"""
        return self.role in TWO_FACTOR_ROLES

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Sessions end with the password they began with, and when the epoch ends."""
        whole = f"{self.password}{self.session_epoch}"
        salt = "config.kernel.models.people.session"
        return salted_hmac(salt, whole, secret=secret, algorithm="sha256").hexdigest()

    @property
    def scope(self) -> Scope | None:
        """Whose rows does this person see? None: nobody's."""
        if self.institution is not None:
            return self.institution.scope
        return SCOPE_ALL if self.role == Role.ADMINISTRATOR else None
