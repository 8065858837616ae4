"""What carries a notice to an enterprise: an HTTP gateway for text messages and apps, e-mail, or a file.

`send` gives proof that the notice was taken, or raises `Refused` (for good) or `Unreached` (try again).
Whoever takes the same reference twice is to carry it once: a sender may be killed before it notes the first.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Protocol
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.message import BadHeaderError

TIMEOUT_SECONDS = (3, 10)  # to connect, and between two bytes of the answer
LONGEST_SECONDS = 30  # a sender keeps at least this much of its hold before it starts a sending
ANSWER_BYTES = 64 << 10
AGAIN = {408, 425, 429}  # of what is below 500, answers that ask for another try
SENT, DELIVERED = "sent", "delivered"
NO_MAIL = "未配置邮件服务器 / no mail server is configured"
SUBJECT = "财政贴息告知"
DETAIL_CHARACTERS = 500
ID_CHARACTERS = 200


@dataclass(frozen=True)
class Proof:
    """That a gateway has taken a notice: its own number of it, and whether it has reached the enterprise."""

    message_id: str
    status: str = SENT
    detail: str = ""


class Refused(Exception):
    """The gateway will not carry this notice, however often it is tried."""


class Unreached(Exception):
    """Nobody knows whether the gateway has it: to be tried again with the same reference."""


class Gateway(Protocol):
    """Carries texts on one channel."""

    @property
    def name(self) -> str:
        """What records call it; no secret in it."""

    def send(self, *, to: str, text: str, reference: str, at: datetime) -> Proof:
        """Hand over a text; `reference` tells one notice from another."""


@dataclass(frozen=True)
class HttpGateway:
    """Posts JSON, signed: `X-Signature: sha256=` HMAC-SHA256 of `timestamp.body` in hex.

    Answers are `{"message_id": …, "status": "accepted" | "delivered" | "rejected", "reason": …}`.
    """

    address: str
    channel: str
    key: str

    @property
    def name(self) -> str:
        """Host alone: the address may say more than others need."""
        return urlsplit(self.address).hostname or ""

    def send(self, *, to: str, text: str, reference: str, at: datetime) -> Proof:
        """Post it; a redirect is refused, as the text is for the configured address alone."""
        told = {"reference": reference, "channel": self.channel, "to": to, "text": text}
        body = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
        moment = str(int(at.timestamp()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": reference,
            "X-Timestamp": moment,
            "X-Signature": f"sha256={self.signature(moment, body)}",
        }
        try:
            with requests.post(
                self.address, data=body, headers=headers, timeout=TIMEOUT_SECONDS,
                allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                content = answer.raw.read(ANSWER_BYTES, decode_content=True)
                return self._proof(answer.status_code, content)
        except (requests.RequestException, OSError) as error:
            raise Unreached(type(error).__name__) from error

    def signature(self, moment: str, body: bytes) -> str:
        """What only holders of the key can make of a moment and a body."""
        return hmac.new(
            self.key.encode(), moment.encode() + b"." + body, hashlib.sha256
        ).hexdigest()

    @staticmethod
    def _proof(code: int, content: bytes) -> Proof:
        if code >= 500 or code in AGAIN:
            raise Unreached(f"HTTP {code}")
        try:
            told = json.loads(content)
        except ValueError:
            told = None
        said = told if isinstance(told, dict) else {}
        reason = str(said.get("reason") or f"HTTP {code}")[:DETAIL_CHARACTERS]
        if not 200 <= code < 300 or said.get("status") == "rejected":
            raise Refused(reason)
        if said.get("status") not in ("accepted", "delivered") or not said.get("message_id"):
            raise Unreached("应答无法识别 / the answer says nothing")
        status = DELIVERED if said["status"] == "delivered" else SENT
        return Proof(str(said["message_id"])[:ID_CHARACTERS], status)


@dataclass(frozen=True)
class MailGateway:
    """Django's e-mail; the message's own number is made from the reference, so that mailboxes see one."""

    name: str = "email"

    def send(self, *, to: str, text: str, reference: str, at: datetime) -> Proof:
        """Hand it to the mail server; a log is none."""
        if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
            raise Refused(NO_MAIL)
        domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
        message_id = f"<{reference}@{domain}>"
        letter = EmailMessage(
            SUBJECT, text, to=[to], headers={"Message-ID": message_id, "Date": format_datetime(at)}
        )
        try:
            letter.send()
        except (SMTPRecipientsRefused, BadHeaderError) as error:
            raise Refused(type(error).__name__) from error
        except SMTPResponseException as error:
            kind: type[Exception] = Refused if error.smtp_code >= 550 else Unreached
            raise kind(f"SMTP {error.smtp_code}") from error
        except OSError as error:  # also what the mail library raises of its own
            raise Unreached(type(error).__name__) from error
        return Proof(message_id)


@dataclass(frozen=True)
class FileGateway:
    """Appends a line of JSON to the day's file, for whatever sends from there; whole lines, each once on disk."""

    folder: Path
    channel: str
    name: str = "file"

    def send(self, *, to: str, text: str, reference: str, at: datetime) -> Proof:
        """Add the line; its number is the file's name and where in it the line begins."""
        told = {"reference": reference, "to": to, "text": text, "at": at.isoformat()}
        line = json.dumps(told, ensure_ascii=False).encode() + b"\n"
        path = self.folder / f"{self.channel}-{at:%Y-%m-%d}.jsonl"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return Proof(f"{path.name}:{_append(path, line)}")
        except OSError as error:
            raise Unreached(f"{type(error).__name__} {error.errno}") from error


def _append(path: Path, line: bytes) -> int:
    """Add a line under the file's lock; half a line that a full disk left is taken off again. Where it begins."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        start = os.lseek(handle, 0, os.SEEK_END)
        try:
            written = os.write(handle, line)
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, start)
            raise
        if written < len(line):
            os.ftruncate(handle, start)
            message = "half a line"
            raise OSError(message)
        return start
    finally:
        os.close(handle)


def gateways() -> dict[str, Gateway]:
    """The gateway of each channel that has one, in the order in which channels are preferred."""
    return {channel: _gateway(channel, how) for channel, how in settings.NOTICES_GATEWAYS.items()}


def _gateway(channel: str, how: str) -> Gateway:
    if how == "file":
        return FileGateway(Path(settings.NOTICES_DIR), channel)
    if how == "email":
        return MailGateway()
    return HttpGateway(how, channel, settings.NOTICES_KEY)
