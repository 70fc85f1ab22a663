"""Routes: a Blueprint whose views get a checked Request and may raise any ServiceError."""

import logging
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import Blueprint, Response
from chalice.app import Request as ChaliceRequest
from pynamodb.exceptions import PynamoDBException

from chalicelib import journal
from chalicelib.api.answering import JOB_HEADER
from chalicelib.api.idempotency import answer_once
from chalicelib.api.policy import POLICY
from chalicelib.api.request import Request
from chalicelib.errors import ServiceError, Unavailable, Unprocessable
from chalicelib.metrics import DEFECTS, REQUESTS, counted
from chalicelib.models.record import Stale

View = Callable[[Request], Response]
REQUEST_ID = re.compile(r"req-[0-9A-Za-z-]{1,64}")
OUR_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")
TOLD_IDS = ("project_id", "cluster_id", "instance_id", "job_id")  # of a path's values
ROOT = "/v1.0/{project_id}"


class Routes(Blueprint):
    """Registers views below ROOT, for those whom the policy names. Trove's envelope answers whatever they raise."""

    def on(self, route: str) -> Callable[[View], View]:
        """Register a view for a row of the policy, e.g. `GET /clusters`."""
        method, path = route.split()
        register = self.route(ROOT + path, methods=[method], content_types=[])  # or Chalice refuses some types itself

        def decorate(view: View) -> View:
            register(self._answering(view, POLICY[route]))
            return view

        return decorate

    def _answering(self, view: View, role: str) -> Callable[..., Response]:
        @wraps(view)
        def answer(**path_values: str) -> Response:
            request_id = id_of(self.current_request)
            with journal.invocation(request_id=request_id, **ids_in(path_values)):
                response = enveloped(lambda: respond(view, Request.checked(self.current_request, path_values, role)))
                response.headers["x-openstack-request-id"] = request_id
                journal.tell("request", **line_of(self.current_request, response))
                return response

        return answer


def respond(view: View, request: Request) -> Response:
    if request.idempotency_key is None:
        return view(request)
    return answer_once(request, lambda keyed: enveloped(lambda: view(keyed)))


def enveloped(answer: Callable[[], Response]) -> Response:
    """Return the answer, or what it raises in Trove's envelope."""
    try:
        return answer()
    except ServiceError as error:
        return envelope(error)
    except Stale:
        return envelope(Unprocessable("Others are changing this at the same time; try again."))
    except (PynamoDBException, ClientError, BotoCoreError) as error:
        journal.tell("the store did not answer", logging.ERROR, error=type(error).__name__)
        return envelope(Unavailable("The service is not able to answer now; try again."))
    except Exception as error:
        journal.tell_defect("a defect of ours", error, **counted({DEFECTS: 1}))
        return envelope(ServiceError("The server has a defect; its log says which."))


def id_of(raw: ChaliceRequest) -> str:
    """Return API Gateway's own id of the request, which its logs have too."""
    return f"req-{raw.context.get('requestId') or uuid4()}"


def ids_in(path_values: Mapping[str, str]) -> dict[str, str]:
    """Return those of our ids that the path names: what else stands in their place is not for the log."""
    return {name: path_values[name] for name in TOLD_IDS if OUR_ID.fullmatch(path_values.get(name, ""))}


def line_of(raw: ChaliceRequest, response: Response) -> dict[str, Any]:
    """Return what the log keeps of a request beside its ids: nothing of its body, its query or its token."""
    asked = raw.headers.get("x-openstack-request-id", "")
    return {
        "asked_as": asked if REQUEST_ID.fullmatch(asked) else None,
        "method": raw.method,
        "route": raw.context.get("resourcePath"),
        "status": response.status_code,
        "job_id": response.headers.get(JOB_HEADER),
        **counted({REQUESTS: 1}, status_class=f"{response.status_code // 100}xx"),
    }


def envelope(error: ServiceError) -> Response:
    told: dict[str, object] = {"code": error.status, "message": str(error)}
    headers: dict[str, str | list[str]] = {}
    if error.retry_after_seconds is not None:
        told["retryAfter"] = error.retry_after_seconds
        headers["Retry-After"] = str(error.retry_after_seconds)
    return Response({error.name: told}, status_code=error.status, headers=headers)
