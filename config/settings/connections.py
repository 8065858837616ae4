"""Where the database and the broker are, and as whom this process speaks to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import embedded

VARIABLES = {
    "owner": "DATABASE_URL",
    "app": "APP_DATABASE_URL",
    "worker": "WORKER_DATABASE_URL",
    "redis": "REDIS_URL",
}
LIMITS = {
    "owner": "-c synchronous_commit=on",
    "app": (
        "-c synchronous_commit=on -c lock_timeout=5s -c statement_timeout=15s"
        " -c idle_in_transaction_session_timeout=60s"
        " -c jit=off"  # a page of fifty rows is read sooner than its plan over all months is compiled
    ),
    "worker": "-c synchronous_commit=on -c lock_timeout=30s",
}
OWNER_COMMANDS = frozenset({
    "create_roles", "dbshell", "flush", "inspectdb", "makemigrations", "migrate",
    "optimizemigration", "showmigrations", "sqlflush", "sqlmigrate", "squashmigrations", "test",
})  # fmt: skip
_chosen = ["worker"]


def addresses(environment: Mapping[str, str], data_dir: Path) -> tuple[embedded.Urls, bool]:
    """Return the four addresses and whether they are our own embedded servers.

    All four variables are set, or none: a mixture would write here and read there.
    """
    given = {name: environment.get(variable, "") for name, variable in VARIABLES.items()}
    if all(given.values()):
        return embedded.Urls(**given), False
    if any(given.values()):
        missing = ", ".join(VARIABLES[name] for name, value in given.items() if not value)
        message = (
            f"环境变量须全部设置或全部不设 / set all four addresses or none; missing: {missing}"
        )
        raise ImproperlyConfigured(message)
    return embedded.urls(data_dir), True


def choose_role(name: str) -> None:
    """Set this process's role, unless `TIEXI_ROLE` says another. Children choose their own."""
    _chosen[:] = [name]


def role(environment: Mapping[str, str]) -> str:
    """Return the database role of this process."""
    name = environment.get("TIEXI_ROLE") or _chosen[0]
    if name not in LIMITS:
        message = f"TIEXI_ROLE 只能是 / must be one of {', '.join(LIMITS)}: {name!r}"
        raise ImproperlyConfigured(message)
    return name


def role_for_command(command: str) -> str:
    """Return the role a management command needs: owner for the schema, app for the web."""
    if command in OWNER_COMMANDS:
        return "owner"
    return "app" if command in {"runserver", "testserver"} else "worker"


def database(url: str, limits: str) -> dict[str, Any]:
    """Return Django's settings for `postgresql://user:password@host:port/name?option=value`.

    A host that starts with an escaped slash (`%2Ftmp%2F…`) is a socket folder.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in {"postgres", "postgresql"} or not name:
        message = "数据库地址格式 / database addresses look like postgresql://user@host:port/name"
        raise ImproperlyConfigured(message)
    options = dict(parse_qsl(parts.query))
    # urlsplit lower-cases `hostname`; a socket folder must keep its case.
    host, _, port = parts.netloc.rpartition("@")[2].partition(":")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(host)),
        "PORT": options.pop("port", port),
        "OPTIONS": {**options, "options": limits},
    }


def broker(redis: str) -> str:
    """Return a Redis address in the spelling Celery wants."""
    return redis.replace("unix://", "redis+socket://", 1)


def data_dir(environment: Mapping[str, str], default: Path) -> Path:
    """Return the folder that holds everything this installation writes (`DATA_DIR`)."""
    return Path(environment.get("DATA_DIR") or default).expanduser().resolve()
