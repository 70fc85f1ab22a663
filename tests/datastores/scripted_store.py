"""A store of objects in parts, over HTTP, that fails as it is told to."""

import base64
import hashlib
import re
import secrets
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

STALLED_SECONDS = 30  # whoever asked has long cut it by then
RANGE = re.compile(r"bytes=([0-9]+)-([0-9]+)")


@dataclass
class ScriptedStore:
    """`faults` are by part number (0: of reading), each list used up from its front: a status, or one of these words.

    cut: the connection is closed in the middle; stall: nothing moves; flip: a bit changes on its way. Any other word is
    the code of a 400 to a part.
    """

    host: str
    port: int = 0
    parts: dict[str, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    faults: dict[int, list[int | str]] = field(default_factory=lambda: defaultdict(list))
    expired: set[str] = field(default_factory=set)  # tokens
    asked: list[tuple[str, int, int]] = field(default_factory=list)  # method, part number, status; 0 if cut
    seconds_a_part: float = 0.0

    def part_urls(self, key: str, numbers: range, token: str = "") -> dict[int, str]:
        """Return an address to put each part of the object to; all secret by a token of their own."""
        token = token or secrets.token_hex(8)
        return {each: f"http://{self.host}:{self.port}/{key}?part={each}&X-Amz-Signature={token}" for each in numbers}

    def url(self, key: str, token: str = "") -> str:
        return f"http://{self.host}:{self.port}/{key}?X-Amz-Signature={token or secrets.token_hex(8)}"

    def object(self, key: str) -> bytes:
        return b"".join(part for _, part in sorted(self.parts[key].items()))

    def next_fault(self, number: int) -> int | str | None:
        return self.faults[number].pop(0) if self.faults[number] else None


@contextmanager
def store_at(host: str) -> Iterator[ScriptedStore]:
    """A store that guests reach at this address of the host's."""
    store = ScriptedStore(host)

    class Handler(StoreHandler):
        pass

    Handler.store = store
    server = StoreServer(("", 0), Handler)
    store.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class StoreServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that were cut: tests do that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class StoreHandler(BaseHTTPRequestHandler):
    store: ScriptedStore
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        key, asked = self._asked()
        number, length = int(asked["part"]), int(self.headers["Content-Length"])
        fault = self._fault(number, asked)
        if fault in {"cut", "stall"}:
            self.rfile.read(length // 2)
            self._break(number, fault)
            return
        body = self.rfile.read(length)
        if fault == "flip":
            body = flipped(body)
            fault = None
        if self.headers.get("Content-MD5") != base64.b64encode(hashlib.md5(body).digest()).decode():  # noqa: S324
            self._answer(number, 400, b"<Error><Code>BadDigest</Code></Error>")
        elif isinstance(fault, int):
            self._answer(number, fault, b"<?xml?>\n<Error><Code>Scripted</Code></Error>")
        elif fault:
            self._answer(number, 400, f"<Error><Code>{fault}</Code></Error>".encode())
        else:
            time.sleep(self.store.seconds_a_part)
            self.store.parts[key][number] = body
            self._answer(number, 200, b"")

    def do_GET(self) -> None:
        key, asked = self._asked()
        fault = self._fault(0, asked)
        if isinstance(fault, int):
            self._answer(0, fault, b"<Error><Code>Scripted</Code></Error>")
            return
        found = RANGE.fullmatch(self.headers["Range"])
        assert found
        time.sleep(self.store.seconds_a_part)
        body = self.store.object(key)[int(found[1]) : int(found[2]) + 1]
        if fault in {"cut", "stall"}:
            self._head(206, len(body))
            self.wfile.write(body[: len(body) // 2])
            self._break(0, fault)
        else:
            self._answer(0, 206, flipped(body) if fault == "flip" else body)

    def _asked(self) -> tuple[str, Mapping[str, str]]:
        split = urlsplit(self.path)
        return split.path.removeprefix("/"), {name: values[0] for name, values in parse_qs(split.query).items()}

    def _fault(self, number: int, asked: Mapping[str, str]) -> int | str | None:
        return 403 if asked["X-Amz-Signature"] in self.store.expired else self.store.next_fault(number)

    def _break(self, number: int, fault: str) -> None:
        self.store.asked.append((self.command, number, 0))
        if fault == "stall":
            time.sleep(STALLED_SECONDS)
        self.close_connection = True

    def _answer(self, number: int, status: int, body: bytes) -> None:
        self.store.asked.append((self.command, number, status))
        self._head(status, len(body))
        self.wfile.write(body)

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


def flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
