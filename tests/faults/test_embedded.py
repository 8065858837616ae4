"""The embedded servers survive odd folders, stampedes, kills and left-overs; nothing is mocked."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded

ROOT = Path(__file__).resolve().parents[2]
USER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from config import embedded
try:
    embedded.hold(Path(sys.argv[1]))
except embedded.EmbeddedError as error:
    sys.exit(str(error))
print("ready", flush=True)
sys.stdin.read()
"""
# Root of a user namespace that may not make further ones, as in most containers.
WITHOUT_NAMESPACES = """
import ctypes, os, sys
go, told = os.pipe()
parent = os.getpid()
mapper = os.fork()
if mapper == 0:
    os.read(go, 1)
    for name in ("uid_map", "gid_map"):
        open(f"/proc/{parent}/{name}", "w").write("0 0 65535")
    os._exit(0)
if ctypes.CDLL(None).unshare(0x10000000) == 0:
    os.write(told, b"x")
    os.waitpid(mapper, 0)
    open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.argv[1], sys.argv[1:])
"""
Popen = subprocess.Popen[str]
Start = Callable[..., Popen]

SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/bin")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that holds the servers of a folder; it lives until its stdin is closed."""
    processes: list[Popen] = []

    def start_user(
        folder: Path, *, prefix: tuple[str, ...] = (), python: str = sys.executable, **env: str
    ) -> Popen:
        paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
        process = subprocess.Popen(
            [*prefix, python, "-c", USER, str(folder), *paths],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **env}, cwd="/",
        )  # fmt: skip
        processes.append(process)
        return process

    yield start_user
    for process in processes:
        process.kill()
        process.communicate()


def ready(process: Popen) -> Popen:
    """Wait until the process holds the servers."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.communicate()[1]
    return process


def leave(process: Popen) -> None:
    """Let the process end by itself."""
    process.communicate()
    assert process.returncode == 0


def sql(folder: Path, statement: str, role: str = "owner") -> list[tuple[object, ...]]:
    """Run one statement in the folder's database."""
    with psycopg.connect(getattr(embedded.urls(folder), role), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(folder: Path) -> int:
    """Return the process id of PostgreSQL."""
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


def supervisor(folder: Path) -> int:
    """Return the process id of the supervisor: PostgreSQL's parent."""
    status = Path(f"/proc/{postmaster(folder)}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def running(folder: Path) -> bool:
    """Say whether the supervisor or any process of the servers is alive."""
    return any(embedded._is_locked(folder / f"{name}.lock") for name in ("servers", "supervisor"))


def wait_stopped(folder: Path) -> None:
    """Wait until all is down and the socket folder is gone."""
    deadline = time.monotonic() + 20
    while running(folder) or embedded.sockets(folder).exists():
        assert time.monotonic() < deadline, "the servers did not stop"
        time.sleep(0.05)


def check_works(folder: Path) -> None:
    """Use both servers."""
    assert sql(
        folder, "SELECT current_user::text, rolsuper FROM pg_roles WHERE rolname = current_user"
    ) == [("owner", False)]
    assert sql(folder, "SELECT current_user::text", "worker") == [("worker",)]
    with redis.Redis.from_url(embedded.urls(folder).redis) as client:
        assert client.incr("n") >= 1


@pytest.mark.parametrize(
    "name", ["with space", "贴息 数据", "x" * 120 + "/" + "长" * 40 + "/" + "y" * 120, "a'b$c;d%e"],
    ids=["space", "chinese", "long", "punctuation"],
)  # fmt: skip
def test_any_folder_will_do(tmp_path: Path, start: Start, name: str) -> None:
    """The data folder's name never reaches a socket path or a shell."""
    folder = tmp_path / name
    process = ready(start(folder))
    check_works(folder)
    leave(process)
    wait_stopped(folder)


def test_unknown_locale_in_the_environment_does_not_matter(tmp_path: Path, start: Start) -> None:
    """The cluster's collation is its own, whatever this machine has generated."""
    process = ready(start(tmp_path, LANG="xx_YY.UTF-8", LC_ALL="xx_YY.UTF-8", LC_CTYPE="zz_ZZ"))
    assert sql(
        tmp_path,
        "SELECT datlocprovider::text, datlocale, pg_encoding_to_char(encoding) FROM pg_database"
        " WHERE datname = current_database()",
    ) == [("b", "C.UTF-8", "UTF8")]
    assert sql(tmp_path, "SELECT upper('é借据'), current_setting('data_checksums')") == [
        ("É借据", "on")
    ]
    leave(process)
    wait_stopped(tmp_path)


def test_eight_cold_starts_at_once(tmp_path: Path, start: Start) -> None:
    """One of them starts the servers, all of them get to use them."""
    processes = [start(tmp_path) for _ in range(8)]
    for process in processes:
        ready(process)
    check_works(tmp_path)
    log = (tmp_path / "log" / "postgres.log").read_text()
    assert log.count("starting PostgreSQL") == 1
    for process in processes[:7]:
        leave(process)
    time.sleep(3 * embedded.POLL_SECONDS)
    check_works(tmp_path)
    leave(processes[7])
    wait_stopped(tmp_path)


def test_eight_starts_while_the_servers_are_stopping(tmp_path: Path, start: Start) -> None:
    """Who comes while the last one leaves waits for the end and starts anew."""
    for _ in range(3):
        leave(ready(start(tmp_path)))
        for process in [start(tmp_path) for _ in range(4)]:
            ready(process)
            check_works(tmp_path)
            process.kill()
    wait_stopped(tmp_path)


def test_two_folders_side_by_side(tmp_path: Path, start: Start) -> None:
    """Neither sees the other's data nor stops with it."""
    one, two = tmp_path / "one", tmp_path / "two"
    first, second = ready(start(one)), ready(start(two))
    sql(one, "CREATE TABLE only_here ()")
    assert sql(two, "SELECT to_regclass('only_here')") == [(None,)]
    leave(first)
    wait_stopped(one)
    check_works(two)
    leave(second)
    wait_stopped(two)


def test_a_killed_user_leaves_nothing_running(tmp_path: Path, start: Start) -> None:
    """The kernel gives the lock back, so nobody has to clean up."""
    process = ready(start(tmp_path))
    process.send_signal(signal.SIGKILL)
    wait_stopped(tmp_path)


def test_a_user_killed_while_the_cluster_is_made(tmp_path: Path, start: Start) -> None:
    """Half a cluster is never taken for a whole one."""
    for seconds in (0.15, 0.3, 0.45, 0.6):
        process = start(tmp_path)
        time.sleep(seconds)
        process.kill()
    process = ready(start(tmp_path))
    check_works(tmp_path)
    leave(process)
    wait_stopped(tmp_path)


@pytest.mark.parametrize("victim", [supervisor, postmaster], ids=["supervisor", "postgres"])
def test_killed_servers_come_back_with_all_that_was_committed(
    tmp_path: Path, start: Start, victim: Callable[[Path], int]
) -> None:
    """The next one to come finds working servers; the first user's lock never gets in the way."""
    first = ready(start(tmp_path))
    sql(tmp_path, "CREATE TABLE kept (n int)")
    for n in range(2):
        sql(tmp_path, f"INSERT INTO kept VALUES ({n})")
        os.kill(victim(tmp_path), signal.SIGKILL)
        second = ready(start(tmp_path))
        assert sql(tmp_path, "SELECT n FROM kept ORDER BY n") == [(i,) for i in range(n + 1)]
        check_works(tmp_path)
        leave(second)
    leave(first)
    wait_stopped(tmp_path)


def test_servers_end_with_a_killed_supervisor(tmp_path: Path, start: Start) -> None:
    """Parent-death signals: no orphan keeps the folder."""
    first = ready(start(tmp_path))
    os.kill(supervisor(tmp_path), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while running(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    leave(first)
    leave(ready(start(tmp_path)))
    wait_stopped(tmp_path)


def test_left_over_files_naming_a_living_process(tmp_path: Path, start: Start) -> None:
    """A recycled process id: PostgreSQL alone would refuse to start for ever."""
    first = ready(start(tmp_path))
    lines = (tmp_path / "postgres" / "postmaster.pid").read_text().splitlines()
    leave(first)
    wait_stopped(tmp_path)
    stale = "\n".join([str(os.getpid()), *lines[1:]]) + "\n"
    (tmp_path / "postgres" / "postmaster.pid").write_text(stale)
    embedded.sockets(tmp_path).mkdir(mode=0o700)
    (embedded.sockets(tmp_path) / ".s.PGSQL.5432.lock").write_text(stale)
    (embedded.sockets(tmp_path) / ".s.PGSQL.5432").touch()
    second = ready(start(tmp_path))
    check_works(tmp_path)
    leave(second)
    wait_stopped(tmp_path)


def test_removing_the_folder_stops_its_servers(tmp_path: Path, start: Start) -> None:
    """`make clean` while a demo runs: the old servers go, new ones start in a new folder."""
    folder = tmp_path / "data"
    first = ready(start(folder))
    old = postmaster(folder)
    while folder.exists():  # the servers, noticing, remove files too
        shutil.rmtree(folder, ignore_errors=True)
    second = ready(start(folder))
    check_works(folder)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{old}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    check_works(folder)
    leave(first)
    check_works(folder)
    leave(second)
    wait_stopped(folder)


def test_servers_that_cannot_start_say_why(tmp_path: Path, start: Start) -> None:
    """The message ends with what PostgreSQL itself wrote."""
    (tmp_path / "postgres").mkdir(mode=0o700)
    process = start(tmp_path)
    _, error = process.communicate()
    assert process.returncode == 1
    assert "内置数据库无法启动" in error
    assert "postgresql.conf" in error
    wait_stopped(tmp_path)


@needs_root
@pytest.mark.skipif(
    not (shutil.which("setpriv") and SYSTEM_PYTHON),
    reason="needs setpriv and a Python that nobody may run",
)
def test_without_root(start: Start) -> None:
    """Anybody may start servers; PostgreSQL then runs as who started it."""
    folder = Path("/var/tmp") / f"tiexi-nobody-{os.getpid()}"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    try:
        become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
        process = ready(start(folder, prefix=become, python=str(SYSTEM_PYTHON)))
        status = Path(f"/proc/{postmaster(folder)}/status").read_text()
        assert status.split("Uid:")[1].split()[:3] == ["65534"] * 3
        leave(process)
        deadline = time.monotonic() + 20
        while running(folder):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        shutil.rmtree(folder)


@needs_root
def test_as_root_files_stay_roots(tmp_path: Path, start: Start) -> None:
    """PostgreSQL refuses to be root: it lives in a user namespace, or as nobody where that fails."""
    process = ready(start(tmp_path))
    assert (tmp_path / "postgres").stat().st_uid in {0, embedded.NOBODY}
    assert tmp_path.stat().st_mode & 0o777 == 0o700  # nothing above was opened to others
    leave(process)
    wait_stopped(tmp_path)


@needs_root
def test_as_root_without_user_namespaces(tmp_path: Path, start: Start) -> None:
    """PostgreSQL becomes nobody, behind closed parent folders too, and stays so."""
    prefix = (sys.executable, "-c", WITHOUT_NAMESPACES)
    process = ready(start(tmp_path, prefix=prefix))
    status = Path(f"/proc/{postmaster(tmp_path)}/status").read_text()
    assert status.split("Uid:")[1].split()[:3] == ["65534"] * 3
    check_works(tmp_path)
    os.kill(supervisor(tmp_path), signal.SIGKILL)
    second = ready(start(tmp_path))
    check_works(tmp_path)
    leave(second)
    leave(process)
    wait_stopped(tmp_path)
    assert (tmp_path / "postgres").stat().st_uid == embedded.NOBODY
    assert tmp_path.stat().st_mode & 0o777 == 0o700  # nothing above was opened to others
