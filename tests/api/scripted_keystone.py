"""A Keystone on loopback that answers as it is told: real HTTP, and whatever behaviour a test wants."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PASSWORD = "the service's password"
NEVER = "2100-01-01T00:00:00.000000Z"


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


def token_reply(*roles: str, project: str | None = "p1", expires_at: float | None = None, **more: Any) -> Reply:
    ends = NEVER if expires_at is None else datetime.fromtimestamp(expires_at, UTC).isoformat()
    token: dict[str, Any] = {"user": {"id": "u1"}, "expires_at": ends, "roles": [{"name": each} for each in roles]}
    if project:
        token["project"] = {"id": project, "name": "demo"}
    return Reply(body=json.dumps({"token": token | more}).encode())


class ScriptedKeystone:
    """Knows the service's user, and of others' tokens what is in `replies`: one, or several in turn."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply | list[Reply]] = {}
        self.password = PASSWORD  # the service's own, or its application credential's secret
        self.own_reply: Reply | None = None  # instead of a token for the service
        self.silent = False  # takes requests and answers none
        self.asked: list[str] = []  # the tokens asked about
        self.headers: list[dict[str, str]] = []  # of those requests
        self.own_tokens: list[str] = []  # given out; the last one counts
        self.released = threading.Event()

    def forget_own_token(self) -> None:
        self.own_tokens.append("a later one that nobody was given")

    def log_in(self, body: dict[str, Any]) -> Reply:
        if self.own_reply:
            return self.own_reply
        identity = body["auth"]["identity"]
        credential = identity.get("application_credential") or identity["password"]["user"]
        if self.password not in (credential.get("secret"), credential.get("password")):
            return Reply(401)
        self.own_tokens.append(f"own-token-{len(self.own_tokens)}")
        reply = token_reply("service")
        return Reply(201, reply.body, {"X-Subject-Token": self.own_tokens[-1]})

    def tell_of(self, headers: dict[str, str]) -> Reply:
        token = headers["x-subject-token"]
        self.asked.append(token)
        self.headers.append(headers)
        if headers.get("x-auth-token") != self.own_tokens[-1]:
            return Reply(401)
        reply = self.replies.get(token, Reply(404))
        return (reply.pop(0) if len(reply) > 1 else reply[0]) if isinstance(reply, list) else reply


@dataclass
class Running:
    keystone: ScriptedKeystone
    server: ThreadingHTTPServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v3"

    def stop(self) -> None:
        self.keystone.released.set()
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def scripted_keystone() -> Iterator[Running]:
    keystone = ScriptedKeystone()
    running = Running(keystone, ThreadingHTTPServer(("127.0.0.1", 0), _handler(keystone)))
    running.server.daemon_threads = True
    threading.Thread(target=running.server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield running
    finally:
        running.stop()


def _handler(keystone: ScriptedKeystone) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(keystone.log_in(body))

        def do_GET(self) -> None:
            self._answer(keystone.tell_of({name.lower(): value for name, value in self.headers.items()}))

        def _answer(self, reply: Reply) -> None:
            if keystone.silent:
                keystone.released.wait()
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
