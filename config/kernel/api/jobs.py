"""`GET jobs/{id}/`: how far work is that a worker does, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.codes import CODES
from config.kernel.api.endpoints import Endpoint
from config.kernel.api.serializers import NoQuery, query
from config.kernel.models import Chunk, Run
from config.kernel.services.work import ATTEMPTS_MAX

LOOK_AGAIN_SECONDS = 1


@dataclass(frozen=True)
class Came:
    """What came of a job, and of a file that was refused what is wrong with it."""

    result: Mapping[str, Any]
    problems: Sequence[Mapping[str, Any]] = ()
    problems_total: int = 0


# Kind of run → what came of one: apps above add theirs.
RESULTS: dict[str, Callable[[Run], Came]] = {}


Progress = inline_serializer(
    "Progress",
    {
        "chunks_done": serializers.IntegerField(),
        "chunks_total": serializers.IntegerField(),
        "rows_done": serializers.IntegerField(help_text="已读行数 / rows read so far"),
    },
)
RowProblem = inline_serializer(
    "RowProblem",
    {
        "row": serializers.IntegerField(
            help_text="文件行号，表头为 1；JSON 第 n 条（从 0 起）为 n + 2"
            " / line of the file, the header being 1; item n of JSON (from 0) is n + 2"
        ),
        "column": serializers.CharField(allow_null=True),
        "code": serializers.CharField(),
        "value": serializers.CharField(allow_null=True),
        "detail": serializers.CharField(help_text="中文 / English"),
    },
    many=True,
)
JobOut = inline_serializer(
    "Job",
    {
        "id": serializers.IntegerField(),
        "kind": serializers.CharField(),
        "state": serializers.ChoiceField(["open", "done", "failed"]),
        "progress": Progress,
        "created_at": serializers.DateTimeField(),
        "finished_at": serializers.DateTimeField(allow_null=True),
        "result": serializers.DictField(allow_null=True, help_text="完成后 / once it is done"),
        "problems": RowProblem,
        "problems_total": serializers.IntegerField(),
        "error": serializers.CharField(
            allow_null=True, help_text="失败原因，中文 / why it failed, English"
        ),
    },
)
JobOrdered = inline_serializer("JobOrdered", {"job": serializers.IntegerField()})
EXAMPLE = OpenApiExample(
    "导入失败 / an import that failed",
    {
        "id": 12, "kind": "import", "state": "failed",
        "progress": {"chunks_done": 1, "chunks_total": 1, "rows_done": 3000},
        "created_at": "2026-03-31T09:00:00+08:00", "finished_at": "2026-03-31T09:00:03+08:00",
        "result": {"kind": "repayments", "received": 3000, "stored": 0, "corrected": 0,
                   "unchanged": 0, "batch": None},
        "problems": [{"row": 1502, "column": "amount", "code": "invalid", "value": "abc",
                      "detail": "不是数字 / not a number"}],
        "problems_total": 1,
        "error": "文件有 1 处错误，未保存任何数据 / 1 problems: nothing of the file was saved",
    },
    response_only=True,
)  # fmt: skip


def address(run_id: int) -> str:
    """Where a job is looked at."""
    return reverse("api-job", args=[run_id])


def ordered(run_id: int) -> Response:
    """What whoever orders a job is told: 202 and where to look."""
    return Response({"job": run_id}, status=202, headers={"Location": address(run_id)})


class Jobs(Endpoint):
    """Jobs of the caller's institutions; finance departments see those they ordered themselves."""

    needs = {"retrieve": "jobs:read"}

    @extend_schema(
        summary="查看任务进度和结果 / read a job's progress and result",
        operation_id="get_job",
        responses={200: JobOut},
        examples=[EXAMPLE],
    )
    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 (the address calls it so)
        """One job; while it is open `Retry-After` says when to look again."""
        query(NoQuery, request)
        run = self.found(self._seen(), id)
        is_open = run.state == Run.State.OPEN
        headers = {"Retry-After": str(LOOK_AGAIN_SECONDS)} if is_open else {}
        return Response(shown(run), headers=headers)

    def _seen(self) -> QuerySet[Run]:
        """Jobs that somebody ordered for institutions; those of the whole installation are no client's."""
        runs = Run.objects.filter(scope_lo__isnull=False)
        is_finance = self.caller.scheme_codes is not None
        return runs.filter(actor=self.caller.actor) if is_finance else runs


def shown(run: Run) -> dict[str, Any]:
    """A job as it is told."""
    chunks = list(Chunk.objects.filter(run=run).order_by("ordinal"))
    is_over = run.state != Run.State.OPEN
    tell = RESULTS.get(run.kind)
    came = tell(run) if is_over and tell is not None else Came(run.stats or {})
    return {
        "id": run.pk,
        "kind": run.kind,
        "state": run.state,
        "progress": {
            "chunks_done": sum(chunk.state != Chunk.State.TODO for chunk in chunks),
            "chunks_total": len(chunks),
            "rows_done": sum(chunk.rows_done for chunk in chunks),
        },
        "created_at": timezone.localtime(run.created_at).isoformat(),
        "finished_at": timezone.localtime(run.finished_at).isoformat() if run.finished_at else None,
        "result": dict(came.result) if is_over else None,
        "problems": list(came.problems),
        "problems_total": came.problems_total,
        "error": _error(chunks) if run.state == Run.State.FAILED else None,
    }


def _error(chunks: Sequence[Chunk]) -> str:
    """What a rule said; of a fault of ours only that it was one: traces are for administrators."""
    failed = [chunk for chunk in chunks if chunk.state == Chunk.State.FAILED]
    told = [chunk.error for chunk in failed if chunk.attempts < ATTEMPTS_MAX]
    return told[0] if told else CODES["failed"].message
