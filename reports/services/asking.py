"""What people ask for, in their words, as a question that builders understand; or why it is none."""

from __future__ import annotations

from config.kernel.models import Institution
from loans.values.errors import DomainError, bilingual
from reports.definitions import period
from reports.selectors.scheme_codes import scheme_codes
from reports.services.catalogue import BUILDERS, Asked

GROWS = "annual-demand"
LEAST_PPM, MOST_PPM = -1_000_000, 10_000_000  # nothing lent any more; eleven times as much


def read(
    *,
    code: str,
    period_code: str,
    institution_code: str,
    scheme_code: str | None,
    growth_ppm: int | None = None,
) -> Asked:
    """The question; DomainError names the one word that is wrong and what would be right."""
    if code not in BUILDERS:
        raise DomainError(
            "report_unknown",
            bilingual(
                f"没有这种报表：{code}，可选 {', '.join(BUILDERS)}",
                "unknown report, choose one of these",
            ),
        )
    _require_growth(code, growth_ppm)
    asked_period = period.parse(period_code)
    if asked_period is None:
        raise DomainError(
            "period_unreadable",
            bilingual(
                f"报告期 {period_code} 无法识别，写作 {period.FORMS}", "no period, write it so"
            ),
        )
    institution = Institution.objects.filter(code=institution_code).first()
    if institution is None:
        raise DomainError(
            "institution_unknown",
            bilingual(f"未登记的机构编码：{institution_code}", "unknown institution"),
        )
    if scheme_code and scheme_code not in scheme_codes():
        raise DomainError(
            "scheme_unknown", bilingual(f"未装载的贴息政策：{scheme_code}", "unknown scheme")
        )
    return Asked(
        period=asked_period,
        institution_id=institution.pk,
        institution_code=institution.code,
        institution_name=institution.name,
        scope=institution.scope,
        scheme_code=scheme_code or None,
        growth_ppm=growth_ppm,
    )


def _require_growth(code: str, growth_ppm: int | None) -> None:
    if growth_ppm is not None and code != GROWS:
        raise DomainError(
            "growth_elsewhere",
            bilingual(
                f"只有 {GROWS} 可以申报新增放款增长率", "no other report takes a stated growth"
            ),
        )
    if growth_ppm is not None and not LEAST_PPM <= growth_ppm <= MOST_PPM:
        raise DomainError(
            "growth_beyond",
            bilingual("增长率须在 -100% 与 1000% 之间", "state growth from -100 to 1000 percent"),
        )
