"""How a system outside wants to be spoken to: its definition, as data (MF-21, ST-20).

One TOML file per system: by what way it is reached, how it is authenticated to, and for each kind of
message what its fields are called there and how its dates, amounts and codes are written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from settlement.engine.errors import TermsError

DATE, MONTH, AMOUNT, RATE, NUMBER, TEXT = "date", "month", "amount", "rate", "number", "text"
NOTE, COLLECTION, SUBSIDY = "note.drawn", "interest.collected", "subsidy.paid"
REVIEWS, BANKS = "review-results", "participations"

_OF_NOTE = {"institution_code": TEXT, "note_number": TEXT, "scheme_code": TEXT}
_PERIOD = {"reference": TEXT, "period_start": DATE, "period_end": DATE}
PUSHED: Mapping[str, Mapping[str, str]] = {
    NOTE: {
        **_OF_NOTE, "contract_number": TEXT, "uscc": TEXT, "enterprise_name": TEXT, "drawn_on": DATE,
        "matures_on": DATE, "principal": AMOUNT, "equipment_amount": AMOUNT, "annual_rate": RATE,
        "change": TEXT,
    },
    COLLECTION: {
        **_OF_NOTE, **_PERIOD, "collected_on": DATE, "interest_due": AMOUNT, "interest_paid": AMOUNT,
    },
    SUBSIDY: {
        **_OF_NOTE, **_PERIOD, "sequence": NUMBER, "way": TEXT, "paid_on": DATE, "voucher": TEXT,
        "central": AMOUNT, "provincial": AMOUNT, "municipal": AMOUNT, "total": AMOUNT,
    },
}  # fmt: skip
"""What is told of each thing that happens, and of what type: amounts are yuan, rates percent."""

PULLED: Mapping[str, Mapping[str, str]] = {
    REVIEWS: {
        **_OF_NOTE, "month": MONTH, "result": TEXT, "amount": AMOUNT, "reason": TEXT,
        "document_number": TEXT,
    },
    BANKS: {
        "scheme_code": TEXT, "institution_code": TEXT, "valid_from": DATE, "valid_to": DATE,
    },
}  # fmt: skip
"""What is asked for, as the columns of the file of that kind."""

CODES: Mapping[str, tuple[str, ...]] = {
    "change": ("new", "corrected", "withdrawn"),
    "way": ("netted", "paid_out"),
    "result": ("approved", "rejected", "disallowed"),
}
"""Fields that hold one of a few codes; a definition that renames them must rename all."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    NOTE: ("institution_code", "scheme_code", "note_number", "principal", "change"),
    COLLECTION: ("institution_code", "scheme_code", "note_number", "reference", "interest_paid"),
    SUBSIDY: (
        "institution_code", "scheme_code", "note_number", "reference", "sequence", "way", "total",
    ),
    REVIEWS: ("scheme_code", "institution_code", "note_number", "month", "result", "document_number"),
    BANKS: ("scheme_code", "institution_code", "valid_from"),
}  # fmt: skip
"""Without which a message says nothing that could be told from another."""

DATES = {"%Y-%m-%d": r"\d{4}-\d{2}-\d{2}", "%Y%m%d": r"\d{8}", "%Y/%m/%d": r"\d{4}/\d{2}/\d{2}"}
MONTHS = {"%Y-%m": r"\d{4}-\d{2}", "%Y%m": r"\d{6}", "%Y/%m": r"\d{4}/\d{2}"}
AMOUNTS = ("yuan_text", "fen_text", "fen_number")
RATES = ("percent_text", "ppm_number")
TRANSPORTS = {"http": ("json",), "file": ("jsonl", "csv")}
ROWS_MAX = 500
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_ENDPOINT = re.compile(r"/[A-Za-z0-9._~/-]{0,199}")


@dataclass(frozen=True)
class Mapped:
    """One kind of message there: where it goes, and what its fields and codes are called."""

    kind: str
    types: Mapping[str, str]
    fields: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    endpoint: str = ""
    skips_others: bool = False


@dataclass(frozen=True)
class Envelope:
    """What stands around rows: the names of its members, and what says that all went well."""

    rows: str = "rows"
    number: str = "number"
    cursor: str = "cursor"
    limit: str = "limit"
    ok_field: str = ""
    ok_value: str = ""


@dataclass(frozen=True)
class Authentication:
    """Which headers carry the secret, and the signature made with it; empty: not sent."""

    header: str = ""
    prefix: str = ""
    signature: str = ""
    timestamp: str = ""


@dataclass(frozen=True)
class Definition:
    """How one system is spoken to. `push` by topic, `pull` by kind of file."""

    code: str
    name: str
    transport: str
    format: str
    batch_rows: int
    dates: str
    months: str
    amounts: str
    rates: str
    envelope: Envelope
    authentication: Authentication
    push: Mapping[str, Mapped]
    pull: Mapping[str, Mapped]


_PARTS = {"envelope": Envelope, "authentication": Authentication}
_CHOICES: Mapping[str, Collection[str]] = {
    "transport": tuple(TRANSPORTS), "dates": tuple(DATES), "months": tuple(MONTHS),
    "amounts": AMOUNTS, "rates": RATES,
}  # fmt: skip


def parse_definition(text: str, *, name: str) -> Definition:
    """What does this file say? TermsError with every problem; a key that is not known is one."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TermsError([f"{name}: 不是有效的 TOML / is not valid TOML: {error}"]) from error
    reader = _Reader()
    made = reader.definition(content)
    if reader.problems or made is None:
        raise TermsError([f"{name}: {problem}" for problem in reader.problems])
    return made


class _Reader:
    """Reads, and remembers what is wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def wrong(self, where: str, what: str) -> None:
        self.problems.append(f"{where}: {what}")

    def definition(self, content: dict[str, Any]) -> Definition | None:
        known = {"code", "name", "format", "batch_rows", "push", "pull", *_CHOICES, *_PARTS}
        self.only(content, known, "")
        told: dict[str, Any] = {
            key: self.choice(content, key, among) for key, among in _CHOICES.items()
        }
        formats = TRANSPORTS.get(told["transport"], ())
        told["format"] = self.choice(content, "format", formats) if formats else ""
        code, title = self.text(content, "code"), self.text(content, "name")
        if not _NAME.fullmatch(code):
            self.wrong("code", "须为小写字母、数字、连字符 / lower-case letters, digits, hyphens")
        rows = content.get("batch_rows")
        if type(rows) is not int or not 0 < rows <= ROWS_MAX:
            self.wrong("batch_rows", f"须为 1–{ROWS_MAX} / must be 1 to {ROWS_MAX}")
            rows = ROWS_MAX
        parts: dict[str, Any] = {
            key: self.part(content.get(key, {}), key, made) for key, made in _PARTS.items()
        }
        is_http = told["transport"] == "http"
        self.check_parts(parts["envelope"], parts["authentication"], is_http=is_http)
        push, pull = (
            self.messages(content.get(key, {}), key, among, is_http=is_http)
            for key, among in (("push", PUSHED), ("pull", PULLED))
        )
        if not push and not pull:
            self.wrong("push", "没有任何报文 / there is no message at all")
        if self.problems:
            return None
        return Definition(
            code=code, name=title, batch_rows=rows, push=push, pull=pull, **told, **parts
        )

    def only(self, content: Mapping[str, Any], known: Collection[str], where: str) -> None:
        for key in sorted(set(content) - set(known)):
            self.wrong(f"{where}{key}", "未知的键 / is not a known key")

    def text(self, content: Mapping[str, Any], key: str) -> str:
        value = content.get(key)
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, "须为文字 / must be text")
            return ""
        return value

    def choice(self, content: Mapping[str, Any], key: str, among: Collection[str]) -> str:
        value = content.get(key)
        if not isinstance(value, str) or value not in among:
            self.wrong(key, f"只能是 / must be one of: {', '.join(among)}")
            return ""
        return value

    def table(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.wrong(where, "须为表 / must be a table")
            return {}
        return value

    def part(self, value: Any, where: str, made: Any) -> Any:
        content = self.table(value, where)
        self.only(content, made.__dataclass_fields__, f"{where}.")
        texts = {key: one for key, one in content.items() if isinstance(one, str)}
        for key in sorted(set(content) - set(texts)):
            self.wrong(f"{where}.{key}", "须为文字 / must be text")
        return made(**{key: one for key, one in texts.items() if key in made.__dataclass_fields__})

    def check_parts(self, around: Envelope, by: Authentication, *, is_http: bool) -> None:
        named = [around.rows, around.number, around.cursor, around.limit]
        if not all(named) or around.rows in named[1:] or around.cursor == around.limit:
            self.wrong("envelope", "成员须有名称且不重名 / members need names of their own")
        if bool(around.ok_field) != bool(around.ok_value):
            self.wrong("envelope", "ok_field 与 ok_value 须同时填写 / need each other")
        headers = [one for one in (by.header, by.signature, by.timestamp) if one]
        if any(not _HEADER.fullmatch(one) for one in headers):
            self.wrong("authentication", "不是请求头名称 / is not the name of a header")
        if len({one.lower() for one in headers}) < len(headers):
            self.wrong("authentication", "请求头重名 / names a header twice")
        if bool(by.signature) != bool(by.timestamp):
            self.wrong("authentication", "signature 与 timestamp 须同时填写 / need each other")
        if is_http and not headers:
            self.wrong("authentication", "接口须有认证 / an interface needs authentication")
        if not by.prefix.isprintable() or not by.prefix.isascii():
            self.wrong("authentication.prefix", "只能是 ASCII / must be ASCII")

    def messages(
        self, value: Any, where: str, among: Mapping[str, Mapping[str, str]], *, is_http: bool
    ) -> dict[str, Mapped]:
        content = self.table(value, where)
        self.only(content, among, f"{where}.")
        return {
            kind: self.message(content[kind], kind, f"{where}.{kind}", types, is_http=is_http)
            for kind, types in among.items()
            if kind in content
        }

    def message(
        self, value: Any, kind: str, where: str, types: Mapping[str, str], *, is_http: bool
    ) -> Mapped:
        content = self.table(value, where)
        self.only(content, {"endpoint", "fields", "codes", "skips_others"}, f"{where}.")
        endpoint = content.get("endpoint", "")
        if is_http and not (isinstance(endpoint, str) and _ENDPOINT.fullmatch(endpoint)):
            self.wrong(f"{where}.endpoint", "须为以 / 开头的路径 / must be a path")
        skips = content.get("skips_others", False)
        if type(skips) is not bool or (skips and kind != BANKS):
            self.wrong(f"{where}.skips_others", "只用于合作银行名单 / for lists of banks only")
        fields = self.names(content.get("fields"), f"{where}.fields", types)
        for key in NEEDED[kind]:
            if key not in fields:
                self.wrong(f"{where}.fields.{key}", "缺少 / is missing")
        codes = self.table(content.get("codes", {}), f"{where}.codes")
        read = {
            key: self.code(one, key, f"{where}.codes.{key}", fields) for key, one in codes.items()
        }
        return Mapped(kind, types, fields, read, str(endpoint), skips_others=bool(skips))

    def names(self, value: Any, where: str, known: Mapping[str, str]) -> dict[str, str]:
        content = self.table(value, where)
        self.only(content, known, f"{where}.")
        named = {key: one for key, one in content.items() if isinstance(one, str) and one.strip()}
        for key in sorted(set(content) - set(named)):
            self.wrong(f"{where}.{key}", "须为文字 / must be text")
        if len(set(named.values())) < len(named):
            self.wrong(where, "对方字段重名 / names a field of theirs twice")
        return named

    def code(self, value: Any, key: str, where: str, fields: Mapping[str, str]) -> dict[str, str]:
        """Our codes → theirs; each of ours once where there are only a few."""
        content = self.table(value, where)
        told = {ours: theirs for ours, theirs in content.items() if isinstance(theirs, str)}
        if key not in fields:
            self.wrong(where, "没有这个字段 / no such field is told")
        if len(told) < len(content) or len(set(told.values())) < len(told) or not told:
            self.wrong(where, "代码须一一对应 / codes must be text, each once")
        if key in CODES and set(told) != set(CODES[key]):
            self.wrong(where, f"须写明 / must have exactly: {', '.join(CODES[key])}")
        return told
