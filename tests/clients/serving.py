"""The service behind a real HTTP port of this process: the cloud and the guests are invented, the clients are not.

What they are answered is checked against the OpenAPI document.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalDevServer, LocalGatewayException

from app import app
from tests import promises
from tests.api.client import as_json
from tests.one_at_a_time import one_at_a_time
from tests.promises import NotPromised
from tests.simulation import executions
from tests.simulation.service import Simulation

LOOK_SECONDS = 0.02
NO_ROUTE = b'{"itemNotFound": {"code": 404, "message": "The resource could not be found."}}'
BELOW_A_PROJECT = 3  # parts of a path: versions and health are asked for above it


class Handler(ChaliceRequestHandler):
    """Says how the client came and what is no route, as a gateway; notes what the document does not promise."""

    broken: ClassVar[list[str]] = []  # promises
    payload: bytes | None = None

    disable_nagle_algorithm = True  # or a body waits 40 ms for its headers to be acknowledged

    def _generic_handle(self) -> None:
        self.headers["X-Forwarded-Proto"] = "http"
        super()._generic_handle()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle  # noqa: N815

    def _send_error_response(self, error: LocalGatewayException) -> None:
        self._send_http_response(404, {}, NO_ROUTE)

    def _parse_payload(self) -> Any:
        headers, self.payload = super()._parse_payload()
        return headers, self.payload

    def _handle_binary(self, response: dict[str, Any]) -> Any:
        """Called with what the app answers, not with what the server says itself."""
        if len(self.path.split("/")) > BELOW_A_PROJECT:
            asked = as_json(self.payload) if self.payload else None
            answered = json.loads(response["body"]) if response["body"] else None
            try:
                promises.check(
                    self.command, self.path, asked, response["statusCode"], dict(response["headers"]), answered
                )
            except NotPromised as error:
                self.broken.append(str(error))
        return super()._handle_binary(response)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(simulation: Simulation) -> Iterator[str]:
    """Serve on a free port of loopback, whose URL is given, and carry out every job as it is started."""
    server = LocalDevServer(app, Config(), "127.0.0.1", 0, handler_cls=Handler)
    over = threading.Event()
    threads = [
        threading.Thread(target=server.server.serve_forever, daemon=True),
        threading.Thread(target=_work, args=(simulation, over), daemon=True),
    ]
    with one_at_a_time():
        for each in threads:
            each.start()
        try:
            yield f"http://127.0.0.1:{server.server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()
            server.server.server_close()
            for each in threads:
                each.join()
    broken, Handler.broken[:] = list(Handler.broken), []
    assert not broken, broken


def _work(simulation: Simulation, over: threading.Event) -> None:
    seen: set[str] = set()
    while not over.is_set():
        for each in executions.all_of_them():
            if each.name not in seen:
                seen.add(each.name)
                simulation.run(each)
        time.sleep(LOOK_SECONDS)
