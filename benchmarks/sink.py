"""A store that keeps parts in memory and does nothing else: what is measured is the guest."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHUNK_BYTES = 2**20


class Sink:
    def __init__(self, host: str) -> None:
        self.host = host
        self.port = 0
        self.parts: dict[str, bytes] = {}

    def part_urls(self, key: str, count: int) -> dict[int, str]:
        return {each: f"http://{self.host}:{self.port}/{key}/{each}" for each in range(1, count + 1)}

    def gather(self, key: str, count: int) -> str:
        """Make one object of the parts; return its address."""
        self.parts[f"/{key}"] = b"".join(self.parts.pop(f"/{key}/{each}") for each in range(1, count + 1))
        return f"http://{self.host}:{self.port}/{key}"


@contextmanager
def sink_at(host: str) -> Iterator[Sink]:
    sink = Sink(host)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            length = int(self.headers["Content-Length"])
            body = memoryview(bytearray(length))
            read = 0
            while read < length:
                read += self.rfile.readinto(body[read : read + CHUNK_BYTES])  # type: ignore[attr-defined]
            sink.parts[self.path] = bytes(body)
            self._answer(200, b"")

        def do_GET(self) -> None:
            first, last = self.headers["Range"].removeprefix("bytes=").split("-")
            self._answer(206, memoryview(sink.parts[self.path])[int(first) : int(last) + 1])

        def _answer(self, status: int, body: bytes | memoryview) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("", 0), Handler)
    server.daemon_threads = True
    sink.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
