"""What the OpenAPI document promises: every answer that a test receives is checked against it."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from app import app
from chalicelib.api.openapi.document import document

HERE = "urn:openapi"  # what the document's own references start from


class NotPromised(AssertionError):
    pass


@cache
def promised() -> Any:
    return document(app, "https://db.example")


def check(method: str, path: str, asked: Any, status: int, headers: Mapping[str, str], answered: Any) -> None:
    """Raise NotPromised if the document does not foresee this answer to this request.

    Bodies are as JSON has them; None is no body at all.
    """
    operation = operation_of(method, path)
    if operation is None:  # nothing is promised but how it is refused
        if status < 400:
            raise NotPromised(f"{method} {path} is not in the document, and was answered {status}")
        return _check_body(ref("schemas", "Error"), answered, f"{method} {path}: {status}")
    where = f"{operation['operationId']}: {status}"
    is_promised = asked is None or is_valid(operation, asked)
    if status < 300 and not is_promised:
        raise NotPromised(f"{where} to a body that the document does not allow: {asked}")
    if status == 501 and not is_promised:
        return _check_body(ref("schemas", "Error"), answered, where)
    answer = operation["responses"].get(str(status))
    if answer is None:
        raise NotPromised(f"{where} is not in the document: {answered}")
    return _check_answer(resolved(answer), headers, answered, where)


def operation_of(method: str, path: str) -> Any:
    """Return the operation that a request reaches; a path without a variable goes before those with one."""
    parts = path.partition("?")[0].split("/")
    for template in sorted(promised()["paths"]):
        found = promised()["paths"][template].get(method.lower())
        if found and reaches(template.split("/"), parts):
            return found
    return None


def reaches(template: Sequence[str], parts: Sequence[str]) -> bool:
    return len(template) == len(parts) and all(
        own == part or (own.startswith("{") and part) for own, part in zip(template, parts, strict=True)
    )


def is_valid(operation: Any, asked: Any) -> bool:
    """Whether the body is one that the operation takes; those that take none do not look at it."""
    if "requestBody" not in operation:
        return True
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return bool(validator(json.dumps(schema)).is_valid(asked))


def _check_answer(answer: Any, headers: Mapping[str, str], answered: Any, where: str) -> None:
    present = {each.lower() for each in headers}
    for name, header in answer.get("headers", {}).items():
        if resolved(header).get("required") and name.lower() not in present:
            raise NotPromised(f"{where} lacks the header {name}")
    if "content" not in answer:
        if answered is not None:
            raise NotPromised(f"{where} has a body: {answered}")
        return
    for media in answer["content"].values():
        _check_body(media["schema"], answered, where)


def _check_body(schema: Any, answered: Any, where: str) -> None:
    for error in validator(json.dumps(schema)).iter_errors(answered):
        raise NotPromised(f"{where}: {error.json_path}: {error.message[:1_000]}")


@cache
def validator(schema: str) -> Draft202012Validator:
    registry = Registry().with_resource(HERE, DRAFT202012.create_resource(promised()))
    absolute = re.sub(r'"\$ref": "#', f'"$ref": "{HERE}#', schema)
    return Draft202012Validator(json.loads(absolute), registry=registry)


def ref(kind: str, name: str) -> Any:
    return {"$ref": f"#/components/{kind}/{name}"}


def resolved(part: Any) -> Any:
    """Return what a reference stands for."""
    if "$ref" not in part:
        return part
    found = promised()
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found
