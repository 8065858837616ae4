"""The texts of notices: templates as files of this folder's neighbour, filled in for many at once."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

from django.conf import settings

from settlement.engine.errors import TermsError
from settlement.engine.notice import Template, Told, parse_template, render
from settlement.engine.terms import Terms, parse
from settlement.models import SchemeVersion
from settlement.selectors.notices import NoticeFacts, notice_facts

SHIPPED = Path(__file__).resolve().parent.parent / "notices"
DEFAULT = ""


def load_templates(folder: Path) -> dict[str, Template]:
    """Scheme code → its texts, `DEFAULT` for every other. TermsError with all that is wrong with the files."""
    found: dict[str, Template] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            template = parse_template(path.read_text(encoding="utf-8"), name=path.name)
        except TermsError as error:
            problems += error.problems
            continue
        if template.scheme in found:
            problems.append(f"{path.name}: scheme: 重复 / told twice: {template.scheme!r}")
        found[template.scheme] = template
    if DEFAULT not in found and not problems:
        problems.append(f"{folder.name}: 缺少默认模板 / the text for other schemes is missing")
    if problems:
        raise TermsError(problems)
    return found


@cache
def _shipped() -> dict[str, Template]:
    return load_templates(SHIPPED)


def texts(*, notice_ids: Collection[int]) -> dict[int, str]:
    """What each of these notices says, by its number."""
    found = notice_facts(notice_ids=notice_ids)
    terms = _terms({one.version_id for one in found.values()})
    return {number: _text(facts, terms[facts.version_id]) for number, facts in found.items()}


def _terms(version_ids: Collection[int]) -> dict[int, Terms]:
    versions = SchemeVersion.objects.filter(pk__in=version_ids)
    return {version.pk: parse(version.text, name=str(version.pk)) for version in versions}


def _text(facts: NoticeFacts, terms: Terms) -> str:
    told = Told(
        bank=facts.bank,
        enterprise=facts.enterprise,
        note_number=facts.note_number,
        policy=terms.name_zh,
        document=terms.document,
        period=facts.period,
        interest_fen=facts.interest_fen,
        paid_fen=facts.paid_fen,
        net_fen=facts.net_fen,
        change=facts.change,
        before=facts.before,
        is_paid_out=facts.is_paid_out,
    )
    template = _shipped().get(terms.code) or _shipped()[DEFAULT]
    return render(template, told, hotline=settings.NOTICES_HOTLINE)
