"""Steps of a finding: say what it is, agree or refuse, ask back what is at stake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Column, Section, link, list_address, numbers, texts
from config.kernel.models import Institution
from loans.admin.base import in_yuan, scheme_name, yuan
from loans.admin.fields import ReasonField
from loans.admin.steps import AnswerForm, StepForm
from settlement.engine.near_words import words
from settlement.models import BlockedSubsidy, Clawback, Finding, FindingDecision, FindingSide
from settlement.selectors.stops import stops, waiting
from settlement.services import findings

LABELS = {
    "institution_code": _("机构编码"),
    "note_number": _("借据号"),
    "contract_number": _("合同号"),
    "uscc": _("统一社会信用代码"),
    "names": _("企业名称"),
    "project_code": _("项目代码"),
    "loan_type": _("贷款类型"),
    "drawn_on": _("放款日期"),
    "principal_fen": in_yuan(_("放款金额")),
    "equipment_fen": in_yuan(_("设备购置金额")),
    "repaid_on": _("还本日期"),
    "repaid_fen": in_yuan(_("还本金额")),
    "schemes": _("贴息政策"),
    "invoices": _("设备发票"),
    "near": _("相近号码"),
    "signed_on": _("合同签订日期"),
    "contract_fen": in_yuan(_("合同金额")),
    "source": _("来源"),
    "reference": _("流水号"),
    "kind": _("类别"),
    "scheme_name": _("政策名称"),
    "year": _("年度"),
    "amount_fen": in_yuan(_("金额")),
    "claims": in_yuan(_("涉及金额")),
}
EVIDENCE = {
    "matched_by": _("匹配依据"),
    "matched": _("匹配内容"),
    "number": _("归一化号码"),
    "numbers": _("归一化号码"),
    "ask": _("应询问机构"),
    "scheme": _("冲突政策"),
    "equipment_shared": _("设备重复"),
    "paid_fen": in_yuan(_("已贴息")),
    "interest_fen": in_yuan(_("已付利息")),
    "outside_fen": in_yuan(_("外部贴息")),
    "opening_fen": in_yuan(_("期初已贴息")),
    "opening_interest_fen": in_yuan(_("期初已付利息")),
    "excess_fen": in_yuan(_("超出利息")),
    "periods": _("计息期"),
    "title_valid_to": _("称号有效期止"),
    "limit": _("上限"),
    "limit_fen": in_yuan(_("上限")),
    "notes": _("借据数"),
    "banks": _("银行数"),
    "subsidised_above_it": _("超上限部分已贴息"),
    "tier": _("资金层级"),
    "received_on": _("到账日期"),
    "entry": _("分录"),
    "more_than_days": _("超过天数"),
    "days_apart_at_most": _("相距天数上限"),
    "score_permille": _("相似度"),
    "by": _("比对号码"),
    "agree": _("相同"),
    "near": _("相近"),
    "differ": _("不同"),
}
CHOICES = {"loan_type": "Contract", "kind": "ExternalSubsidy"}  # whose words a fact is said in
MATCHED = LABELS | {  # what a finding was found by
    "amount_fen": _("金额"),
    "name": _("企业名称"),
    "periods": _("计息期"),
    "product": _("积数"),
    "title": _("称号"),
    "invoice_number": _("发票号码"),
    "serial_number": _("设备编号"),
    "exchange": _("他行交换文件"),
    "near": _("相近"),
}
ALIKE = {"agree", "near", "differ"}  # evidence of a proposal: codes of fields and how they stand
SIDES_BESIDE = 6  # as many as fit next to each other on a screen


def both_sides(request: HttpRequest, finding: Finding) -> Section:
    """The sides in sight next to each other, one fact per line; what differs is marked."""
    sides = list(finding.sides.order_by("position")[:SIDES_BESIDE])
    return Section(
        title=_("双方对照"),
        columns=[
            Column(_("要素")),
            *(Column(_heading(side)) for side in sides),
            Column(_("是否不同")),
        ],
        rows=list(_lines(sides)),
    )


def own_side(request: HttpRequest, side: FindingSide) -> Section:
    """One side's facts."""
    rows = [line[:2] for line in _lines([side])]
    return Section(title=_("要素"), columns=texts(_("要素"), _("内容")), rows=rows)


def _heading(side: FindingSide) -> Any:
    gives_way = side.facts.get("yields")
    return f"{side.position} {gettext('应退方')}" if gives_way else str(side.position)


def _lines(sides: list[FindingSide]) -> Iterator[tuple[Any, ...]]:
    for key, label in LABELS.items():
        values = [_shown(key, side.facts.get(key)) for side in sides]
        if any(values):
            mark = "" if len(sides) == 1 else "≠" if len(set(values)) > 1 else "="
            cells = [_linked(key, side, text) for side, text in zip(sides, values, strict=True)]
            yield label, *cells, mark


def _linked(key: str, side: FindingSide, text: str) -> Any:
    if text and key == "note_number" and side.note_id is not None:
        return link("loans_note", side.note_id, text)
    return text


def _shown(key: str, value: Any) -> str:
    """A fact as people read it."""
    if value in (None, "", []):
        return ""
    if key in CHOICES:
        words: Any = apps.get_model("loans", CHOICES[key])._meta  # noqa: SLF001 (Django's public name)
        field = words.get_field(key)
        return str(dict(field.flatchoices).get(value, value))
    if key == "schemes":
        return "；".join(map(scheme_name, value))
    if key == "claims":
        return yuan(sum(claim["fen"] for claim in value)) or ""
    if key == "invoices":
        return "；".join(
            " ".join([one["invoice_number"], one["serial_number"], yuan(one["amount_fen"]) or ""])
            for one in value
        )
    if isinstance(value, list):
        return "；".join(map(str, value))
    return (yuan(value) or "") if key.endswith("_fen") else str(value)


def evidence(request: HttpRequest, finding: Finding) -> Section:
    """Why it was found, as the rule says it."""
    return Section(
        title=_("证据"),
        columns=texts(_("要素"), _("内容")),
        rows=[
            (EVIDENCE.get(key) or LABELS.get(key, key), _evidence(key, value))
            for key, value in finding.evidence.items()
        ],
    )


def _evidence(key: str, value: Any) -> str:
    if key.endswith(("_fen", "_permille")):
        return f"{value} ‰" if key.endswith("_permille") else yuan(value) or ""
    if key == "ask":
        names = dict(Institution.objects.filter(code__in=value).values_list("code", "name"))
        return "；".join(f"{names.get(code, '')} {code}".strip() for code in value)
    if key in ALIKE:
        in_chinese = (get_language() or "").startswith("zh")
        return "；".join(words(code)[0 if in_chinese else 1] for code in value)
    if key in {"matched_by", "by"}:
        return "；".join(str(MATCHED.get(one, one)) for one in value.split(";"))
    if key in CHOICES:
        return _shown(key, value)
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return json.dumps(value, ensure_ascii=False)
    return "；".join(map(str, value)) if isinstance(value, list) else str(value)


def blocked(request: HttpRequest, finding: Finding) -> Section:
    """What it keeps waiting, by note and scheme, as of the last run."""
    found = waiting(finding_id=finding.pk) if finding.is_blocking else []
    return Section(
        title=_("暂停的贴息（判定不属实后，下次运行入账）"),
        columns=[
            *texts(_("借据"), _("贴息政策")),
            Column(_("收息笔数"), is_number=True),
            *numbers(
                *(
                    in_yuan(title)
                    for title in (_("中央贴息"), _("省级贴息"), _("市级贴息"), _("合计"))
                )
            ),
        ],
        rows=[
            (
                link("loans_note", one.note_id, one.note_number),
                scheme_name(one.scheme_code),
                f"{one.collections:,}",
                *map(yuan, (*one.fen, sum(one.fen))),
            )
            for one in found
        ],
    )


def blocking(request: HttpRequest, row: BlockedSubsidy) -> Section:
    """The findings that block it, as far as they are in sight."""
    numbers_ = stops(note_ids=[row.note_id]).filter(scheme_id=row.scheme_id)["finding_id"].to_list()
    return Section(
        title=_("重复贴息核查"),
        columns=texts(_("核查事项"), _("规则"), _("依据条款"), _("状态")),
        rows=[
            (
                link("settlement_finding", f.pk, f"#{f.pk}"),
                f.get_rule_display(),
                f.article,
                f.get_state_display(),
            )
            for f in Finding.objects.filter(pk__in=numbers_).order_by("pk")
        ],
    )


def decisions(request: HttpRequest, finding: Finding) -> Section:
    """What people said of it, refused words too."""
    return Section(
        title=_("核查结论"),
        columns=texts(_("结论"), _("原因"), _("经办"), _("复核"), _("退回原因")),
        rows=[
            (
                link("settlement_findingdecision", one.pk, one.get_outcome_display()),
                one.why,
                one.made_by,
                one.checked_by or "",
                one.refused_why,
            )
            for one in finding.decisions.order_by("pk")
        ],
    )


def asked_back(request: HttpRequest, finding: Finding) -> Section:
    """Its clawbacks."""
    of_it = Clawback.objects.filter(origin=Clawback.Origin.FINDING, origin_id=finding.pk)
    return Section(
        title=_("追回"),
        columns=[*texts(_("追回"), _("状态")), *numbers(in_yuan(_("应追回")), in_yuan(_("尚欠")))],
        rows=[
            (link("settlement_clawback", one.pk, one), one.get_state_display(),
             yuan(one.amount_fen), yuan(one.open_fen))
            for one in of_it.order_by("pk")
        ],
    )  # fmt: skip


class _Say(StepForm):
    """Say what an open finding is."""

    done = _("已提交结论，待他人复核")
    button = _("提交复核")
    outcome = ""

    why = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Open, there, and nobody has said anything that waits."""
        waits = row.decisions.filter(checked_by=None).exists()
        return row.state == Finding.State.OPEN and row.gone_at is None and not waits

    def sections(self) -> list[Section]:
        """Both sides, the evidence and what waits."""
        shown = (both_sides, evidence, blocked) if self.row.is_blocking else (both_sides, evidence)
        return [section(self.request, self.row) for section in shown]

    def act(self, *, actor: str, at: datetime) -> int:
        """Say it."""
        return findings.propose_decision(
            finding_id=self.row.pk, outcome=self.outcome, why=self.cleaned_data["why"],
            actor=actor, at=at,
        )  # fmt: skip


class Confirm(_Say):
    """It is true."""

    title = _("属实")
    icon = "report"
    outcome = Finding.State.CONFIRMED
    note = _("另一人同意后生效；之后可就涉及金额提出追回。暂停的贴息不再入账，除非事实变化。")


class Dismiss(_Say):
    """It is not."""

    title = _("不属实")
    icon = "block"
    outcome = Finding.State.DISMISSED
    note = _("另一人同意后生效，暂停的贴息由下次运行入账；事实变化时自动重新打开。")


class ClawBack(StepForm):
    """Ask back what is at stake."""

    title = _("提出追回")
    button = _("提交复核")
    icon = "keyboard_return"
    note = _("按借据、资金和年度各提出一笔，不超过已贴且未追回的金额；另一人决定后入账。")

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Confirmed, and nothing asked back yet."""
        of_it = Clawback.objects.filter(origin=Clawback.Origin.FINDING, origin_id=row.pk)
        asked = of_it.exclude(state=Clawback.State.DISMISSED).exists()
        return row.state == Finding.State.CONFIRMED and not asked

    def sections(self) -> list[Section]:
        """What will be proposed."""
        return [both_sides(self.request, self.row)]

    def act(self, *, actor: str, at: datetime) -> list[int]:
        """Propose the clawbacks."""
        return findings.propose_clawbacks(finding_id=self.row.pk, actor=actor, at=at)

    def told(self, outcome: Any) -> str:
        """How many."""
        return gettext("已提出追回 %(count)d 笔，待他人复核") % {"count": len(outcome)}

    def leads_to(self, outcome: Any) -> str:
        """The clawbacks that wait."""
        return list_address("settlement_clawback", origin__exact="finding", state__exact="proposed")


class _Answer(AnswerForm):
    """A step by which the second person answers for what was said."""

    def sections(self) -> list[Section]:
        """Both sides, the evidence and what was said."""
        row: FindingDecision = self.row
        changes = Section(
            title=_("复核前后"),
            columns=texts(_("要素"), _("复核前"), _("复核后")),
            rows=[(_("状态"), row.finding.get_state_display(), row.get_outcome_display())],
        )
        return [
            *([changes] if row.checked_by is None else []),
            both_sides(self.request, row.finding),
            evidence(self.request, row.finding),
            decisions(self.request, row.finding),
        ]

    def leads_to(self, outcome: Any) -> str:
        """The finding."""
        return reverse("admin:settlement_finding_change", args=[self.row.finding_id])


class Agree(_Answer):
    """It holds."""

    title = _("复核通过")
    icon = "check"
    note = _("不能复核本人经办的记录。")
    done = _("已复核")

    def act(self, *, actor: str, at: datetime) -> None:
        """Accept it."""
        findings.check_decision(decision_id=self.row.pk, actor=actor, at=at)


class Refuse(_Answer):
    """It does not."""

    title = _("退回")
    icon = "undo"
    done = _("已退回，事项仍待处理")

    why = ReasonField()

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        findings.refuse_decision(
            decision_id=self.row.pk, why=self.cleaned_data["why"], actor=actor, at=at
        )
