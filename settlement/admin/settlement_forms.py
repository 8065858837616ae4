"""Steps of a settlement or liquidation: drafted, submitted, decided, booked, or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.access import CHECKERS, MAKERS
from config.kernel.admin.sections import Section, texts
from loans.admin.base import in_yuan, own_language, scheme_name
from loans.admin.fields import AmountField, DayField, ReasonField, WordChoice, WordField, YearField
from loans.admin.steps import StepForm
from loans.values.errors import DomainError, bilingual
from loans.values.money import yuan_from_fen
from settlement.admin import wording
from settlement.admin.previews import balances, fund_name, to_be_posted
from settlement.admin.settlement_accounts import items
from settlement.models import Fund, Settlement, SettlementItem
from settlement.services import forecasts, settlement_decisions, settlements
from settlement.services.settlements import Ask

State = Settlement.State


class Draft(StepForm):
    """A settlement of a year or a part of it, or the liquidation, of one institution's money."""

    title = _("起草结算或清算")
    button = _("生成草稿")
    icon = "add"
    note = _(
        "按已入账的分录生成；可重复生成：内容未变则保留原草稿，已变则撤回原草稿另生成。草稿由另一人复核后提交财政。"
    )
    done = _("草稿已生成，待他人复核后提交")
    at_field = {
        "settlement_open": "institution",
        "settlement_earlier_year": "year",
        "settlement_liquidated": "kind",
        "settlement_nothing": "institution",
        "settlement_no_fund": "scheme",
    }
    PART, FINAL, LIQUIDATION = "part", "final", "liquidation"

    scheme = WordChoice(label=_("贴息政策"))
    institution = WordChoice(label=_("资金机构"))
    kind = WordChoice(
        label=_("类别"),
        choices=[
            (PART, _("年度结算（分期）")),
            (FINAL, _("年度结算（末次，提交后年度关闭）")),
            (LIQUIDATION, _("清算")),
        ],
    )
    year = YearField(label=_("结算年度"), required=False, help_text=_("清算不填"))
    through = DayField(
        label=_("入账截至"), required=False, help_text=_("只含截至此日的入账；仅用于分期，可不填")
    )
    need_central = AmountField(
        sign="non_negative", required=False, label=in_yuan(_("中央下年需求"))
    )
    need_provincial = AmountField(
        sign="non_negative", required=False, label=in_yuan(_("省级下年需求"))
    )
    need_municipal = AmountField(
        sign="non_negative",
        required=False,
        label=in_yuan(_("市级下年需求")),
        help_text=_("三项均不填：沿用原草稿的申报数；没有则按您可见的存量借据预测，不含新增放款"),
    )

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        held = Fund.objects.select_related("institution", "scheme").order_by("institution_id", "pk")
        fields: Any = self.fields
        places = {fund.institution_id: str(fund.institution) for fund in held}
        schemes = {fund.scheme_id: scheme_name(fund.scheme.code) for fund in held}
        self.codes = {fund.scheme_id: fund.scheme.code for fund in held}
        fields["institution"].choices = [(str(pk), name) for pk, name in places.items()]
        fields["scheme"].choices = [(str(pk), schemes[pk]) for pk in sorted(schemes)]

    def clean(self) -> dict[str, Any]:
        """A year has its number, a part its day; nothing else does."""
        cleaned: dict[str, Any] = self.cleaned_data
        if "year" in cleaned and (cleaned["year"] is None) != (
            cleaned.get("kind") == self.LIQUIDATION
        ):
            told = gettext("年度结算须填结算年度；清算不填")
            self.add_error("year", ValidationError(told))
        if cleaned.get("through") is not None and cleaned.get("kind") != self.PART:
            told = gettext("末次结算和清算包括全部入账，不能限定日期")
            self.add_error("through", ValidationError(told))
        return cleaned

    def act(self, *, actor: str, at: datetime) -> int:
        """Draft it."""
        self._refuse_without_fund()
        data = self.cleaned_data
        stated = self._stated()
        ask = Ask(
            data["year"],
            is_final=data["kind"] == self.FINAL,
            posted_through=data["through"],
            needs_stated=stated is not None,
        )
        made = settlements.draft(
            institution_id=int(data["institution"]),
            scheme_id=int(data["scheme"]),
            ask=ask,
            needs=self._forecast(ask) if stated is None else stated,
            actor=actor,
            at=at,
        )
        if made is None:
            raise DomainError(
                "settlement_nothing",
                bilingual(
                    "所选范围内没有待结算的入账（都已结算，或截至日之前没有入账），未生成草稿",
                    "nothing to settle: no draft was made",
                ),
            )
        return made

    def _refuse_without_fund(self) -> None:
        """Institutions and schemes are offered apart: not every one holds money of each."""
        data = self.cleaned_data
        named = {"institution_id": int(data["institution"]), "scheme_id": int(data["scheme"])}
        if not Fund.objects.filter(**named).exists():
            raise DomainError(
                "settlement_no_fund",
                bilingual(
                    "所选机构没有这项政策的资金", "that institution has no money of this scheme"
                ),
            )

    def _stated(self) -> dict[tuple[int, str], int] | None:
        """Next year's needs as entered, if any is."""
        data = self.cleaned_data
        given = {tier: data[f"need_{tier}"] for tier in wording.TIER_NAMES}
        if all(fen is None for fen in given.values()):
            return None
        return {(int(data["institution"]), tier): fen or 0 for tier, fen in given.items()}

    def _forecast(self, ask: Ask) -> dict[tuple[int, str], int]:
        if ask.year is None:
            return {}
        code = self.codes[int(self.cleaned_data["scheme"])]
        return forecasts.needs_of_year(scheme_code=code, year=ask.year + 1)

    def leads_to(self, outcome: Any) -> str:
        """The draft."""
        return reverse("admin:settlement_settlement_change", args=[outcome])


class OfSettlement(StepForm):
    """A step of one settlement."""

    states: tuple[str, ...] = ()
    roles = CHECKERS
    maker = ""  # the column with whom this step may not be taken by

    @classmethod
    def fits(cls, request: HttpRequest, row: Any) -> bool:
        """In the right state, and another's."""
        own = cls.maker and getattr(row, cls.maker) == request.user.get_username()
        return row.state in cls.states and not own

    def sections(self) -> list[Section]:
        """The settlement tier by tier."""
        return [items(self.request, self.row)]


class Submit(OfSettlement):
    """A second person has checked the draft and sends it to finance."""

    title = _("复核并提交财政")
    icon = "send"
    note = _("末次结算提交后年度关闭，其后的入账归入下一年度。不能复核本人起草的结算。")
    done = _("已提交")
    states = (State.DRAFT,)
    maker = "made_by"

    def sections(self) -> list[Section]:
        """With what submitting it changes."""
        return [*super().sections(), closing(self.row)]

    def act(self, *, actor: str, at: datetime) -> None:
        """Submit it."""
        settlements.submit(settlement_id=self.row.pk, actor=actor, at=at)


class Decide(OfSettlement):
    """What finance decided: document, day, yuan by tier; at first all that is claimed."""

    title = _("录入批复")
    icon = "edit_document"
    note = _("未认可的部分由银行承担。入账前可重新录入；由另一人复核入账。")
    done = _("批复已录入，待他人复核入账")
    states = (State.SUBMITTED, State.DECIDED)
    roles = MAKERS
    at_field = {"settlement_document": "document_number"}

    document_number = WordField(label=_("批复文号"))
    decided_on = DayField(label=_("批复日期"))

    def __init__(self, request: HttpRequest, row: Any = None, data: Any = None) -> None:
        super().__init__(request, row, data)
        self.keys: dict[str, tuple[str, str]] = {}
        for item in row.items.select_related("fund").order_by("fund__purpose", "pk"):
            name = f"approved_{item.pk}"
            self.keys[name] = (item.fund.tier, item.fund.purpose)
            self.fields[name] = AmountField(
                sign="signed",
                label=_approved(item.fund.tier, item.fund.get_purpose_display()),
                initial=yuan_from_fen(item.claimed_fen),
            )
        if row.state == State.DECIDED:
            self.initial["document_number"] = row.document_number
            self.initial["decided_on"] = row.decided_on

    def refuse(self, refusal: DomainError) -> None:
        """Which tier's amount is wrong is said by the refusal's first words."""
        named = {f"{tier}/{purpose}": name for name, (tier, purpose) in self.keys.items()}
        text = str(refusal)
        key = next((key for key in named if text.startswith(key)), None)
        if refusal.code != "settlement_amount" or key is None:
            return super().refuse(refusal)
        chinese, _found, english = text.partition(f" / {key}")
        told = f"{chinese.removeprefix(key).lstrip('：')} / {english.lstrip(': ')}"
        self.add_error(named[key], own_language(told))
        return None

    def act(self, *, actor: str, at: datetime) -> None:
        """Record it."""
        data = self.cleaned_data
        settlement_decisions.decide(
            settlement_id=self.row.pk,
            approved={key: data[name] for name, key in self.keys.items()},
            document_number=data["document_number"],
            decided_on=data["decided_on"],
            actor=actor,
            at=at,
        )


def _approved(tier: str, purpose: str) -> Any:
    return lazy(lambda: f"{wording.tier_name(tier)} {purpose} {gettext('认可额（元）')}", str)()


class Book(OfSettlement):
    """A second person lets the ledger follow the decision."""

    title = _("复核批复并入账")
    icon = "check"
    note: Any = _("不能复核本人录入的批复。")
    done = _("已入账")
    states = (State.DECIDED,)
    maker = "decided_by"

    def sections(self) -> list[Section]:
        """With what will be posted, or why it cannot be."""
        shown = [*super().sections(), _decision(self.row)]
        if self.row.state != State.DECIDED:
            return shown
        try:
            entries = list(self._entries())
            changes = [(fund_name(item.fund), item.fund, lines) for item, _event, lines in entries]
            named = [
                (f"{wording.tier_name(item.fund.tier)} {item.fund.get_purpose_display()}", *entry)
                for item, *entry in entries
            ]
            return [*shown, to_be_posted(named), balances(changes)]
        except DomainError as refusal:
            self.note = own_language(str(refusal))
            return shown

    def _entries(self) -> Iterator[tuple[SettlementItem, Any, Any]]:
        for item, event, lines in settlement_decisions.bookings(settlement_id=self.row.pk):
            yield item, event.label, lines

    def act(self, *, actor: str, at: datetime) -> None:
        """Book it."""
        settlement_decisions.book(
            settlement_id=self.row.pk, actor=actor, at=at, decided_at=self.row.decided_at
        )


def closing(settlement: Settlement) -> Section:
    """What submitting changes: the claim goes out, and with a year's last part the year closes."""
    own = settlement.items.select_related("fund", "fund__scheme", "fund__institution")
    rows: list[tuple[Any, ...]] = [
        (_("状态"), settlement.get_state_display(), State.SUBMITTED.label),
    ]
    if settlement.is_final and settlement.year is not None:
        rows += [
            (
                f"{fund_name(item.fund)} {gettext('已结算年度')}",
                item.fund.closed_through or gettext("无"),
                max(item.fund.closed_through, settlement.year),
            )
            for item in own.order_by("fund__purpose", "pk")
        ]
    return Section(
        title=_("提交前后"), columns=texts(_("要素"), _("提交前"), _("提交后")), rows=rows
    )


def _decision(settlement: Settlement) -> Section:
    """What was recorded of finance's decision."""
    return Section(
        title=_("批复"),
        columns=texts(_("批复文号"), _("批复日期"), _("批复录入")),
        rows=[(settlement.document_number, settlement.decided_on, settlement.decided_by)],
    )


class RefuseDecision(OfSettlement):
    """A second person finds that finance decided something else: it is recorded anew."""

    title = _("退回批复")
    icon = "undo"
    note = _("退回后由经办重新录入批复，未入账。")
    done = _("已退回，待重新录入批复")
    states = (State.DECIDED,)
    maker = "decided_by"

    why = ReasonField()

    def sections(self) -> list[Section]:
        """With the decision as recorded."""
        return [*super().sections(), _decision(self.row)]

    def act(self, *, actor: str, at: datetime) -> None:
        """Refuse it."""
        settlement_decisions.refuse(
            settlement_id=self.row.pk,
            why=self.cleaned_data["why"],
            actor=actor,
            at=at,
            decided_at=self.row.decided_at,
        )
