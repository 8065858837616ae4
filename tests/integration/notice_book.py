"""What tests of notices share: a book whose notices are sent, and gateways that are really there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from settlement.models import Notice, NoticeDelivery, NoticeRecord
from settlement.services.notice_sending import send_waiting
from tests.integration.book import AT
from tests.integration.small_book import FIRST, NORTH, SmallBook

KEY = "a secret of sixteen or more"


def opened(settings: Any, folder: Path, *, channels: dict[str, str] | None = None) -> None:
    """Notices of every bank and scheme are sent, by file unless said otherwise."""
    settings.NOTICES_FOR = (("*", "*"),)
    settings.NOTICES_GATEWAYS = channels or {"sms": "file"}
    settings.NOTICES_KEY = KEY
    settings.NOTICES_HOTLINE = "95588"
    settings.NOTICES_DIR = folder / "notices"


def reach(book: SmallBook, uscc: str = FIRST, *, at: str = NORTH, **changes: str) -> None:
    """Enter where an enterprise is told, or its correction."""
    row = {
        "institution_code": at, "uscc": uscc, "channel": "sms", "address": "13800001234",
        "name": "张三", "in_use": "",
    }  # fmt: skip
    book.enter("enterprise-contacts", {**row, **changes})


def send(at: datetime = AT) -> dict[str, int]:
    """One round of sending at that moment."""
    return send_waiting(actor="system", clock=lambda: at)


def lines(folder: Path, channel: str = "sms") -> list[dict[str, str]]:
    """What the file gateway has written."""
    found = sorted((folder / "notices").glob(f"{channel}-*.jsonl"))
    return [json.loads(line) for path in found for line in path.read_text().splitlines()]


def notices() -> list[tuple[str, int, bool, tuple[int, ...] | None]]:
    """Every notice: its collection, sequence, whether it corrects, and what was granted before, in yuan."""
    return [
        (
            one.deduction.collection.reference,
            one.deduction.sequence,
            one.is_correction,
            None if one.before_municipal_fen is None else (
                one.before_central_fen, one.before_provincial_fen, one.before_municipal_fen // 100,
            ),
        )
        for one in Notice.objects.select_related("deduction__collection").order_by(
            "deduction__run_id", "deduction__collected_on", "deduction__collection__reference",
            "deduction__sequence",
        )
    ]  # fmt: skip


def states() -> list[str]:
    """How far each delivery has come, in the order of their notices."""
    return list(NoticeDelivery.objects.order_by("notice_id").values_list("state", flat=True))


def records() -> list[tuple[str, str, str]]:
    """What each attempt came to: outcome, reference, what was said of it."""
    return list(NoticeRecord.objects.order_by("pk").values_list("outcome", "reference", "detail"))


class Server:
    """A gateway over HTTP that keeps what it was sent, and answers as told."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.headers: dict[str, str] = {}
        self.address = ""

    def references(self) -> list[str]:
        """Under which references texts came in."""
        return [json.loads(body)["reference"] for _, body in self.seen]


def accepted(number: str = "M-1", status: str = "accepted") -> tuple[int, bytes]:
    """A gateway's good answer."""
    return 200, json.dumps({"message_id": number, "status": status}).encode()


@contextmanager
def http_gateway() -> Iterator[Server]:
    """Listen on a port of this machine until the end of the block."""
    known = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.seen.append((dict(self.headers), body))
            code, content = known.answers.pop(0) if known.answers else accepted()
            self.send_response(code)
            for name, value in known.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.address = f"http://127.0.0.1:{server.server_address[1]}/send"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
