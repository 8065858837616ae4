"""`POST external-subsidies/`: what finance paid outside this system, taken in by a worker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import polars as pl
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.answers import AnswersByKey
from config.kernel.api.bodies import MAX_BULK_BYTES
from config.kernel.api.jobs import JobOrdered
from config.kernel.api.problems import Fault, Problem
from config.kernel.models import Institution, Scope
from config.kernel.services import scope
from loans.api import bringing, items, shapes
from loans.api.endpoints import RuledEndpoint
from loans.services.controls import Controls, control_column

KIND = "external-subsidies"
UNKNOWN = "未登记的机构编码，或不在授权范围内 / unknown institution, or outside your scope"
SEVERAL = (
    "一次请求只能涉及一家银行，或全部不填机构编码"
    " / one request is about one bank, or no item names an institution"
)
EXAMPLE = OpenApiExample(
    "一笔外部补贴 / one subsidy",
    {
        "source": "南京市财政局", "reference": "2026-000123", "uscc": "91320300MANNX8B87A",
        "kind": "loan_interest", "scheme_name": "技改贴息", "institution_code": "B0000000000011",
        "note_number": "JJ2026000001", "year": 2026, "amount": "1234.56",
    },
    request_only=True,
)  # fmt: skip


class ExternalSubsidies(RuledEndpoint, AnswersByKey):
    """One object or a list up to 10,000, all or nothing; what each concerns may lie at any bank.

    That is why a worker takes it in, whatever its size: the answer is a job.
    """

    max_bytes = MAX_BULK_BYTES
    needs = dict.fromkeys(("create", "by_key"), "external-subsidies:write")

    @extend_schema(
        summary="登记外部补贴（由后台任务导入）/ enter external subsidies, taken in by a job",
        operation_id="post_external_subsidies",
        request={"application/json": shapes.one_or_many(KIND)},
        responses={202: JobOrdered},
        examples=[EXAMPLE],
    )
    def create(self, request: Request) -> Response:
        """Check every item now, keep the list, and have it taken in: 202."""
        body = items.items_of(request.data)
        frame, parsed = items.columns_of(kind=KIND, body=body)
        place, part = self._place(body)
        column = control_column(KIND)
        assert column is not None, "it is money"
        controls = Controls(rows=frame.height, fen=parsed.totals_fen[column])

        def act(at: datetime) -> Response:
            with _as_file(frame) as path:
                return bringing.ordered(
                    upload=bringing.named(KIND, path),
                    controls=controls,
                    institution_id=None if place is None else place.pk,
                    scope=part,
                    actor=self.caller.actor,
                    at=at,
                )

        return self.acted(act)

    def _place(self, body: items.Body) -> tuple[Institution | None, Scope]:
        """Whose rows they are: one bank's, or nobody's, which finance alone may bring; and who sees the job."""
        if not self.caller.ranges:
            raise Problem("not_permitted")
        firsts: dict[str, int] = {}
        for index, item in enumerate(body.items):
            firsts.setdefault(item.get("institution_code", ""), index)
        parts = {code: self._part(code) for code in firsts}
        faults = [
            Fault(_pointer(body, firsts[code]), "unknown_reference", UNKNOWN, code)
            for code, part in parts.items()
            if part is None
        ]
        if faults:
            raise Problem("refused_content", faults=faults)
        found = [part for part in parts.values() if part is not None]
        if len({(bool(code), part) for code, part in parts.items()}) > 1:
            second = [*firsts][1]
            fault = Fault(_pointer(body, firsts[second]), "several_banks", SEVERAL, second or None)
            raise Problem("refused_content", faults=[fault])
        part = found[0]
        scope.set_scope(*part)
        is_nobodys = "" in firsts
        return None if is_nobodys else Institution.objects.get(pk=part.lo), part

    def _part(self, code: str) -> Scope | None:
        """The part of the caller's scope that holds the institution; of nobody's rows, the first."""
        if not code:
            is_finance = self.caller.scheme_codes is not None
            return self.caller.ranges[0] if is_finance else None
        return self.caller.parts([code]).get(code)


def _pointer(body: items.Body, index: int) -> str:
    return f"{body.prefix(index)}/institution_code"


@contextmanager
def _as_file(frame: pl.DataFrame) -> Iterator[Path]:
    """The items as the file that a worker reads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).joinpath("items.csv")
        frame.write_csv(path, quote_style="always")
        yield path
