"""Telling systems of provinces what happened, over the outbox: posted as JSON, or dropped as files (MF-21).

An event's rows go in parts of the size the system takes, each with a number of its own that stays the
same however often it is tried; the order is the outbox's, per institution.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from config.kernel.models import SCOPE_ALL, OutboxEvent
from config.kernel.services import posting
from config.kernel.services.files import whole
from config.kernel.services.outbox import Channel, NotSent, Sent
from config.kernel.services.sealed import unseal
from settlement.engine.wire import PUSHED, Definition, Mapped
from settlement.engine.wire_rows import Written, parts, theirs
from settlement.models import ProvinceSystem
from settlement.services.province_answers import is_ok
from settlement.services.province_definitions import definitions

KIND = "province"
OUT, IN, DONE = "out", "in", "done"
RECEIPT_BYTES = (
    1 << 20
)  # of what a system says of a part it was told, where the body says if it has it
TOLD_MAX = 2_000
ECHOED = "回传中含有本行密钥，未予接收；请更换密钥 / the answer holds our secret: not taken, change the secret"
CLOSED = "对接已停用 / the system was closed"
UNKNOWN = "本进程没有这份对接规格 / this process knows no such definition: "
NOT_TOLD = "已不在该系统的范围内 / no longer within what the system is told"


@dataclass(frozen=True)
class Spoken:
    """One request and what was said to it; `told` is what may be shown of it: our secret is not in it."""

    status: int
    body: bytes
    told: str
    holds_secret: bool


def receivers(events: Sequence[OutboxEvent]) -> Iterator[tuple[int, int]]:
    """Which systems are to have which events."""
    systems = list(ProvinceSystem.objects.filter(is_active=True).select_related("bound_to"))
    for system in systems:
        yield from ((event.pk, system.pk) for event in events if hears(system=system, event=event))


def hears(*, system: ProvinceSystem, event: OutboxEvent) -> bool:
    """Is it told of this: its kind, of its institutions and schemes, since it was connected?

    Where its definition is not known here, it is told of every kind that systems of provinces are told
    of: nothing is lost because a process was started without it.
    """
    definition = definitions().get(system.definition)
    lo, hi = SCOPE_ALL if system.bound_to is None else system.bound_to.scope
    return (
        event.topic in (PUSHED if definition is None else definition.push)
        and event.institution_id is not None
        and lo <= event.institution_id <= hi
        and (not system.scheme_codes or event.scheme_code in system.scheme_codes)
        and event.created_at >= system.since
    )


def _send(event: OutboxEvent, receiver_id: int, at: datetime) -> Sent:
    """Hand one event to a system, part by part; all of it again if a part fails."""
    system = ProvinceSystem.objects.select_related("bound_to").get(pk=receiver_id)
    if not system.is_active:
        raise NotSent(CLOSED, unwanted=True)
    if not hears(system=system, event=event):
        raise NotSent(NOT_TOLD, unwanted=True)
    definition = definitions().get(system.definition)
    if definition is None:
        raise NotSent(UNKNOWN + system.definition, unreachable=True)
    mapped = definition.push[event.topic]
    rows = [theirs(row, mapped=mapped, of=definition) for row in event.payload["rows"]]
    if definition.transport == "file":
        return _drop(system, definition, mapped, event, rows)
    sent = Sent()
    around = definition.envelope
    for first, some in parts(rows, most=definition.batch_rows):
        # Which rows it is, so that a number never comes to stand for others when batches change in size.
        number = f"{event.pk}-{first}-{first + len(some) - 1}"
        spoken = speak(
            system=system,
            definition=definition,
            endpoint=mapped.endpoint,
            told={around.number: number, around.rows: list(some)},
            at=at,
            most=RECEIPT_BYTES if around.ok_field else posting.ANSWER_BYTES,
        )
        sent = _accepted(definition, spoken)
    return sent


def speak(
    *,
    system: ProvinceSystem,
    definition: Definition,
    endpoint: str,
    told: Mapping[str, Any],
    at: datetime,
    most: int,
) -> Spoken:
    """Post JSON to one of a system's endpoints; NotSent if nobody answered."""
    secret = unseal(system.secret)
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "tiexi-connector/1",
        "Connection": "close",
        **_proved(definition, secret, body, at),
    }
    try:
        answer = posting.post(
            system.url.rstrip("/") + endpoint, headers=headers, body=body, most=most
        )
    except ValidationError as refused:
        raise NotSent(" ".join(refused.messages), unreachable=True) from refused
    except (posting.AddressRefused, posting.NoAnswer) as silence:
        raise NotSent(_masked(str(silence), secret), unreachable=True) from None
    said = answer.body.decode(errors="replace")
    shown = _masked(said, secret)
    return Spoken(answer.status, answer.body, shown[:TOLD_MAX], shown != said)


def _masked(text: str, secret: str) -> str:
    """A text without our secret, as it is or as JSON may write it."""
    written = json.dumps(secret)[1:-1]
    for form in {secret, written, written.replace("/", "\\/")} - {""}:
        text = text.replace(form, "***")
    return text


def _proved(definition: Definition, secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers by which the system knows us: the secret itself, or what only its holder can make."""
    by = definition.authentication
    proved = {by.header: by.prefix + secret} if by.header else {}
    if by.signature:
        moment = str(int(at.timestamp()))
        made = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256)
        proved |= {by.timestamp: moment, by.signature: made.hexdigest()}
    return proved


def _accepted(definition: Definition, spoken: Spoken) -> Sent:
    if not 200 <= spoken.status < 300:
        raise NotSent(f"HTTP {spoken.status}: {spoken.told}", status=spoken.status)
    around = definition.envelope
    if around.ok_field:
        try:
            told = json.loads(spoken.body)
        except ValueError:
            told = None
        if not isinstance(told, dict) or not is_ok(told, of=around):
            raise NotSent(f"对方未受理 / not accepted: {spoken.told}", status=spoken.status)
    return Sent(status=spoken.status, proof=spoken.told)


def folder(*, system: ProvinceSystem, name: str) -> Path:
    """Where files are exchanged with a system: `out`, `in`, `done`."""
    return Path(settings.PROVINCE_DIR).joinpath(system.code, name)


def _drop(
    system: ProvinceSystem,
    definition: Definition,
    mapped: Mapped,
    event: OutboxEvent,
    rows: Sequence[Mapping[str, Written]],
) -> Sent:
    """A file for each part, named so that names sort as events do; the same again if it is tried again."""
    day = event.created_at.astimezone(timezone.get_current_timezone())
    proofs = []
    for first, some in parts(rows, most=definition.batch_rows):
        rows_told = f"{first:03d}-{first + len(some) - 1:03d}"
        name = f"{event.pk:012d}-{rows_told}-{day:%Y%m%d}-{event.topic}.{definition.format}"
        content = _as_file(definition, mapped, some)
        try:
            _lay(folder(system=system, name=OUT).joinpath(name), content)
        except OSError as error:
            raise NotSent(f"{type(error).__name__} {error.errno}", unreachable=True) from error
        proofs.append(f"{name} sha256:{hashlib.sha256(content).hexdigest()}")
    return Sent(proof=" ".join(proofs))


def _lay(path: Path, content: bytes) -> None:
    """A file that is there whole, and still is after the power has failed."""
    with whole(path) as partial, partial.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    place = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _as_file(
    definition: Definition, mapped: Mapped, rows: Sequence[Mapping[str, Written]]
) -> bytes:
    if definition.format == "jsonl":
        lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        return "".join(f"{line}\n" for line in lines).encode()
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(mapped.fields.values()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def names(system_ids: Collection[int]) -> dict[int, str]:
    """What people call these systems."""
    return {one.pk: one.code for one in ProvinceSystem.objects.filter(pk__in=system_ids)}


CHANNEL = Channel(kind=KIND, receivers=receivers, send=_send, names=names)
