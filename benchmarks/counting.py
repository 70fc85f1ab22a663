"""What the functions ask of AWS: every call passes a proxy that counts it, and the capacity it consumes."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from benchmarks import capacity
from local import service
from local.service import Service

COUNTED = (
    "APIHandler",
    "Announce",
    *service.FUNCTIONS,
)  # the sweeps apart
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.endpoint = urlsplit(endpoint)
        self.lock = threading.Lock()
        self.ledger = capacity.Ledger()
        self.calls: Counter[str] = Counter()
        self.events = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def forget(self) -> None:
        """Count from nothing again, remembering the items."""
        with self.lock:
            self.ledger = capacity.Ledger(known=self.ledger.known)
            self.calls.clear()
            self.events = 0

    def count(self, target: str, request: bytes, answer: bytes) -> None:
        """Count the call; `target` is its X-Amz-Target, e.g. DynamoDB_20120810.GetItem."""
        name, _, operation = target.partition(".")
        with self.lock:
            self.calls[name.partition("_")[0]] += 1
            if name.startswith("DynamoDB"):
                self.ledger.enter(operation, json.loads(request), json.loads(answer))
            if operation == "PutEvents":
                self.events += len(json.loads(request)["Entries"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def setup(self) -> None:
        super().setup()
        self.upstream = HTTPConnection(str(self.server.endpoint.hostname), self.server.endpoint.port)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.upstream.request("POST", self.path, body, dict(self.headers))
        answer = self.upstream.getresponse()
        text = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.server.count(self.headers.get("X-Amz-Target", ""), body, text)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def counted(running: Service, logical_ids: Sequence[str] = COUNTED) -> Iterator[Proxy]:
    """Have these functions' calls pass a proxy from now on."""
    proxy = Proxy(running.aws.endpoint)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    functions, stack = running.aws.client("lambda"), running.aws.client("cloudformation")
    for logical_id in logical_ids:
        resource = stack.describe_stack_resource(StackName=service.STACK, LogicalResourceId=logical_id)
        name = resource["StackResourceDetail"]["PhysicalResourceId"]
        variables = functions.get_function_configuration(FunctionName=name).get("Environment", {}).get("Variables", {})
        variables["AWS_ENDPOINT_URL"] = proxy.url
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    service.warm(running)
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
