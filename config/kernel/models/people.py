"""People, what they may do, and whose rows they see."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.kernel.models.institution import SCOPE_ALL, Institution, Scope


class Role(models.TextChoices):
    """What a person may do (contract §7)."""

    MAKER = "maker", _("经办")
    CHECKER = "checker", _("复核")
    MANAGER = "manager", _("机构管理员")
    FINANCE_VIEWER = "finance_viewer", _("财政只读")
    AUDITOR = "auditor", _("审计")
    ADMINISTRATOR = "administrator", _("系统管理员")


class User(AbstractUser):
    """A person, or one of the two system actors `system` and `system-checker`."""

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
    def scope(self) -> Scope | None:
        """Whose rows does this person see? None: nobody's."""
        if self.institution is not None:
            return self.institution.scope
        return SCOPE_ALL if self.role == Role.ADMINISTRATOR else None
