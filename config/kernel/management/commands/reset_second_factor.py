"""`reset_second_factor`: for the last administrator who lost both authenticator and recovery codes."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from config.kernel.management.base import ProjectCommand, now
from config.kernel.models import Role, User
from config.kernel.services import second_factor, signin


class Command(ProjectCommand):
    """See `--help`."""

    help = (
        "作废某人的验证器和恢复码并终止其会话，下次登录重新绑定，记入登录记录"
        " / forget a person's second factor and end their sessions; the audit of sign-ins says so"
    )
    permitted = frozenset({Role.ADMINISTRATOR})

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whose, and why."""
        super().add_arguments(parser)
        parser.add_argument("username", help="用户名 / the person")
        parser.add_argument("--why", required=True, help="原因 / the reason, for the audit")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, by whoever has a shell on the machine."""
        self.require_everywhere(options)
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"没有这个用户：{options['username']} / unknown user")
        if second_factor.device_of(user=user) is None:
            raise CommandError(f"{user.username} 未绑定双重验证 / has no second factor")
        second_factor.reset(
            user=user,
            actor=self.actor(options),
            why=options["why"],
            at=now(),
            caller=signin.Caller(),
        )
        self.stdout.write(f"已重置 / reset: {user.username}")
