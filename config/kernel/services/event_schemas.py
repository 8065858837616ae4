"""What events look like, published: one JSON Schema per topic, kept as data in `config/kernel/events`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[1] / "events"
TOPICS = (
    "run.posted",
    "report.submitted",
    "settlement.decided",
    "clawback.opened",
    "finding.opened",
)


@cache
def _read(topic: str) -> str:
    return _FOLDER.joinpath(f"{topic}.json").read_text(encoding="utf-8")


def event_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema (2020-12) of the body posted for each topic, envelope and all."""
    return {topic: event_schema(topic) for topic in TOPICS}


def event_schema(topic: str) -> dict[str, Any]:
    """The schema of one topic's body: the envelope around that topic's `data`."""
    data = json.loads(_read(topic))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tiexi:event:{topic}:1",
        "title": data.pop("title"),
        "description": data.pop("description"),
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "topic", "created_at", "institution_code", "aggregate", "data"],
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^[1-9][0-9]*$",
                "description": "事件编号，重发时不变，供去重 / the same each time it is sent: take it once",
            },
            "topic": {"const": topic},
            "created_at": {"type": "string", "format": "date-time"},
            "institution_code": {"type": "string", "minLength": 1},
            "aggregate": {
                "type": "string",
                "pattern": "^[a-z][a-z-]*:[0-9]+$",
                "description": "事件对象；同一对象的事件按发生顺序送达"
                " / what it happened to; its events arrive in the order in which they happened",
            },
            "data": data,
        },
        "$defs": {
            "yuan": {
                "type": "string",
                "pattern": "^-?(0|[1-9][0-9]*)\\.[0-9]{2}$",
                "description": "元 / yuan",
            }
        },
    }
