"""Why a label was refused: the rule and its article, what it demands, what there is, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Section, texts
from loans.admin.base import percent, scheme_name, yuan
from loans.admin.words import in_words
from settlement.admin import wording
from settlement.admin.sources import Notes
from settlement.engine.codes import FIRST_DAY, LAST_DAY
from settlement.services.explained import LabelWorking, Records, Refusal

LISTED = 6  # longer lists are folded
FIXES: dict[str, Any] = {
    "institution_not_participating": _("核对合作银行名单；确已合作的，请管理员补录合作起始日"),
    "drawn_outside_window": _("放款日期录错的更正借据；确在期间外的不能享受，去掉标签"),
    "signed_outside_window": _("合同签订日期录错的更正合同；确在期间外的不能享受，去掉标签"),
    "region": _("核对企业登记地；确不在支持地区的，去掉标签"),
    "industry_or_title": _("核对工商登记行业代码；有专精特新称号的，请管理员补录称号及有效期"),
    "not_private": _("核对所有制；确非民营的，去掉标签"),
    "not_small_or_medium": _(
        "核对放款时的企业规模；以放款日前有效的划型为准，补录带生效日期的信息"
    ),
    "loan_type": _("核对合同的贷款类型，录错的更正合同"),
    "purpose_field": _("核对实际投向，按清单中的名称更正合同的投向领域；不在清单内的去掉标签"),
    "no_equipment_amount": _("凭设备发票补录借据的设备购置金额"),
    "dishonest": _("核对放款日的失信记录；已移出的，请管理员补录带生效日期的信息"),
    "environment_rating": _("核对放款日的环保信用评价；已修复的以放款日有效的评价为准"),
    "tax_rating": _("核对放款日的纳税信用等级；录错的请管理员更正"),
    "overdue": _("核对逾期起止日；以放款当日为准，事后结清不能补享"),
    "rate_above_ceiling": _("核对借据利率；降低后续借据的利率，本笔放款时超限的不能享受"),
    "exclusive_group": _("两项只能享受一项：要改享本政策，先去掉另一项的标签"),
    "one_bank_per_enterprise": _("由先办理的银行享受；与企业和另一家银行核实先后"),
    "fund_exhausted": _("等待年度资金增加；增加后重新认定即可享受"),
    "lpr_missing": _("导入放款日及以前的 LPR 后重新认定"),
}
Say = Callable[[Records], Any]


def in_words_of(label: LabelWorking, notes: Notes) -> SafeString:
    """All refusals of a label, one block each."""
    return format_html_join("", "{}", ((_block(one, notes),) for one in label.refusals))


def as_table(reasons: Iterable[str], label: LabelWorking | None, notes: Notes) -> Section:
    """The reasons a label was refused for, one line each; what cannot be shown now has its remedy."""
    told = {one.reason: (*_told(one), notes.tag(one.sources)) for one in _refusals(label)}
    return Section(
        title=_("不符合的规则"),
        columns=texts(_("规则"), _("要求"), _("实际"), _("怎么办"), _("依据")),
        rows=[
            (wording.REASONS[one], *told.get(one, (None, None, FIXES[one], None)))
            for one in reasons
        ],
        empty=_("没有不符合的规则"),
    )


def _refusals(label: LabelWorking | None) -> Sequence[Refusal]:
    return () if label is None else label.refusals


def _told(refusal: Refusal) -> tuple[Any, Any, Any]:
    """What the rule demands, what there is, what to do."""
    wanted, found = SAYS.get(refusal.reason, (_listed, _listed))
    return wanted(refusal.wanted), found(refusal.found), FIXES[refusal.reason]


def _block(refusal: Refusal, notes: Notes) -> SafeString:
    titles = (_("要求"), _("实际"), _("怎么办"))
    lines = list(zip(titles, _told(refusal), strict=True))
    return format_html(
        '<div class="life-refusal"><strong>{}</strong> {}<dl>{}</dl></div>',
        wording.REASONS[refusal.reason],
        notes.tag(refusal.sources),
        format_html_join(
            "", "<div><dt>{}</dt><dd>{}</dd></div>", (line for line in lines if line[1])
        ),
    )


def _listed(rows: Records) -> Any:
    """Every value allowed or found; a long list is folded."""
    names = [in_words(row[0]) for row in rows]
    text = gettext("、").join(names)
    if len(names) <= LISTED:
        return text
    count = gettext("清单内的 %(count)d 项之一") % {"count": len(names)}
    return format_html("<details><summary>{}</summary>{}</details>", count, text)


def _first(rows: Records, place: int = 0) -> Any:
    return rows[0][place] if rows and len(rows[0]) > place else None


def _day(value: Any) -> str:
    is_open = value is None or value in (FIRST_DAY, LAST_DAY)
    return gettext("不限") if is_open else str(value)


def _period(rows: Records) -> str:
    return gettext("%(start)s 起，%(end)s 前") % {
        "start": _day(_first(rows)),
        "end": _day(_first(rows, 1)),
    }


def _covering(rows: Records) -> str:
    told = gettext("放款日在机构或其上级的合作期内")
    known = gettext("；").join(f"{code} {_day(start)} ~ {_day(end)}" for code, start, end in rows)
    return f"{told}（{known}）" if known else told


def _trades(rows: Records) -> str:
    industry, titles = rows
    parts = []
    if industry:
        section, first, last = industry
        ends = {"first": f"{section}{first}", "last": f"{section}{last}"}
        parts.append(gettext("行业 %(first)s 至 %(last)s") % ends)
    if titles:
        held = gettext("、").join(in_words(title) for title in titles)
        parts.append(gettext("放款日有效的称号 %(titles)s") % {"titles": held})
    return gettext("，或").join(parts)


def _trade(rows: Records) -> str:
    held = gettext("；").join(
        f"{in_words(title)} {start} ~ {end}" for title, start, end in rows[1:]
    )
    return gettext("行业 %(code)s，称号：%(titles)s") % {
        "code": _first(rows),
        "titles": held or gettext("无"),
    }


def _overdue(rows: Records) -> str:
    if not rows:
        return gettext("在其他机构有逾期，不在您的机构范围内")
    return gettext("；").join(
        gettext("%(note)s 逾期 %(start)s ~ %(end)s")
        % {
            "note": number or gettext("其他机构的借据"),
            "start": _day(start),
            "end": gettext("仍逾期") if end is None else end,
        }
        for _code, number, start, end in rows
    )


def _first_note(rows: Records) -> str:
    number = _first(rows, 1)
    if not number:
        return gettext("另一家银行的借据在先，不在您的机构范围内")
    return gettext("在先：%(note)s，放款 %(day)s") % {"note": number, "day": _first(rows, 2)}


def _ceiling(rows: Records) -> str:
    lpr, above = rows[0]
    assert isinstance(lpr, int) and isinstance(above, int)
    return gettext("不高于 LPR %(lpr)s + %(above)s = %(total)s") % {
        "lpr": percent(lpr),
        "above": percent(above),
        "total": percent(lpr + above),
    }


def _fund(rows: Records) -> str:
    """The fund alone: what others hold of it is not the reader's to see."""
    return gettext("%(year)s 年度资金 %(fund)s 元，按放款先后占用") % {
        "year": _first(rows),
        "fund": yuan(_first(rows, 1)),
    }


def _none_of(rows: Records) -> str:
    return gettext("不为 %(values)s") % {"values": _listed(rows)}


# What a rule demands and what the note or borrower has, in the records of `explained_labels.REFUSALS`.
SAYS: dict[str, tuple[Say, Say]] = {
    "institution_not_participating": (
        _covering,
        lambda r: gettext("放款 %(day)s") % {"day": _first(r, 1)},
    ),
    "drawn_outside_window": (_period, lambda r: gettext("放款 %(day)s") % {"day": _first(r)}),
    "signed_outside_window": (_period, lambda r: gettext("签订 %(day)s") % {"day": _first(r)}),
    "region": (
        lambda r: gettext("区划代码以 %(prefix)s 开头") % {"prefix": _first(r)},
        _listed,
    ),
    "industry_or_title": (_trades, _trade),
    "no_equipment_amount": (
        lambda _r: gettext("设备购置金额大于 0"),
        lambda r: gettext("%(yuan)s 元") % {"yuan": yuan(_first(r))},
    ),
    "dishonest": (lambda _r: gettext("否"), lambda _r: gettext("是")),
    "environment_rating": (_none_of, _listed),
    "tax_rating": (_none_of, _listed),
    "overdue": (
        lambda r: gettext("放款日 %(day)s 企业在任何银行无逾期") % {"day": _first(r)},
        _overdue,
    ),
    "rate_above_ceiling": (_ceiling, lambda r: percent(_first(r))),
    "exclusive_group": (
        lambda _r: gettext("同级财政的贴息政策只享受一项"),
        lambda r: (
            gettext("已认定 %(schemes)s")
            % {"schemes": gettext("、").join(scheme_name(str(row[0])) for row in r)}
        ),
    ),
    "one_bank_per_enterprise": (
        lambda r: gettext("%(year)s 年只在首笔合格借据的银行享受") % {"year": _first(r)},
        _first_note,
    ),
    "fund_exhausted": (
        _fund,
        lambda r: gettext("本笔全期贴息至多 %(yuan)s 元") % {"yuan": yuan(_first(r))},
    ),
    "lpr_missing": (
        lambda r: gettext("%(day)s 及以前公布的 LPR") % {"day": _first(r)},
        lambda _r: gettext("未导入"),
    ),
}
