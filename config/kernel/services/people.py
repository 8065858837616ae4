"""People who try the system out: one of each role, for development only."""

from __future__ import annotations

from django.db import transaction

from config.kernel.models import Institution, Role, User

DEMO_PASSWORD = "tiexi-demo-2026"  # noqa: S105 (a demonstration on this machine only)
DEMO_USERS = {
    "maker": Role.MAKER,
    "checker": Role.CHECKER,
    "manager": Role.MANAGER,
    "finance": Role.FINANCE_VIEWER,
    "auditor": Role.AUDITOR,
    "administrator": Role.ADMINISTRATOR,
}


@transaction.atomic
def create_demo_users(*, institution: Institution | None) -> str:
    """Make one user of each role at this institution (administrators everywhere)."""
    for name, role in DEMO_USERS.items():
        place = None if role == Role.ADMINISTRATOR else institution
        user, is_new = User.objects.get_or_create(
            username=name, defaults={"role": role, "institution": place, "is_staff": True}
        )
        if is_new:
            user.set_password(DEMO_PASSWORD)
            user.save(update_fields=["password"])
    return DEMO_PASSWORD
