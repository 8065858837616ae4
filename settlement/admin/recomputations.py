"""Corrections: what late facts would change, tried first, posted by a second person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import CHECKERS, staff
from config.kernel.admin.filters import LevelFilter
from config.kernel.admin.sections import SECTION_ROWS, Column, Section, Stage, link, numbers, texts
from config.kernel.models import Institution, Run
from loans.admin.base import FactAdmin, in_yuan, own_language, scheme_name, yuan
from loans.admin.fields import DayField, ReasonField, WordChoice
from loans.admin.steps import AnswerForm, StepForm, StepsAdmin
from loans.values.errors import DomainError
from settlement.admin import wording
from settlement.admin.orders import job_address, ring
from settlement.admin.previews import fund_name
from settlement.engine import TIERS
from settlement.models import Deduction, Fund, Recomputation, Scheme
from settlement.models.recomputation import POST, TRIAL
from settlement.selectors.deductions import collections_named
from settlement.services import orders, recomputations
from settlement.services.deductions import KIND

State = Recomputation.State


def sums(request: HttpRequest, row: Recomputation) -> Section:
    """By fund: paid for the first time, added, taken back; and what it has applied before and after."""
    found = (row.trial or {}).get("sums", [])
    keys = {(one["fund_institution_id"], one["scheme_id"], one["tier"]): one for one in found}
    held = {
        (fund.institution_id, fund.scheme_id, fund.tier): fund
        for fund in Fund.objects.filter(
            institution_id__in=[key[0] for key in keys], purpose="interest"
        ).select_related("institution", "scheme")
    }
    names = dict(Scheme.objects.values_list("pk", "code"))
    titles = (_("首次入账"), _("差额调增"), _("差额调减"), _("已代付（前）"), _("已代付（后）"))
    return Section(
        title=_("将入账的金额"),
        columns=[
            *texts(_("资金")),
            Column(_("笔数"), is_number=True),
            *numbers(*map(in_yuan, titles)),
        ],
        rows=[
            (*_sum(one, held.get(key), names), *_applied(row, one, held.get(key)))
            for key, one in keys.items()
        ],
    )


def _sum(one: dict[str, Any], fund: Fund | None, names: dict[int, str]) -> tuple[Any, ...]:
    named = f"{scheme_name(names.get(one['scheme_id'], ''))} · {wording.tier_name(one['tier'])}"
    parts = (one["first_fen"], one["more_fen"], one["less_fen"])
    return (named if fund is None else fund_name(fund), f"{one['count']:,}", *map(yuan, parts))


def _applied(
    row: Recomputation, one: dict[str, Any], fund: Fund | None
) -> tuple[str | None, str | None]:
    """The fund's subsidies applied before and after; nothing once it is posted or over."""
    if row.state != State.READY:
        return None, None
    before = 0 if fund is None else fund.subsidy_applied_fen
    return yuan(before), yuan(before + one["first_fen"] + one["more_fen"] + one["less_fen"])


BESIDES = {
    "opening": _("期初已贴息入账"),
    "fee": _("担保费补贴"),
    "waiting": _("担保费补贴（待资金到位）"),
    "held": _("贴息（待资金到位）"),
    "blocked": _("贴息（因核查事项暂停）"),
}


def besides(request: HttpRequest, row: Recomputation) -> Section:
    """What is booked besides deductions (opening positions, guarantee fees), and what waits."""
    found = (row.trial or {}).get("others", [])
    codes = dict(Scheme.objects.values_list("pk", "code"))
    ids = [one["fund_institution_id"] for one in found]
    places = dict(Institution.objects.filter(pk__in=ids).values_list("pk", "name"))
    return Section(
        title=_("同时入账的其他金额，及待资金到位或暂停的金额"),
        columns=[
            *texts(_("项目"), _("资金机构"), _("贴息政策"), _("资金层级"), _("年度")),
            Column(_("笔数"), is_number=True),
            *numbers(in_yuan(_("金额"))),
        ],
        rows=[
            (
                BESIDES[one["kind"]],
                places.get(one["fund_institution_id"], ""),
                scheme_name(codes.get(one["scheme_id"], "")),
                wording.tier_name(one["tier"]),
                one["year"],
                f"{one['count']:,}",
                yuan(one["amount_fen"]),
            )
            for one in found
        ],
    )


def redone(request: HttpRequest, row: Recomputation) -> Section:
    """The collections redone: before, after and the difference, all tiers; the first ones of many."""
    trial = row.trial or {"rows": [], "differences": 0}
    codes = dict(Scheme.objects.values_list("pk", "code"))
    named = collections_named(ids=[one["collection_id"] for one in trial["rows"]])
    count = trial["differences"]
    return Section(
        title=gettext("重算的收息（%(count)s 笔有差额）") % {"count": f"{count:,}"},
        columns=[
            *texts(_("收息日"), _("借据"), _("流水号"), _("贴息政策"), _("序次")),
            *numbers(in_yuan(_("原贴息")), in_yuan(_("差额")), in_yuan(_("重算后"))),
            *texts(_("说明")),
        ],
        rows=[
            (
                one["collected_on"],
                link("loans_note", one["note_id"], named[one["collection_id"]][0]),
                named[one["collection_id"]][1],
                scheme_name(codes.get(one["scheme_id"], "")),
                one["sequence"],
                *map(yuan, _before_and_after(one)),
                own_language(one["why"]),
            )
            for one in trial["rows"]
            if one["collection_id"] in named
        ],
    )


def _before_and_after(one: dict[str, Any]) -> tuple[int, int, int]:
    before = sum(one[f"{tier}_fen_was"] for tier in TIERS)
    change = sum(one[f"{tier}_fen"] for tier in TIERS)
    return before, change, before + change


def posted(request: HttpRequest, row: Recomputation) -> Section:
    """What was posted in the end, by every run that worked on it: the differences."""
    runs = Run.objects.filter(Q(params__recomputation=row.pk) | Q(pk=row.run_id), kind=KIND)
    of_runs = Deduction.objects.filter(run__in=list(runs), sequence__gt=0)
    found = of_runs.select_related("note", "scheme").order_by("pk")[:SECTION_ROWS]
    return Section(
        title=_("已入账的差额"),
        columns=[
            *texts(_("收息日"), _("借据"), _("贴息政策"), _("序次")),
            *numbers(in_yuan(_("差额"))),
        ],
        rows=[
            (
                one.collected_on,
                link("settlement_deduction", one.pk, one.note.note_number),
                scheme_name(one.scheme.code),
                one.sequence,
                yuan(sum(getattr(one, f"{tier}_fen") for tier in TIERS)),
            )
            for one in found
        ],
    )


class Order(StepForm):
    """Have it tried."""

    title = _("重算（先试算）")
    button = _("开始试算")
    icon = "calculate"
    note = _(
        "由后台任务按现有全部事实试算，只列出将入账的原始贴息和差额，不入账；由另一人复核后入账。"
    )
    done = _("试算任务已提交")
    at_field = {"recomputation_open": "institution", "order_open": "institution"}

    institution = WordChoice(label=_("机构"))
    through = DayField(label=_("收息截至"), help_text=_("含当日；其后的收息不首次入账"))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.places = {str(place.pk): place for place in _own(request)}
        fields: Any = self.fields
        fields["institution"].choices = [(pk, str(one)) for pk, one in self.places.items()]

    def act(self, *, actor: str, at: datetime) -> int:
        """Order it."""
        place = self.places[self.cleaned_data["institution"]]
        key = recomputations.propose(
            institution_id=place.pk, through=self.cleaned_data["through"], actor=actor, at=at
        )
        run_id = orders.order(
            kind=TRIAL, params={"recomputation": key}, scope=place.scope, actor=actor, at=at
        )
        ring(run_id)
        return run_id

    def leads_to(self, outcome: Any) -> str:
        """The job."""
        return job_address(outcome)


def _own(request: HttpRequest) -> list[Institution]:
    """The person's institution."""
    user = staff(request)
    return [] if user is None or user.institution is None else [user.institution]


class OfRecomputation(AnswerForm):
    """A step by which the second person answers for it."""

    states: tuple[str, ...] = (State.READY,)

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Tried, and asked for by another."""
        return row.state in cls.states and super().fits(request, row)

    def sections(self) -> list[Section]:
        """What it would change."""
        return [part(self.request, self.row) for part in (sums, besides, redone)]


class Release(OfRecomputation):
    """It is to be posted."""

    title = _("复核并入账")
    icon = "check"
    note = _("由后台任务入账；事实或政策在试算后又有变化的，不入账并提示重新试算。")
    done = _("已复核，正在入账")

    def act(self, *, actor: str, at: datetime) -> int:
        """Release it, and have it posted."""
        recomputations.release(recomputation_id=self.row.pk, actor=actor, at=at)
        return _post(self.row, actor=actor, at=at)

    def leads_to(self, outcome: Any) -> str:
        """The job."""
        return job_address(outcome)


def _post(row: Recomputation, *, actor: str, at: datetime) -> int:
    params, scope = {"recomputation": row.pk}, row.institution.scope
    run_id = orders.order(kind=POST, params=params, scope=scope, actor=actor, at=at)
    ring(run_id)
    return run_id


class Again(StepForm):
    """Its posting failed: once more; what is posted already stays, and nothing is posted twice."""

    title = _("重新入账")
    icon = "refresh"
    note = _("上次入账任务未完成时使用；已入账的不会重复。")
    done = _("已重新提交入账任务")
    roles = CHECKERS

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """Released and not posted."""
        return bool(row.state == State.RELEASED)

    def act(self, *, actor: str, at: datetime) -> int:
        """Order the posting anew."""
        if not self.fits(self.request, self.row):
            raise DomainError("recomputation_not_released", wording.NOTHING_TO_POST)
        return _post(self.row, actor=actor, at=at)

    def leads_to(self, outcome: Any) -> str:
        """The job."""
        return job_address(outcome)


class Refuse(OfRecomputation):
    """It is not."""

    title = _("退回")
    icon = "undo"
    done = _("已退回，未入账")
    states = (State.TRYING, State.READY)

    why = ReasonField()

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        why = self.cleaned_data["why"]
        recomputations.refuse(recomputation_id=self.row.pk, why=why, actor=actor, at=at)


class Withdraw(StepForm):
    """Its maker gives it up."""

    title = _("撤回")
    icon = "block"
    done = _("已撤回")

    why = ReasonField()

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """One's own, and nobody has answered yet."""
        own = row.made_by == request.user.get_username()
        return own and row.state in (State.TRYING, State.READY)

    def act(self, *, actor: str, at: datetime) -> None:
        """Withdraw it."""
        why = self.cleaned_data["why"]
        recomputations.withdraw(recomputation_id=self.row.pk, why=why, actor=actor, at=at)


@admin.register(Recomputation)
class RecomputationAdmin(StepsAdmin, FactAdmin):
    """Recomputations, latest first."""

    when_empty = _("没有重算：更正事实或政策后，在此先试算，由另一人复核入账。")
    finance_sees = False
    list_display = (
        "id", "institution_name", "through", "state", "made_by", "made_at", "checked_by",
        "checked_at", "why_words",
    )  # fmt: skip
    fields = (*list_display[1:], "withdrawn_by", "withdrawn_at")
    list_filter = ("state", LevelFilter)
    list_select_related = ("institution",)
    sections = (sums, besides, redone, posted)
    list_steps = {"order": Order}
    row_steps = {"release": Release, "refuse": Refuse, "again": Again, "withdraw": Withdraw}

    def stages(self, request: HttpRequest, row: Recomputation) -> list[Stage]:
        """Tried, checked, posted."""
        tried = "now" if row.state == State.TRYING else "done"
        first = Stage(_("试算"), tried, row.made_by, row.made_at)
        if row.state == State.NOTHING:
            return [first, Stage(_("无需入账"), "done")]
        if row.state in (State.REFUSED, State.LAPSED):
            who = row.withdrawn_by or row.checked_by or ""
            when = row.withdrawn_at or row.checked_at
            title = _("已撤回") if row.withdrawn_by else row.get_state_display()
            return [first, Stage(title, "off", who, when)]
        checked = "done" if row.checked_by else ("now" if row.state == State.READY else "todo")
        ended_by = {State.POSTED: "done", State.RELEASED: "now"}.get(State(row.state), "todo")
        return [
            first,
            Stage(_("复核差异"), checked, row.checked_by or "", row.checked_at),
            Stage(_("入账"), ended_by),
        ]

    @display(description=_("说明"))
    def why_words(self, row: Recomputation) -> str:
        """Why it was refused or lapsed, or there is nothing to post."""
        return own_language(row.why)
