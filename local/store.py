"""The guests' way to the object store: a proxy on their bridge, which cannot reach loopback otherwise.

It passes presigned requests for the buckets it was given, and nothing else. URLs are signed for its own address (s3v4,
path style), so it leaves Host alone. One request a connection.

    python -m local.store ADDRESS PORT ENDPOINT BUCKET …
"""

import argparse
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

PIECE_BYTES = 65_536
CHUNK_SIZE_LINE_BYTES = 32
IDLE_SECONDS = 60
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect"}
SIGNED_QUERY = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256"}
REFUSAL = b"<Error><Code>AccessDenied</Code><Message>Only presigned requests to the object store.</Message></Error>"


class Store(ThreadingHTTPServer):
    """The proxy, listening at once; `serve_forever` serves."""

    daemon_threads = True

    def __init__(self, address: str, port: int, endpoint: str, buckets: frozenset[str]) -> None:
        self.upstream, self.buckets = urlsplit(endpoint).netloc, buckets
        super().__init__((address, port), Passage)


class Passage(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def pass_on(self) -> None:
        self.close_connection = True
        if not self._allowed():
            self._refuse()
            return
        upstream = HTTPConnection(self.server.upstream, timeout=IDLE_SECONDS)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it answered before the body's end
                self._send(upstream)
            self._answer(upstream.getresponse())
        except (OSError, HTTPException, ValueError):  # one end is gone, or sent no HTTP: nothing left to say
            return
        finally:
            upstream.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815 - http.server's names

    def _allowed(self) -> bool:
        path, _, query = self.path.partition("?")
        bucket, _, key = path.removeprefix("/").partition("/")
        signed = {name: values[0] for name, values in parse_qs(query).items()}
        return (
            bucket in self.server.buckets
            and bool(key)
            and not {".", ".."} & set(unquote(key).split("/"))
            and signed.items() >= SIGNED_QUERY.items()
            and "X-Amz-Signature" in signed
            and not {"x-amz-target", "authorization"} & {name.lower() for name in self.headers}
            and self._has_one_length()
        )

    def _has_one_length(self) -> bool:
        lengths, codings = self.headers.get_all("Content-Length", []), self.headers.get_all("Transfer-Encoding", [])
        if codings:
            return not lengths and codings == ["chunked"]
        return not lengths or (len(lengths) == 1 and bool(re.fullmatch(r"\d{1,15}", lengths[0])))

    def _refuse(self) -> None:
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(REFUSAL)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(REFUSAL)

    def _send(self, upstream: HTTPConnection) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP:
                upstream.putheader(name, value)
        upstream.putheader("Connection", "close")
        upstream.endheaders()
        if "Transfer-Encoding" in self.headers:
            for piece in self._chunks():
                upstream.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            upstream.send(b"0\r\n\r\n")
        else:
            for piece in self._pieces(int(self.headers.get("Content-Length", 0))):
                upstream.send(piece)

    def _chunks(self) -> Iterator[bytes]:
        while length := int(self.rfile.readline(CHUNK_SIZE_LINE_BYTES).partition(b";")[0], 16):
            yield from self._pieces(length)
            self.rfile.readline(CHUNK_SIZE_LINE_BYTES)
        self.rfile.readline(CHUNK_SIZE_LINE_BYTES)

    def _pieces(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self.rfile.read(min(length, PIECE_BYTES))
            if not piece:
                raise ConnectionError("the guest hung up")
            length -= len(piece)
            yield piece

    def _answer(self, response: HTTPResponse) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in HOP_BY_HOP | {"transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while piece := response.read(PIECE_BYTES):
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a presigned URL is a secret."""


@contextmanager
def store(address: str, endpoint: str, buckets: frozenset[str], *, port: int = 0) -> Iterator[str]:
    """Run the proxy for the length of the block; yields its URL, which to sign for."""
    server = Store(address, port, endpoint, buckets)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{address}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("endpoint")
    parser.add_argument("buckets", nargs="+")
    options = parser.parse_args()
    Store(options.address, options.port, options.endpoint, frozenset(options.buckets)).serve_forever()


if __name__ == "__main__":
    main()
