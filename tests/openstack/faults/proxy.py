"""A proxy in front of every service of the cloud: what becomes of a request on its way, a fault says.

It is found as the cloud is: whatever the services say of their own addresses, the catalog among it, tells the proxy's.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.openstack.site import HOST, PORTS

SERVICES = ("keystone", "glance", "nova", "neutron", "cinder")
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
OF_ONE_HOP = frozenset(
    {"connection", "content-length", "transfer-encoding", "host", "accept-encoding", "date", "server"}
)
ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")
SLOWEST_SECONDS = 300


@dataclass(frozen=True)
class Request:
    service: str
    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_change(self) -> bool:
        """Say whether it changes something; to ask for a token does not."""
        return self.method in CHANGES and not self.path.endswith("/auth/tokens")

    @property
    def kind(self) -> str:
        """Return what it asks for, whatever the ids are; equal things are told apart by name, or by attributes."""
        path = ID.sub("*", self.path.partition("?")[0])
        told = json.loads(self.body) if self.body and self.is_change else {}
        things = next(iter(told.values()), None) if isinstance(told, dict) else None
        about = things.get("name", " ".join(things)) if isinstance(things, dict) else ""
        return f"{self.method} {self.service} {path} {ID.sub('*', about)}".rstrip()

    def is_of(self, service: str, method: str, ending: str) -> bool:
        return (self.service, self.method) == (service, method) and self.path.partition("?")[0].endswith(ending)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    is_whole: bool = True


PassOn = Callable[[], Answer]
Fault = Callable[[Request, PassOn], Answer | None]  # None: the connection is cut


def none(request: Request, pass_on: PassOn) -> Answer | None:
    return pass_on()


class Proxy:
    def __init__(self) -> None:
        self.fault: Fault = none
        self.passed: list[tuple[Request, int | None]] = []  # with what the caller was told
        self._servers = {name: _Server(self, name) for name in SERVICES}
        self._addresses = [
            (f"{HOST}:{PORTS[name]}".encode(), f"{HOST}:{server.server_port}".encode())
            for name, server in self._servers.items()
        ]

    @contextmanager
    def open(self) -> Iterator["Proxy"]:
        with ExitStack() as opened:
            for server in self._servers.values():
                opened.callback(server.server_close)
                opened.callback(server.shutdown)
                threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield self

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        self.fault = fault
        try:
            yield
        finally:
            self.fault = none

    @property
    def auth_url(self) -> str:
        return f"http://{HOST}:{self._servers['keystone'].server_port}/v3"

    def count(self, status: int | None, service: str) -> int:
        """Return how often a caller of the service was told so."""
        return sum(1 for request, told in self.passed if told == status and request.service == service)

    def carry(self, request: Request) -> Answer | None:
        try:
            answer = self.fault(request, lambda: self._pass_on(request))
        except (OSError, HTTPException):  # the service is down, and so is the proxy for its caller
            answer = None
        self.passed.append((request, answer.status if answer else None))
        return answer

    def _pass_on(self, request: Request) -> Answer:
        connection = HTTPConnection(HOST, PORTS[request.service], timeout=SLOWEST_SECONDS)
        try:
            connection.request(request.method, request.path, request.body or None, request.headers)
            response = connection.getresponse()
            body = self._with_our_addresses(response.read())
            headers = tuple(
                (name, self._with_our_addresses(value.encode()).decode())
                for name, value in response.getheaders()
                if name.lower() not in OF_ONE_HOP
            )
            return Answer(response.status, body, headers)
        finally:
            connection.close()

    def _with_our_addresses(self, text: bytes) -> bytes:
        for theirs, ours in self._addresses:
            text = text.replace(theirs, ours)
        return text


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # an endless answer is nobody's any more

    def __init__(self, proxy: Proxy, service: str) -> None:
        super().__init__((HOST, 0), _Handler)
        self.proxy, self.service = proxy, service


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def carry(self) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_ONE_HOP}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.proxy.carry(Request(self.server.service, self.command, self.path, headers, body))
        if answer is not None:
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body) + (not answer.is_whole)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = carry  # noqa: N815 - http.server's names

    def log_message(self, format: str, *words: Any) -> None:
        """What passed is kept in `passed`."""
