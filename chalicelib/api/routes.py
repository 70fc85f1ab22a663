"""Routes: a Blueprint whose views get a checked Request and may raise any ServiceError."""

import logging
from collections.abc import Callable
from functools import wraps
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import Blueprint, Response
from pynamodb.exceptions import PynamoDBException

from chalicelib.api.policy import POLICY
from chalicelib.api.request import Request
from chalicelib.errors import ServiceError, Unavailable

View = Callable[[Request], Response]
log = logging.getLogger("dtrove")


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
            try:
                response = view(Request.checked(self.current_request, path_values, role))
            except ServiceError as error:
                response = envelope(error)
            except (PynamoDBException, ClientError, BotoCoreError) as error:
                log.error("the store did not answer: %s", type(error).__name__)
                response = envelope(Unavailable("The service is not able to answer now; try again."))
            except Exception:
                log.exception("a defect of ours in %s", view.__name__)
                response = envelope(ServiceError("The server has a defect; its log says which."))
            response.headers["x-openstack-request-id"] = f"req-{uuid4()}"
            return response

        return answer


def envelope(error: ServiceError) -> Response:
    return Response({error.name: {"code": error.status, "message": str(error)}}, status_code=error.status)
