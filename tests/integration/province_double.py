"""A province's subsidy system that speaks HTTP on this machine: it knows its caller and its field names."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "a-token-the-province-gave"
NAMES = {
    "/api/loan/notes": {
        "bankCode", "policyCode", "noteNo", "contractNo", "creditCode", "enterpriseName", "loanDate",
        "dueDate", "loanAmount", "equipmentAmount", "rate", "opType",
    },
    "/api/loan/interests": {
        "bankCode", "policyCode", "noteNo", "serialNo", "startDate", "endDate", "collectDate",
        "interestDue", "interestPaid",
    },
    "/api/loan/subsidies": {
        "bankCode", "policyCode", "noteNo", "serialNo", "seq", "payWay", "payDate", "voucherNo",
        "centralAmount", "provinceAmount", "cityAmount", "totalAmount",
    },
}  # fmt: skip


@dataclass
class Province:
    """What it was told, in order, each batch once; what it answers to questions, by address and cursor."""

    origin: str = ""
    told: list[tuple[str, str, list[dict[str, Any]]]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    pages: dict[tuple[str, str], bytes] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    posts: int = 0

    def has(self, path: str, cursor: str, rows: list[dict[str, Any]], then: str) -> None:
        """It answers this to that question."""
        told = {"code": "0", "data": rows, "cursor": then}
        self.pages[path, cursor] = json.dumps(told, ensure_ascii=False).encode()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """One request, looked at as a stranger would."""
        self.posts += 1
        made = hmac.new(
            TOKEN.encode(), f"{headers.get('X-Timestamp')}.".encode() + body, hashlib.sha256
        )
        if (headers.get("X-App-Token"), headers.get("X-Signature")) != (TOKEN, made.hexdigest()):
            self.wrong.append(f"{path}: who is it?")
            return 401, b'{"code":"401"}'
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return status, b'{"code":"9"}'
        told = json.loads(body)
        if path not in NAMES:
            self.asked.append((path, told["cursor"]))
            nothing = json.dumps({"code": "0", "data": [], "cursor": told["cursor"]}).encode()
            return 200, self.pages.get((path, told["cursor"]), nothing)
        if any(set(row) != NAMES[path] for row in told["data"]) or set(told) != {"batchNo", "data"}:
            self.wrong.append(f"{path}: unknown fields")
            return 400, b'{"code":"400"}'
        if told["batchNo"] not in [number for _, number, _ in self.told]:
            self.told.append((path, told["batchNo"], told["data"]))
        return 200, b'{"code":"0","msg":"ok"}'


@contextmanager
def province() -> Iterator[Province]:
    """One on a free port of 127.0.0.1."""
    made = Province()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, said = made.take(self.path, dict(self.headers.items()), body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
