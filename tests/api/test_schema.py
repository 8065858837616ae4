"""The OpenAPI document: the one that is kept is the one that is served, and it says what is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from config.kernel.api.codes import CODES
from config.settings.api import API_SCOPES

KEPT = Path(__file__).resolve().parents[2] / "config" / "openapi.yaml"
METHODS = {"get", "post"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made = SchemaGenerator().get_schema(request=None, public=True)
    return yaml.safe_load(yaml.safe_dump(_plain(made)))


def _plain(value: Any) -> Any:
    """Lazy texts as texts."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, bool | int | float | None) else str(value)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, found in document["paths"].items()
        for method, operation in found.items()
        if method in METHODS
    ]


def test_the_kept_document_is_the_served_one(document):
    """After a change: `make openapi`."""
    assert yaml.safe_load(KEPT.read_text(encoding="utf-8")) == document


def test_it_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    validate_schema(document)


def test_every_operation_says_who_may_and_what_may_go_wrong(document):
    for path, method, operation in operations(document):
        ((scheme, (scope,)),) = operation["security"][0].items()
        assert (scheme, scope in API_SCOPES) == ("oauth2", True), path
        assert "/ " in operation["summary"], path
        needed = {"400", "401", "403", "406", "414", "429", "500", "503"}
        needed |= {"409", "413", "415", "422"} if method == "post" else set()
        needed |= {"404"} if "{" in path else set()
        assert needed <= operation["responses"].keys(), path
        for status, answer in operation["responses"].items():
            if status == "414":  # nothing of ours was reached
                assert "content" not in answer, path
            elif status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_what_moves_money_needs_a_key(document):
    money = {
        path
        for path, method, operation in operations(document)
        if method == "post"
        and any(p["name"] == "Idempotency-Key" and p["required"] for p in operation["parameters"])
    }
    assert money == {
        "/api/v1/pre-allocations/",
        "/api/v1/settlements/{id}/decision/",
        "/api/v1/liquidations/{id}/decision/",
        "/api/v1/clawback-orders/",
        "/api/v1/deduction-runs/",
    }


def test_the_contract_is_there(document):
    """Contract §5."""
    paths = {(method, path.removeprefix("/api/v1/")) for path, method, _ in operations(document)}
    assert paths >= {
        ("post", "pre-allocations/"), ("post", "review-results/"), ("post", "settlements/{id}/decision/"),
        ("post", "liquidations/{id}/decision/"), ("post", "clawback-orders/"),
        ("post", "external-subsidies/"), ("get", "reports/"), ("get", "fund-balances/"),
        ("post", "notes/"), ("post", "repayments/"), ("post", "interest-collections/"),
        ("get", "deductions/"), ("get", "deductions/{id}/explanation/"), ("post", "deduction-runs/"),
        ("get", "jobs/{id}/"),
    }  # fmt: skip


def test_examples_fit_their_schemas(document):
    shown = 0
    for path, _, operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for example in media.get("examples", {}).values():
                schema = {**media["schema"], "components": document["components"]}
                jsonschema.Draft202012Validator(schema).validate(example["value"])
                shown += 1
        assert path.startswith("/api/v1/")
    assert shown >= 4


def test_codes_speak_both_languages():
    for code, known in CODES.items():
        assert known.message.count(" / ") == 1, code
        assert 400 <= known.status < 600, code


@pytest.mark.django_db
def test_the_document_and_its_page_are_open_to_all():
    told = Client().get("/api/v1/schema/", headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["openapi"]) == (200, "3.1.0")
    page = Client().get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"swagger" in page.content.lower()
