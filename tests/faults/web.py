"""The web server of a book: gunicorn as in production, over real HTTP, to be killed at an exact point."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.faults.books import ROOT, Book, until

API = "/api/v1/"
# What stands between the application and the socket: an answer that is asked to wait is held back
# after its transaction has ended, with a file that says so.
PAUSED = """
from pathlib import Path
from time import sleep
from config.wsgi import application as whole

def application(environ, start_response):
    said = []
    body = b"".join(whole(environ, lambda *told: said.append(told)))
    pause = environ.get("HTTP_X_PAUSE")
    if pause:
        Path(pause).touch()
        sleep(600)
    start_response(*said[0])
    return [body]
"""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)


class Web:
    """One web server on a port of its own."""

    def __init__(self, book: Book, folder: Path, *, workers: int = 2, threads: int = 8) -> None:
        self.folder = folder
        folder.joinpath("paused_wsgi.py").write_text(PAUSED)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.log = folder / "web.log"
        command = [
            str(Path(sys.executable).parent / "gunicorn"), "paused_wsgi", f"--workers={workers}",
            f"--threads={threads}", f"--bind=127.0.0.1:{self.port}", "--no-control-socket",
        ]  # fmt: skip
        path = os.pathsep.join([str(folder), str(ROOT)])
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=book.environment(PYTHONPATH=path), stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        until(self._is_up)

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/health/live").status == 200
        return False

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.headers))
        finally:
            connection.close()

    def token(self, client_id: str, secret: str) -> str:
        """A token of a client."""
        told = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        media = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.ask("POST", f"{API}oauth/token/", urlencode(told).encode(), media)
        assert answer.status == 200, answer.body
        return str(answer.json()["access_token"])

    def post(self, path: str, body: Any, *, token: str, key: str = "", **headers: str) -> Answer:
        """Post a value as JSON."""
        told = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
        if key:
            told["Idempotency-Key"] = key
        return self.ask("POST", f"{API}{path}", json.dumps(body).encode(), told)

    def kill(self) -> None:
        """Kill it with everything it started, as the power going out does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(book: Book, folder: Path, **options: int) -> Iterator[Web]:
    """A web server for a while."""
    web = Web(book, folder, **options)
    try:
        yield web
    finally:
        web.kill()


def at_once(web: Web, posts: Sequence[tuple[str, Any, str]], *, token: str) -> list[Answer]:
    """All posts (path, body, key) begin together; the answers in their order."""
    barrier = threading.Barrier(len(posts))

    def one(post: tuple[str, Any, str]) -> Answer:
        path, body, key = post
        barrier.wait()
        return web.post(path, body, token=token, key=key)

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(one, posts))
