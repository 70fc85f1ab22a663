"""The cloud's own Keystone on loopback: from PyPI, on SQLite, in the environment that the Makefile made."""

import json
import os
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.conftest import REPO

PYTHON = REPO / ".local" / "keystone" / "bin" / "python"
STARTING_SECONDS = 60
ADMIN_PASSWORD = "secret"
SERVE = """
import sys
port = int(sys.argv.pop())
from keystone.wsgi.api import application
from waitress import serve
serve(application, host="127.0.0.1", port=port, threads=4)
"""
CONFIG = """
[database]
connection = sqlite:///{folder}/keystone.db
[token]
expiration = {expiration}
caching = false
[revoke]
caching = false
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
[oslo_messaging_notifications]
driver = noop
[identity]
password_hash_rounds = 4
"""


@dataclass
class RealKeystone:
    folder: Path
    name: str  # of its configuration
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v3"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Be down for the length of the block, then up again at the same place, knowing the same tokens."""
        self.stop()
        try:
            yield
        finally:
            self.process = _started(self.folder, self.name, self.port)
            _await(self)

    @property
    def log(self) -> str:
        """The end of what it wrote."""
        return _log_of(self.folder, self.name).read_text()[-2000:]

    def send(self, method: str, path: str, body: object = None, *, token: str = "", subject: str = "") -> Any:
        """Return the answer's JSON, None if it is empty."""
        return _parsed(self._opened(method, path, body, {"X-Auth-Token": token, "X-Subject-Token": subject}).read())

    def log_in(self, method: str, credential: object, scope: object = None) -> str:
        auth = {"identity": {"methods": [method], method: credential}} | ({"scope": scope} if scope else {})
        answer = self._opened("POST", "/auth/tokens", {"auth": auth}, {})
        answer.read()
        return str(answer.headers["X-Subject-Token"])

    def password(self, user: str, password: str, scope: object = None) -> str:
        named = {"name": user, "domain": {"id": "default"}, "password": password}
        return self.log_in("password", {"user": named}, scope)

    def _opened(self, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        given = {name: value for name, value in headers.items() if value} | {"Content-Type": "application/json"}
        request = Request(self.url + path, data, given, method=method)  # noqa: S310 - loopback
        try:
            return urlopen(request, timeout=30)  # noqa: S310
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error


def _parsed(text: bytes) -> Any:
    return json.loads(text) if text else None


@contextmanager
def real_keystone(folder: Path) -> Iterator[RealKeystone]:
    """A new one, with Keystone's own roles, domain and administrator."""
    for keys in ("fernet", "credential"):
        _write_keys(folder / keys)
    _write_config(folder / "long", folder, expiration=3600)
    _manage(folder, "db_sync")
    _manage(folder, "bootstrap", "--bootstrap-password", ADMIN_PASSWORD, "--bootstrap-region-id", "RegionOne")
    with _serving(folder, "long") as keystone:
        yield keystone


@contextmanager
def twin(keystone: RealKeystone, token_seconds: int) -> Iterator[RealKeystone]:
    """Another process of the same Keystone, whose tokens end soon, and which may be stopped."""
    _write_config(keystone.folder / "short", keystone.folder, expiration=token_seconds)
    with _serving(keystone.folder, "short") as short:
        yield short


def _write_keys(folder: Path) -> None:
    """As `keystone-manage fernet_setup` does, which takes seconds to start."""
    folder.mkdir(mode=0o700)
    for number in ("0", "1"):
        path = folder / number
        path.write_bytes(urlsafe_b64encode(os.urandom(32)))
        path.chmod(0o600)


def _write_config(place: Path, folder: Path, expiration: int) -> None:
    place.mkdir(exist_ok=True)
    (place / "keystone.conf").write_text(CONFIG.format(folder=folder, expiration=expiration))


def _manage(folder: Path, *arguments: str) -> None:
    tool = PYTHON.with_name("keystone-manage")
    done = subprocess.run(
        [tool, "--config-file", folder / "long" / "keystone.conf", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:].decode()


@contextmanager
def _serving(folder: Path, name: str) -> Iterator[RealKeystone]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    keystone = RealKeystone(folder, name, port, _started(folder, name, port))
    try:
        _await(keystone)
        yield keystone
    finally:
        keystone.stop()


def _started(folder: Path, name: str, port: int) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.defpath, "OS_KEYSTONE_CONFIG_DIR": str(folder / name)}
    with _log_of(folder, name).open("ab") as log:
        return subprocess.Popen([PYTHON, "-c", SERVE, str(port)], env=environment, stdout=log, stderr=log)


def _log_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.log"


def _await(keystone: RealKeystone) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            urlopen(keystone.url, timeout=5).close()  # noqa: S310
        except OSError:
            assert keystone.process.poll() is None, keystone.log
            assert time.monotonic() < until, keystone.log
            time.sleep(0.1)
        else:
            return
