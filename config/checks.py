"""What must hold before a process of ours does any work."""

import gc

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from config import embedded

ROLE_QUERY = """
SELECT current_user::text, r.rolsuper, r.rolbypassrls,
       EXISTS (SELECT FROM pg_class c
               WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p')
                 AND pg_has_role(r.oid, c.relowner, 'MEMBER')),
       EXISTS (SELECT FROM pg_roles w
               WHERE w.rolname = 'worker' AND %(role)s = 'app' AND pg_has_role(r.oid, w.oid, 'MEMBER'))
FROM pg_roles r WHERE r.rolname = current_user
"""


def start_servers() -> None:
    """Start and keep the embedded servers, unless the settings name others."""
    if settings.EMBEDDED:
        embedded.hold(settings.DATA_DIR, settings.EMBEDDED_OPTIONS)


def require_plain_role(role: str = "") -> None:
    """Refuse to work as a database role that row-level security or append-only would not bind.

    Raises ImproperlyConfigured for a superuser, a role that bypasses row-level security, one that
    owns our tables (or may become who does), and for a name the policies do not know.
    """
    role = role or settings.DATABASE_ROLE
    if role == "owner":
        return
    with connection.cursor() as cursor:
        cursor.execute(ROLE_QUERY, {"role": role})
        name, *findings = cursor.fetchone()
    faults = ("是超级用户 / is a superuser", "绕过行级安全 / bypasses row-level security",
              "拥有业务表 / owns our tables", "可充当 worker / may become worker")  # fmt: skip
    wrong = [text for text, found in zip(faults, findings, strict=True) if found]
    if name != role:
        wrong.append(f"应为角色 {role} / the role must be {role}")
    if wrong:
        message = f"拒绝启动，数据库角色 {name} / refusing to start, database role {name}: "
        raise ImproperlyConfigured(message + "; ".join(wrong))


def prepare(role: str) -> None:
    """Get a long-lived process (web, worker) ready to serve as `role`."""
    start_servers()
    django.setup()
    require_plain_role(role)
    connection.close()  # before anybody forks
    gc.collect()
    gc.freeze()  # what is loaded stays: a full collection through it takes longer than a page
