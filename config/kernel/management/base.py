"""What the project's commands share: who acts, in which scope, and how progress is shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from config.kernel.models import SCOPE_ALL, Role, User
from config.kernel.selectors import institution_range
from config.kernel.services import provenance
from config.kernel.services.second_person import stand_in

SYSTEM = "system"  # whom commands act as, and nobody else
MAKERS = frozenset({Role.MAKER, Role.MANAGER, Role.ADMINISTRATOR})  # who may bring in and post


class ProjectCommand(BaseCommand):
    """A command that acts as somebody, by default `system` over all institutions.

    `permitted`: who may run it (contract §7); None is everybody who may act at all.
    """

    permitted: frozenset[str] | None = None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Arguments every command takes."""
        parser.add_argument("--actor", default=SYSTEM, help="以谁的名义 / on whose behalf")
        parser.add_argument(
            "--institution", help="机构范围（机构编码）/ scope: this institution and below"
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, with the actor's name told to whatever keeps history."""
        command = self.__class__.__module__.rpartition(".")[2]
        with provenance.acting(user=str(options.get("actor") or SYSTEM), command=command):
            return super().execute(*args, **options)

    def actor(self, options: dict[str, Any]) -> str:
        """The acting user's name; an unknown one is refused."""
        name = str(options["actor"])
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"没有这个用户：{name} / unknown or inactive user")
        if self.permitted is not None and user.role not in self.permitted:
            raise CommandError(
                f"角色“{user.get_role_display()}”不能执行此命令 / not for the role {user.role}"
            )
        return name

    def scope(self, options: dict[str, Any]) -> tuple[int, int]:
        """The institutions this command may touch: the actor's, narrowed by --institution."""
        user = User.objects.select_related("institution").get(username=self.actor(options))
        own = user.scope
        if own is None:
            raise CommandError(
                f"用户 {user.username} 没有机构范围 / this user has no institution scope"
            )
        if not options["institution"]:
            return own
        asked = institution_range(options["institution"])
        if asked is None:
            raise CommandError(f"未登记的机构编码：{options['institution']} / unknown institution")
        if own != SCOPE_ALL and not (own[0] <= asked[0] and asked[1] <= own[1]):
            raise CommandError(
                f"机构 {options['institution']} 不在用户范围内 / outside the user's scope"
            )
        return asked

    def require_everywhere(self, options: dict[str, Any]) -> None:
        """Refuse who does not act for the whole installation: the command concerns all of it."""
        if self.scope(options) != SCOPE_ALL:
            raise CommandError(
                "此命令涉及全部机构，只能由系统管理员执行、不能限定机构"
                " / this concerns all institutions: administrators only, without --institution"
            )

    def checker(self) -> str | None:
        """Who checks what this command makes: nobody, unless AUTO_CHECK is on."""
        return stand_in()


def now() -> datetime:
    """The moment, read here at the edge and passed inwards."""
    return timezone.localtime()


@contextmanager
def progress(title: str, *, total: int | None = None) -> Iterator[tqdm[Any]]:
    """A progress bar on a terminal; silent elsewhere, where plain lines are printed instead."""
    with tqdm(
        total=total, desc=title, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False
    ) as bar:
        yield bar
