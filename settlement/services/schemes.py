"""Loading scheme files: a version, once loaded, is kept with its text and never changes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.db import transaction
from django.db.models import Max

from config.kernel.services import bulk, statements
from loans.services.labels import register_label
from loans.values.errors import DomainError, bilingual
from settlement.engine.errors import TermsError
from settlement.engine.terms import Terms, parse
from settlement.models import PaperRule, Scheme, SchemeVersion

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")  # as a notes file may name it
NAME_CHARACTERS = 200
VERSION_LOCK = 0x76657273  # one new version at a time
BOOKS_KEPT = 8
_IN_FORCE = """
SELECT DISTINCT ON (v.scheme_id) v.id, v.scheme_id, s.code, v.sha256
FROM settlement_schemeversion v JOIN settlement_scheme s ON s.id = v.scheme_id
WHERE v.checked_by IS NOT NULL ORDER BY v.scheme_id, v.version DESC
"""
SHIPPED = Path(__file__).resolve().parent.parent / "schemes"


@dataclass(frozen=True)
class Loaded:
    """What loading one file did."""

    code: str
    version: int
    is_new: bool
    is_checked: bool


@dataclass(frozen=True)
class Book:
    """The terms in force, in order of priority, and a key that changes when any of them does."""

    terms: tuple[Terms, ...]
    scheme_ids: dict[str, int]
    version_ids: dict[str, int]
    key: str


def holding_schemes(book: Book) -> set[int]:
    """The schemes whose rows wait for money (D19): the bank advances nothing for them."""
    return {book.scheme_ids[terms.code] for terms in book.terms if terms.shortfall == "hold"}


def scheme_files(paths: Sequence[Path]) -> list[Path]:
    """The files named, the TOML files of the folders named, or the shipped ones."""
    found: list[Path] = []
    for path in paths or [SHIPPED]:
        found += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return found


@transaction.atomic
def load_schemes(
    *, paths: Sequence[Path], actor: str, checker: str | None, at: datetime
) -> list[Loaded]:
    """Load scheme files, all or none; a text that is the latest already is left alone.

    `checker` is who checked the new versions (never the actor); without one they wait and are not
    used. Raises TermsError naming file, key and rule.
    """
    parsed = [_read(path) for path in scheme_files(paths)]
    _refuse_repeated(parsed)
    return [
        _store(text=text, terms=terms, actor=actor, checker=checker, at=at)
        for text, terms in parsed
    ]


@transaction.atomic
def propose_version(*, content: bytes, name: str, actor: str, at: datetime) -> int:
    """Store a new text of a known scheme, for another person to check; its key.

    Raises TermsError naming key and rule; DomainError `scheme_unknown` for a scheme that no command
    has loaded, `version_known` if it is what is in force or waits already.
    """
    text, terms = _readable(content, name)
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [VERSION_LOCK])
    scheme = Scheme.objects.filter(code=terms.code).first()
    if scheme is None:
        raise DomainError(
            "scheme_unknown",
            bilingual(
                f"没有政策 {terms.code}：新政策由管理员用命令装载",
                f"no scheme {terms.code}: a new one is loaded by command",
            ),
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    standing = SchemeVersion.objects.filter(scheme=scheme, refused_by__isnull=True)
    latest = standing.order_by("-version").first()
    if latest is not None and latest.sha256 == digest:
        raise DomainError(
            "version_known",
            bilingual(
                f"与版本 {latest.version} 内容相同，未重复登记",
                f"the same text as version {latest.version}: not entered again",
            ),
        )
    number = SchemeVersion.objects.filter(scheme=scheme).aggregate(last=Max("version"))["last"]
    made = SchemeVersion.objects.create(
        scheme=scheme,
        version=(number or 0) + 1,
        text=text,
        sha256=digest,
        made_by=actor,
        loaded_at=at,
    )
    return int(made.pk)


def _read(path: Path) -> tuple[str, Terms]:
    return _readable(path.read_bytes(), path.name)


def _readable(content: bytes, name: str) -> tuple[str, Terms]:
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        problem = f"{name}: 第 {error.start} 字节不是 UTF-8 / byte {error.start} is not UTF-8"
        raise TermsError([problem]) from error
    terms = parse(text, name=name)
    if not _CODE.fullmatch(terms.code):
        rule = "code: 须为 1–60 个字母、数字、点、连字符 / 1 to 60 letters, digits, dots, hyphens"
        raise TermsError([f"{name}: {rule}: {terms.code[:80]}"])
    if len(terms.name_zh) > NAME_CHARACTERS:
        rule = f"name_zh: 最多 {NAME_CHARACTERS} 字 / at most {NAME_CHARACTERS} characters"
        raise TermsError([f"{name}: {rule}"])
    return text, terms


def _refuse_repeated(parsed: Sequence[tuple[str, Terms]]) -> None:
    codes = [terms.code for _, terms in parsed]
    repeated = sorted({code for code in codes if codes.count(code) > 1})
    if repeated:
        rule = "code: 多个文件使用同一代码 / several files have this code"
        raise TermsError([f"{code}: {rule}" for code in repeated])


def _store(*, text: str, terms: Terms, actor: str, checker: str | None, at: datetime) -> Loaded:
    register_label(code=terms.code, name=terms.name_zh)
    scheme, _ = Scheme.objects.get_or_create(code=terms.code, defaults={"name": terms.name_zh})
    Scheme.objects.select_for_update().get(pk=scheme.pk)
    digest = hashlib.sha256(text.encode()).hexdigest()
    latest = SchemeVersion.objects.filter(scheme=scheme).order_by("-version").first()
    if latest is not None and latest.sha256 == digest and latest.refused_by is None:
        return Loaded(terms.code, latest.version, False, latest.checked_by is not None)
    version = SchemeVersion.objects.create(
        scheme=scheme,
        version=(latest.version if latest else 0) + 1,
        text=text,
        sha256=digest,
        made_by=actor,
        checked_by=checker,
        loaded_at=at,
    )
    PaperRule.objects.bulk_create(
        PaperRule(version=version, position=position, **asdict(rule))
        for position, rule in enumerate(terms.papers)
    )
    return Loaded(terms.code, version.version, True, checker is not None)


def terms_in_force() -> Book:
    """The latest checked version of every scheme."""
    return _book(tuple(statements.prepared(_IN_FORCE, [])))


@lru_cache(maxsize=BOOKS_KEPT)
def _book(versions: tuple[tuple[int, int, str, str], ...]) -> Book:
    """The terms of these versions: read once by each process, because a version's text never changes."""
    texts = SchemeVersion.objects.in_bulk([key for key, *_ in versions])
    terms = sorted(
        (parse(texts[key].text, name=code) for key, _, code, _ in versions),
        key=lambda t: (t.priority, t.code),
    )
    numbers = "-".join(str(key) for key in sorted(key for key, *_ in versions))
    return Book(
        terms=tuple(terms),
        scheme_ids={code: scheme for _, scheme, code, _ in versions},
        version_ids={code: key for key, _, code, _ in versions},
        key=hashlib.sha256(numbers.encode()).hexdigest()[:20],
    )


def tiers_in_force() -> dict[str, tuple[str, ...]]:
    """Scheme code → the tiers it pays, of every scheme in force."""
    return {terms.code: tuple(terms.tiers) for terms in terms_in_force().terms}
