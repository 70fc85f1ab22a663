"""Patches of API Gateway: paths as they came, answers of its own as the template says."""

from collections.abc import Awaitable, Callable
from typing import Any

import ministack.app
from ministack.services import apigateway_v1

from local.fidelity import Patch
from local.fidelity.rewriting import expect, lend, rewrite

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

USER_REQUEST = "/_user_request_/"


def paths_stay_encoded() -> None:
    """REST APIs route on the raw path and hand path values on as they came: `a%2Fb` is one value."""
    stock = ministack.app.app
    expect(callable(stock), "ministack.app.app is no ASGI application")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and USER_REQUEST in scope["path"] and scope.get("raw_path"):
            path = scope["raw_path"].decode("ascii").partition("?")[0]
            scope = {**scope, "path": path, "headers": [*scope["headers"], *_told(path)]}
        await stock(scope, receive, send)

    ministack.app.app = app


def _told(path: str) -> list[tuple[bytes, bytes]]:
    """Return headers that say how the client came: the scheme, as API Gateway does, and what is before the path."""
    prefix = path.partition(USER_REQUEST)[0] + USER_REQUEST.rstrip("/")
    return [(b"x-forwarded-proto", b"http"), (b"x-forwarded-prefix", prefix.encode())]


def gateway_responses_are_imported() -> None:
    """SAM writes them into the OpenAPI document; stock reads the rest of it only."""
    lend(apigateway_v1, dtrove_import_gateway_responses=import_gateway_responses)
    rewrite(
        apigateway_v1._import_rest_api,
        ("    return api_id\n", "    dtrove_import_gateway_responses(api_id, spec)\n    return api_id\n"),
    )


def import_gateway_responses(api_id: str, document: dict[str, Any]) -> None:
    for kind, response in document.get("x-amazon-apigateway-gateway-responses", {}).items():
        status, _headers, body = apigateway_v1._put_gateway_response(api_id, kind, response)
        if status >= 400:
            raise ValueError(f"gateway response {kind}: {body!r}")


PATCHES: list[Patch] = [paths_stay_encoded, gateway_responses_are_imported]
