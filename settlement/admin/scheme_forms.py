"""Steps of a scheme's terms: a new text put in by one, put in force or refused by another, differences shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import FileExtensionValidator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from config.kernel.admin.access import MAKERS
from config.kernel.admin.sections import Section, texts
from config.kernel.models import Role
from loans.admin.base import own_language
from loans.admin.fields import ReasonField
from loans.admin.steps import StepForm
from loans.values.errors import DomainError
from settlement.engine.errors import TermsError
from settlement.engine.terms_diff import changes
from settlement.models import SchemeVersion
from settlement.services import checking, schemes

KEYS = {
    "code": _("政策代码"), "name_zh": _("中文名称"), "name_en": _("英文名称"), "document": _("文号"),
    "priority": _("优先次序"), "exclusive_group": _("互斥组"), "fund_level": _("资金层级机构"),
    "shortfall": _("资金不足时"), "duplicate_rule": _("重复贴息规则"), "interest_ceiling": _("利息上限"),
    "fund_method": _("资金分配方式"), "window": _("期间"), "drawn": _("放款"), "signed": _("签订"),
    "accrued": _("计息"), "term": _("贴息期限"), "rate": _("贴息比例"), "method": _("计算方法"),
    "day_count": _("计息天数基准"), "tiers": _("资金层级"), "central": _("中央"),
    "provincial": _("省级"), "municipal": _("市级"), "eligible": _("条件"), "base": _("贴息基数"),
    "loan_types": _("贷款类型"), "purpose_fields": _("投向领域"), "ownership": _("所有制"),
    "sizes": _("企业规模"), "region_prefix": _("地区"), "industry": _("行业"), "titles": _("称号"),
    "refuse_dishonest": _("排除失信被执行人"), "refused_environment": _("排除环保评价"),
    "refused_tax": _("排除纳税等级"), "refuse_overdue": _("排除逾期"),
    "rate_above_lpr": _("利率上限（LPR 加点）"), "one_bank": _("一户一行"),
    "principal_caps": _("本金上限"), "amount_caps": _("金额上限"), "tiers_off": _("层级停贴"),
    "guarantee": _("担保费补贴"), "largest_note": _("单笔借据上限"),
    "once_per_enterprise": _("每户一次"), "decisions": _("未定事项"),
}  # fmt: skip
KINDS = {
    "added": _("新增"),
    "removed": _("删除"),
    "value": _("变更"),
    "ground": _("仅依据变更"),
}


def key_in_words(key: str) -> str:
    """Where a value stands, in words as far as they are known: `rate.tiers.central`."""
    path, bracket, member = key.partition("[")
    words = " › ".join(str(KEYS.get(part, part)) for part in path.split("."))
    return f"{words} [{member}" if bracket else words


def in_force_before(version: SchemeVersion) -> SchemeVersion | None:
    """The text that this one takes the place of: the last checked one below it."""
    earlier = SchemeVersion.objects.filter(
        scheme_id=version.scheme_id, version__lt=version.version, checked_by__isnull=False
    )
    return earlier.order_by("-version").first()


def differences(request: HttpRequest, version: SchemeVersion) -> Section:
    """Value by value, old and new, each with its article."""
    before = in_force_before(version)
    against = gettext("版本 %(number)d") % {"number": before.version} if before else gettext("无")
    return Section(
        title=gettext("与现行条款的差异（对照：%(against)s）") % {"against": against},
        columns=texts(_("条目"), _("变化"), _("原内容"), _("新内容"), _("原依据"), _("新依据")),
        rows=[
            (
                key_in_words(one.key),
                KINDS[one.kind],
                one.before,
                one.after,
                own_language(one.before_ground),
                own_language(one.after_ground),
            )
            for one in changes(before.text if before else "", version.text)
        ],
    )


class Propose(StepForm):
    """A new text of a known scheme."""

    title = _("登记新版本")
    button = _("提交复核")
    icon = "add"
    note = _("上传完整的条款文件（TOML）。由另一人对照差异复核后生效，其后的计算按新条款。")
    done = _("新版本已登记，待他人复核")
    roles = MAKERS | {Role.ADMINISTRATOR}
    at_field = {"scheme_unknown": "file", "version_known": "file"}

    file = forms.FileField(
        label=_("条款文件"),
        help_text=_("TOML；从政策版本页可复制现行条款"),
        widget=UnfoldAdminFileFieldWidget,
        validators=[FileExtensionValidator(["toml"])],
    )

    def act(self, *, actor: str, at: datetime) -> int:
        """Store it; what breaks the grammar is told line by line at the field."""
        sent = self.cleaned_data["file"]
        try:
            return schemes.propose_version(
                content=sent.read(), name=str(sent.name), actor=actor, at=at
            )
        except TermsError as refused:
            raise DomainError("terms_invalid", "\n".join(refused.problems)) from refused

    def refuse(self, refusal: DomainError) -> None:
        """Each line of what is wrong with the text."""
        if refusal.code != "terms_invalid":
            super().refuse(refusal)
            return
        for line in refusal.message.splitlines():
            self.add_error("file", own_language(line))

    def leads_to(self, outcome: Any) -> str:
        """The new version."""
        return reverse("admin:settlement_schemeversion_change", args=[outcome])


class Check(StepForm):
    """A second person puts it in force."""

    title = _("复核通过")
    icon = "check"
    note = _("通过后按新条款重新认定和计算，已入账的差额另行入账。不能复核本人载入的版本。")
    done = _("已复核，新条款生效")
    is_for_all = True

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Made by another and waiting."""
        is_open = row.checked_by is None and row.refused_by is None
        return is_open and row.made_by != request.user.get_username()

    def sections(self) -> list[Section]:
        """What it changes."""
        return [differences(self.request, self.row)]

    def act(self, *, actor: str, at: datetime) -> None:
        """Check it."""
        checking.check_version(version_id=self.row.pk, actor=actor, at=at)


class Refuse(Check):
    """A second person does not."""

    title = _("退回")
    icon = "undo"
    note = _("退回的版本不生效；更正后另行登记。")
    done = _("已退回，现行条款不变")

    why = ReasonField()

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        why = self.cleaned_data["why"]
        checking.refuse_version(version_id=self.row.pk, why=why, actor=actor, at=at)
