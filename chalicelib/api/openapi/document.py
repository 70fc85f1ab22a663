"""The document: every route that is registered and offered, with who may ask for it and what it takes and answers."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from chalice.app import Chalice

from chalicelib.api.answering import JOB_HEADER
from chalicelib.api.idempotency import REPLAYED
from chalicelib.api.later import NOT_OFFERED
from chalicelib.api.openapi.accounts import ACCOUNTS
from chalicelib.api.openapi.backups import BACKUPS
from chalicelib.api.openapi.catalog import CATALOG
from chalicelib.api.openapi.clusters import CLUSTERS
from chalicelib.api.openapi.configurations import CONFIGURATIONS
from chalicelib.api.openapi.instances import INSTANCES
from chalicelib.api.openapi.jobs import JOBS
from chalicelib.api.openapi.logs import LOGS
from chalicelib.api.openapi.mgmt import MGMT
from chalicelib.api.openapi.operation import QUERIES, Operation
from chalicelib.api.openapi.refusals import ERROR, MEANINGS, NAMES, RETRY_AFTER, refusals_of
from chalicelib.api.openapi.schedules import SCHEDULES
from chalicelib.api.openapi.shapes import MOMENT, NUMBER, TEXT, Schema, listed, one_of, ref, shown
from chalicelib.api.openapi.versions import VERSIONS
from chalicelib.api.policy import POLICY
from chalicelib.api.request import IDEMPOTENCY_KEY as KEY
from chalicelib.api.request import JSON, LONGEST_ID
from chalicelib.api.routes import ROOT

NOUNS = (VERSIONS, CATALOG, CLUSTERS, INSTANCES, BACKUPS, SCHEDULES, ACCOUNTS, CONFIGURATIONS, LOGS, JOBS, MGMT)
OPERATIONS = {route: (noun.tag, each) for noun in NOUNS for route, each in noun.operations.items()}
ABOUT = "Databases as a service: Trove's v1.0, and what is ours beside it."
SHARED = {
    "Error": ERROR,
    "Fault": shown({"message": TEXT, "created": MOMENT}),
    "Links": listed(shown({"href": TEXT, "rel": one_of(["self", "bookmark"])}), least=2, most=2),
    "SelfLinks": listed(shown({"href": TEXT, "rel": one_of(["self"])}), least=1, most=1),
    "NextLinks": listed(shown({"href": TEXT, "rel": one_of(["next"])}), least=1, most=1),
}
REQUEST_ID, JOB_ID, RETRY = "x-openstack-request-id", JOB_HEADER, "Retry-After"
HEADERS = {
    REQUEST_ID: {"required": True, "schema": TEXT, "description": "Also in the service's log."},
    JOB_ID: {"schema": TEXT, "description": "The job that was begun: see /jobs."},
    RETRY: {"schema": NUMBER, "description": "Seconds."},
    REPLAYED: {"schema": one_of(["true"]), "description": "This was answered before, under the same Idempotency-Key."},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key, the same answer, one effect.",
    "schema": TEXT | {"pattern": f"^{KEY.pattern}$"},
}


def document(app: Chalice, base_url: str) -> Schema:
    """Return the document of the app as it is served at `base_url`."""
    return _document(app) | {"servers": [{"url": base_url}]}


@cache
def _document(app: Chalice) -> Schema:
    paths: Schema = {}
    for method, path, view in _offered(app):
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, view)
    return {
        "openapi": "3.1.0",
        "info": {"title": "DTrove", "version": "1.0", "description": ABOUT},
        "servers": [],
        "security": [{"token": []}],
        "tags": [{"name": each.tag} for each in NOUNS],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
            "schemas": SHARED | {name: schema for noun in NOUNS for name, schema in noun.schemas.items()},
            "headers": HEADERS,
            "parameters": {IDEMPOTENCY_KEY["name"]: IDEMPOTENCY_KEY},
            "responses": {NAMES[status]: _refusal(status) for status in MEANINGS},
        },
    }


def _offered(app: Chalice) -> Iterator[tuple[str, str, Any]]:
    """Give each (method, path, view) that is offered."""
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            if route_of(method, path) not in NOT_OFFERED:
                yield method, path, entry.view_function


def route_of(method: str, path: str) -> str:
    """Return the route as the policy and the nouns name it."""
    return f"{method} {path.removeprefix(ROOT) if path.startswith(f'{ROOT}/') else path}"


def _operation(method: str, path: str, view: Any) -> Schema:
    route = route_of(method, path)
    tag, operation = OPERATIONS[route]
    return {
        "operationId": operation.name or view.__name__,
        "summary": (view.__doc__ or f"{view.__name__.replace('_', ' ').capitalize()}.").splitlines()[0],
        "tags": [tag],
        "parameters": list(_parameters(method, path, operation)),
        **_body(operation),
        "responses": {
            str(operation.status): _answer(method, operation, operation.status, operation.answer),
            **{str(each): _answer(method, operation, each, schema) for each, schema in operation.also.items()},
            **{str(each): _component("responses", NAMES[each]) for each in refusals_of(method, operation)},
        },
        **({"security": []} if operation.is_open else {"x-dtrove-role": POLICY[route]}),
    }


def _parameters(method: str, path: str, operation: Operation) -> Iterator[Schema]:
    for name in re.findall(r"{(\w+)}", path):
        schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for name in operation.query:
        yield {"name": name, "in": "query", "schema": QUERIES[name]}
    if method == "POST":
        yield _component("parameters", str(IDEMPOTENCY_KEY["name"]))


def _body(operation: Operation) -> Schema:
    if operation.body is None:
        return {}
    return {"requestBody": {"required": not operation.may_lack_body, "content": {JSON: {"schema": operation.body}}}}


def _answer(method: str, operation: Operation, status: int, schema: Schema | None) -> Schema:
    headers = [REQUEST_ID, *([JOB_ID] if operation.starts_job else []), *([REPLAYED] if method == "POST" else [])]
    answer: Schema = {"description": "Accepted." if status == 202 else "Done.", "headers": _headers(*headers)}
    return answer | ({"content": {operation.media: {"schema": schema}}} if schema else {})


def _refusal(status: int) -> Schema:
    headers = [REQUEST_ID, *([RETRY] if status in RETRY_AFTER else [])]
    return {
        "description": MEANINGS[status],
        "headers": _headers(*headers),
        "content": {JSON: {"schema": ref("Error")}},
    }


def _headers(*names: str) -> Schema:
    return {name: _component("headers", name) for name in names}


def _component(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}
