"""The database of the tests: migrated by the owner, used by the roles the product runs as.

One migrated template per state of the schema's sources is kept; a session's database is a copy of
it, and so is the fresh one after each test that commits: append-only tables cannot be emptied, only
replaced. As the owner, isolation tests would pass falsely.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from psycopg import sql

from config.settings.connections import LIMITS, database

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "*/models/*",
    "*/migrations/*",
    "*/apps.py",
    "config/kernel/models/*",
    "config/kernel/migrations/*",
    "config/kernel/apps.py",
    "config/kernel/management/commands/create_roles.py",
)
PACKAGES = ("Django", "django-oauth-toolkit", "django-pghistory", "django-pgtrigger")
TEMPLATE = "tiexi_template_"
TEMPLATE_LOCK = 20_260_331


class InstitutionRange(Protocol):
    """An institution: everything below it is numbered from `id` to `last_id`."""

    id: int
    last_id: int


@contextmanager
def as_role(
    role: str | None, institution: InstitutionRange | None = None, *, everything: bool = False
) -> Iterator[None]:
    """Work as `app`, `worker` or (None) the owner on Django's connection, in the scope of an institution.

    Without one the scope is left to whoever sets it, such as the web's middleware; unset, `app` sees
    nothing. `everything` is an administrator's scope. An error undoes what the block wrote.
    """
    lo, hi = (institution.id, institution.last_id) if institution else (0, 2**63 - 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT session_user::text, current_user::text, coalesce(current_setting('app.lo', true), ''),"
            " coalesce(current_setting('app.hi', true), '')"
        )
        session, before, *scope = cursor.fetchone()
        _set_role(role or session, session)
        if institution or everything:
            _set_scope(str(lo), str(hi))
        yield
        _set_role(before, session)
        _set_scope(*scope)


def _set_role(role: str, session: str) -> None:
    with connection.cursor() as cursor:
        name = sql.SQL("NONE") if role == session else sql.Identifier(role)
        cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(name).as_string())


def _set_scope(lo: str, hi: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.lo', %s, true), set_config('app.hi', %s, true)", [lo, hi]
        )


def connect(role: str, *, name: str | None = None) -> psycopg.Connection:
    """Open a connection of one's own as `owner`, `app` or `worker`: it sees committed data only."""
    target = database(getattr(settings.ADDRESSES, role), LIMITS[role])
    return psycopg.connect(
        host=target["HOST"] or None,
        port=target["PORT"] or None,
        user=target["USER"],
        password=target["PASSWORD"] or None,
        dbname=name or str(connection.settings_dict["NAME"]),
        options=target["OPTIONS"]["options"],
        autocommit=True,
    )


@contextmanager
def web_connections() -> Iterator[None]:
    """Let Django's connections, those of a live server's threads too, be the role `app`."""
    with _settings(database(settings.ADDRESSES.app, LIMITS["app"]) | {"NAME": _current()}):
        yield


@contextmanager
def worker_connections() -> Iterator[None]:
    """Let Django's connections be the role `worker` for a while, when the web has nothing to do."""
    with _settings(database(settings.ADDRESSES.worker, LIMITS["worker"]) | {"NAME": _current()}):
        yield


def _current() -> str:
    return str(connection.settings_dict["NAME"])


@contextmanager
def _settings(parameters: dict[str, Any]) -> Iterator[None]:
    """Point Django's default connection elsewhere; all threads share this dictionary."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(parameters)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


class SessionDatabase:
    """The database of one pytest process; others run beside it on the same servers."""

    def __init__(self) -> None:
        main = str(database(settings.ADDRESSES.owner, "")["NAME"])
        self.admin = connect("owner", name=main)
        self.prefix = f"test_{main}_"
        self.name = f"{self.prefix}{os.getpid()}"
        try:
            self._remove_abandoned()
            self.template = self._ensure_template()
            self.recreate()
        except BaseException:
            self.admin.close()
            raise

    def recreate(self) -> None:
        """Replace the database by a fresh copy of the template."""
        connections.close_all()
        self._drop(self.name)
        self._execute("CREATE DATABASE {} TEMPLATE {}", self.name, self.template)

    def close(self) -> None:
        """Remove the database."""
        connections.close_all()
        self._drop(self.name)
        self.admin.close()

    def _remove_abandoned(self) -> None:
        """Drop what killed sessions left: a living one holds the lock on its name."""
        for name in self._names():
            if name.startswith(self.prefix) and self._lock(name):
                self._drop(name)
                self.admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
        assert self._lock(self.name)

    def _lock(self, name: str) -> bool:
        row = self.admin.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()
        return bool(row and row[0])

    def _ensure_template(self) -> str:
        """Return the name of a database the owner migrated from the sources as they are now."""
        name = f"{TEMPLATE}{_schema_digest()}"
        self.admin.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        names = self._names()
        if name not in names:
            for old in names:
                if old.startswith(TEMPLATE) and self._lock(old):  # nobody copies it any more
                    self._drop(old)
            fresh = f"{TEMPLATE}new"
            self._execute("CREATE DATABASE {}", fresh)
            with _settings(database(settings.ADDRESSES.owner, LIMITS["owner"]) | {"NAME": fresh}):
                call_command("create_roles", verbosity=0)
                call_command("migrate", verbosity=0, interactive=False)
            self._execute("ALTER DATABASE {} RENAME TO {}", fresh, name)
        self.admin.execute("SELECT pg_advisory_lock_shared(hashtext(%s))", [name])
        self.admin.execute("SELECT pg_advisory_unlock(%s)", [TEMPLATE_LOCK])
        return name

    def _names(self) -> list[str]:
        return [row[0] for row in self.admin.execute("SELECT datname FROM pg_database")]

    def _drop(self, name: str) -> None:
        """Drop a database, ending what still uses it: each role may end its own connections only.

        Without FORCE, which refuses outright while autovacuum, no role's, is at work there.
        """
        query = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = %s"
        for role in [row[0] for row in self.admin.execute(query, [name])]:
            if role in {"owner", "app", "worker"}:
                with connect(role, name=str(self.admin.info.dbname)) as connection_of_role:
                    connection_of_role.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = %s AND usename = current_user",
                        [name],
                    )
        self._execute("DROP DATABASE IF EXISTS {}", name)

    def _execute(self, statement: str, *names: str) -> None:
        composed = sql.SQL(statement).format(*(sql.Identifier(name) for name in names))  # type: ignore[arg-type]
        self.admin.execute(composed)


def _schema_digest() -> str:
    """Identify everything a migration may read."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path.suffix in {".py", ".sql"}:
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    for package in PACKAGES:
        digest.update(version(package).encode())
    return digest.hexdigest()[:12]
