"""The service behind a real HTTP port of this process: the cloud and the guests are invented, the clients are not."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalDevServer

from app import app
from tests.simulation import executions
from tests.simulation.service import Simulation

LOOK_SECONDS = 0.02


class Handler(ChaliceRequestHandler):
    """Says how the client came, as a gateway does."""

    disable_nagle_algorithm = True  # or a body waits 40 ms for its headers to be acknowledged

    def _generic_handle(self) -> None:
        self.headers["X-Forwarded-Proto"] = "http"
        super()._generic_handle()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle  # noqa: N815

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


def _work(simulation: Simulation, over: threading.Event) -> None:
    seen: set[str] = set()
    while not over.is_set():
        for each in executions.all_of_them():
            if each.name not in seen:
                seen.add(each.name)
                simulation.run(each)
        time.sleep(LOOK_SECONDS)
