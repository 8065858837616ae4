"""The processes of an installation: who they are in the database, what they refuse, how they start."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
import yaml
from django.core.exceptions import ImproperlyConfigured

from config import embedded
from config.kernel.management.commands import create_roles
from config.settings import connections

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> embedded.Urls:
    """A migrated installation whose addresses are given from outside."""
    folder = tmp_path_factory.mktemp("installation")
    embedded.hold(folder)
    addresses = embedded.urls(folder)
    result = run([sys.executable, "manage.py", "migrate", "--verbosity=0"], production(addresses))
    assert result.returncode == 0, result.stderr
    return addresses


def production(addresses: embedded.Urls, **changes: str) -> dict[str, str]:
    """Return the environment of a bank's installation."""
    ours = {*connections.VARIABLES.values(), "DATA_DIR", "TIEXI_ROLE", "DJANGO_SETTINGS_MODULE"}
    return {
        **{name: value for name, value in os.environ.items() if name not in ours},
        **{connections.VARIABLES[name]: url for name, url in addresses._asdict().items()},
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "SECRET_KEY": "only-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz",
        "ALLOWED_HOSTS": "bank.example",
        **changes,
    }


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a process of ours to its end."""
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@contextmanager
def running(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of ours for a while; it has to end by itself when asked."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        finally:
            process.kill()
            process.wait()


def wait_for(log: Path, text: str) -> None:
    """Wait until a process has written something."""
    deadline = time.monotonic() + 60
    while text not in log.read_text(errors="replace"):
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)


def get(port: int, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask for the health page as soon as anybody answers."""
    deadline = time.monotonic() + 120
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/healthz/", headers=headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        finally:
            connection.close()


def as_superuser(url: str) -> str:
    """Return the same address for the cluster's superuser."""
    return url.replace("//worker@", "//postgres@").replace("//app@", "//postgres@")


def test_commands_choose_their_role(addresses: embedded.Urls) -> None:
    """The owner changes the schema, the web is `app`, all else is `worker`, unless TIEXI_ROLE says."""
    assert connections.role_for_command("migrate") == "owner"
    assert connections.role_for_command("runserver") == "app"
    assert connections.role_for_command("run_deductions") == "worker"
    who = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT current_user'); print(k.fetchone()[0])"
    for chosen, expected in (({}, "worker"), ({"TIEXI_ROLE": "app"}, "app")):
        result = run(
            [sys.executable, "manage.py", "shell", "-v0", "-c", who],
            production(addresses, **chosen),
        )
        assert result.stdout.split()[-1:] == [expected], result.stderr


@pytest.mark.parametrize(
    ("role", "fault"),
    [("postgres", "是超级用户 / is a superuser"), ("owner", "拥有业务表 / owns our tables"), ("app", "应为角色 worker")],
)  # fmt: skip
def test_commands_refuse_a_role_the_rules_do_not_bind(
    addresses: embedded.Urls, role: str, fault: str
) -> None:
    """Row-level security would be void, and nobody would notice."""
    other = addresses.worker.replace("//worker@", f"//{role}@")
    result = run(
        [sys.executable, "manage.py", "verify"], production(addresses, WORKER_DATABASE_URL=other)
    )
    assert result.returncode == 1
    assert f"拒绝启动，数据库角色 {role}" in result.stderr
    assert fault in result.stderr
    assert "Traceback" not in result.stderr


def test_the_web_refuses_a_superuser(addresses: embedded.Urls, tmp_path: Path) -> None:
    """A wrong address stops the server before it answers anybody."""
    environment = production(addresses, APP_DATABASE_URL=as_superuser(addresses.app))
    result = run([str(BIN / "python"), "-c", "import config.wsgi"], environment)
    assert result.returncode == 1
    assert "拒绝启动，数据库角色 postgres" in result.stderr


def test_the_web_is_the_app_role_whatever_the_environment_says(addresses: embedded.Urls) -> None:
    """TIEXI_ROLE left over from a shell would make it the owner: refused."""
    result = run(
        [sys.executable, "-c", "import config.wsgi"], production(addresses, TIEXI_ROLE="owner")
    )
    assert result.returncode == 1
    assert "应为角色 app" in result.stderr


def test_the_web_serves(addresses: embedded.Urls, tmp_path: Path) -> None:
    """gunicorn, production settings, behind a proxy that ends TLS."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(BIN / "gunicorn"),
        "config.wsgi",
        f"--bind=127.0.0.1:{port}",
        "--no-control-socket",
    ]
    log = tmp_path / "web.log"
    with running(command, production(addresses), log):
        answer, body = get(port, {"Host": "bank.example", "X-Forwarded-Proto": "https"})
        assert (answer.status, body) == (200, b"ok\n")
        assert "max-age=31536000" in str(answer.headers["Strict-Transport-Security"])
        answer, _ = get(port, {"Host": "bank.example"})
        assert (answer.status, answer.headers["Location"]) == (301, "https://bank.example/healthz/")


def test_the_worker_answers_its_bell(addresses: embedded.Urls, tmp_path: Path) -> None:
    """A message goes through Valkey's socket to a worker of the role `worker`, and it stops when asked."""
    celery = [str(BIN / "celery"), "--app=config.celery"]
    log = tmp_path / "worker.log"
    environment = production(addresses, REMAP_SIGTERM="SIGQUIT")
    with running([*celery, "worker", "--concurrency=1", "--loglevel=INFO"], environment, log):
        wait_for(log, "ready.")
        result = run([*celery, "call", "kernel.sweep"], environment)
        assert result.returncode == 0, result.stderr
        wait_for(log, "succeeded in")


def test_the_web_rings_the_worker_that_works_for_it(addresses: embedded.Urls) -> None:
    """A task called by the web, from any thread, goes to the installation's broker and queue."""
    ring = (
        "from threading import Thread; from config import wsgi; from reports.tasks import work_job;"
        "thread = Thread(target=work_job.delay, kwargs={'run_id': 7}); thread.start(); thread.join()"
    )
    with redis.Redis.from_url(addresses.redis) as valkey:
        valkey.delete("runs")
        rung = run([sys.executable, "-c", ring], production(addresses))
        assert "Traceback" not in rung.stderr, rung.stderr
        (message,) = valkey.lrange("runs", 0, -1)
        assert json.loads(message)["headers"]["task"] == "reports.work_job"
        valkey.delete("runs")


def test_the_scheduler_rings(addresses: embedded.Urls, tmp_path: Path) -> None:
    """Beat knows the sweep and reaches the broker."""
    log = tmp_path / "beat.log"
    command = [str(BIN / "celery"), "--app=config.celery", "beat", "--loglevel=DEBUG"]
    command += [f"--schedule={tmp_path / 'beat'}", f"--pidfile={tmp_path / 'beat.pid'}"]
    with running(command, production(addresses), log):
        wait_for(log, "kernel.sweep")
        wait_for(log, "Waking up")


def test_roles_are_made_once_and_can_be_printed(addresses: embedded.Urls) -> None:
    """`create_roles` may be repeated; what it prints is what it runs."""
    statements = create_roles.role_statements(database='od"d')
    assert 'GRANT CONNECT, TEMPORARY ON DATABASE "od""d" TO app;' in statements
    printed = run([sys.executable, "manage.py", "create_roles", "--print"], production(addresses))
    assert printed.stdout.splitlines() == create_roles.role_statements(database="tiexi")
    for _ in range(2):
        made = run([sys.executable, "manage.py", "create_roles"], production(addresses))
        assert (made.returncode, made.stdout) == (0, "角色已就绪 / roles ready: app, worker\n")


def test_roles_are_made_with_the_passwords_of_their_addresses(addresses: embedded.Urls) -> None:
    """On a server of one's own; passwords reach the server as hashes only."""
    with psycopg.connect(as_superuser(addresses.worker), autocommit=True) as admin:
        admin.execute("CREATE ROLE boss LOGIN SUPERUSER")
        environment = production(
            addresses,
            DATABASE_URL=addresses.owner.replace("//owner@", "//boss@"),
            APP_DATABASE_URL=addresses.app.replace("//app@", "//app:s%40cret@"),
        )
        made = run([sys.executable, "manage.py", "create_roles"], environment)
        assert made.returncode == 0, made.stderr
        rows = admin.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, left(rolpassword, 14)"
            " FROM pg_authid WHERE rolname IN ('app', 'worker') ORDER BY rolname"
        ).fetchall()
        assert rows == [
            ("app", False, False, False, False, "SCRAM-SHA-256$"),
            ("worker", False, False, False, False, None),
        ]
        admin.execute("ALTER ROLE app PASSWORD NULL")
        admin.execute("DROP ROLE boss")


def test_addresses_are_given_all_or_none(tmp_path: Path) -> None:
    """A half-configured installation would write to two databases."""
    with pytest.raises(
        ImproperlyConfigured, match="missing: APP_DATABASE_URL, WORKER_DATABASE_URL, REDIS_URL"
    ):
        connections.addresses({"DATABASE_URL": "postgresql://owner@db/tiexi"}, tmp_path)
    ours, is_embedded = connections.addresses({}, tmp_path)
    assert (ours, is_embedded) == (embedded.urls(tmp_path), True)
    with pytest.raises(ImproperlyConfigured, match="TIEXI_ROLE"):
        connections.role({"TIEXI_ROLE": "root"})


def test_database_addresses_are_read_whole() -> None:
    """Passwords, ports, options and socket folders; nothing is lower-cased."""
    settings = connections.database(
        "postgresql://a%40b:p%2Fw@Db.Example:6432/tie%20xi?sslmode=require", "-c x=1"
    )
    assert settings == {
        "ENGINE": "django.db.backends.postgresql", "NAME": "tie xi", "USER": "a@b", "PASSWORD": "p/w",
        "HOST": "Db.Example", "PORT": "6432", "OPTIONS": {"sslmode": "require", "options": "-c x=1"},
    }  # fmt: skip
    folder = connections.database("postgresql://app@%2Ftmp%2FAbc/tiexi", "")
    assert (folder["HOST"], folder["PORT"]) == ("/tmp/Abc", "")
    for wrong in ("mysql://a@b/c", "postgresql://a@b", "tiexi"):
        with pytest.raises(ImproperlyConfigured):
            connections.database(wrong, "")


@pytest.mark.parametrize(
    "missing", ["SECRET_KEY", "ALLOWED_HOSTS", "REDIS_URL", "APP_DATABASE_URL"]
)
def test_production_takes_nothing_for_granted(missing: str, tmp_path: Path) -> None:
    """No default secret, host or server, and nothing is started instead."""
    environment = production(embedded.urls(tmp_path)) | {missing: ""}
    result = run([sys.executable, "manage.py", "check"], environment)
    assert result.returncode == 1
    assert missing in result.stderr
    assert not embedded.sockets(tmp_path).exists()


def test_production_never_checks_by_itself(addresses: embedded.Urls) -> None:
    """What one person made waits for another."""
    show = "from django.conf import settings; print(settings.AUTO_CHECK, settings.DEBUG, settings.EMBEDDED)"
    result = run([sys.executable, "manage.py", "shell", "-v0", "-c", show], production(addresses))
    assert result.stdout.split() == ["False", "False", "False"], result.stderr


def test_compose_file_runs_what_exists() -> None:
    """Every service restarts, is watched, waits for the migration, and knows only its own passwords."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert sorted(services) == ["beat", "migrate", "postgres", "redis", "web", "worker"]
    assert all("healthcheck" in service for name, service in services.items() if name != "migrate")
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"] == {
            "condition": "service_completed_successfully"
        }
        environment = services[name]["environment"]
        assert environment["DJANGO_SETTINGS_MODULE"] == "config.settings.production"
        assert set(connections.VARIABLES.values()) <= set(environment)
        assert "OWNER_PASSWORD" not in str(environment)
    assert services["postgres"]["image"] == "postgres:18"
    assert "OWNER_PASSWORD" in services["migrate"]["environment"]["DATABASE_URL"]
