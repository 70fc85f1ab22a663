"""The embedded AWS: ministack on loopback, in a process of its own, with our fidelity patches.

with embedded_aws(folder) as aws: …      lives as long as this process does, even if that is killed
aws = start(folder); stop(folder)        outlives it: `make up` and `make down`
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
BUNDLES = ROOT / ".local" / "bundles"  # unzipped and compiled Lambda bundles, kept between runs: saves 2 s a start
BUNDLE_LIFE_SECONDS = 86_400
REGION = "us-east-1"
ADMIN_KEY = "test"  # ministack takes this key for the account's root, whatever the secret; on loopback only
START_SECONDS = 20.0
STOP_SECONDS = 5.0
LOG_LINES_SHOWN = 15


class EmbeddedAwsError(Exception):
    """It did not start; the message has the end of its log."""


@dataclass(frozen=True)
class EmbeddedAws:
    folder: Path
    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "aws.log"

    @property
    def decisions(self) -> Path:
        """A line of JSON for each kind of call that policies decided on, if they do."""
        return self.folder / "decisions.jsonl"

    def environment(self) -> dict[str, str]:
        """Return what makes any AWS SDK or tool use it, as the account's root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ADMIN_KEY,
            "AWS_SECRET_ACCESS_KEY": ADMIN_KEY,
            "AWS_DEFAULT_REGION": REGION,
        }

    def warm(self, function: str, payload: Mapping[str, object], *, workers: int) -> None:
        """Have that many workers of the function, by as many calls at once. What they answer does not matter."""
        client, text = self.client("lambda"), json.dumps(payload)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda _: client.invoke(FunctionName=function, Payload=text), range(workers)))

    def client(self, service: str) -> Any:
        import boto3

        keys = {"aws_access_key_id": ADMIN_KEY, "aws_secret_access_key": ADMIN_KEY}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, **keys)


@contextmanager
def embedded_aws(folder: Path, *, port: int = 0, auth: bool = False) -> Iterator[EmbeddedAws]:
    """Run one for the length of the block; it ends with this process in any case."""
    try:
        yield start(folder, port=port, auth=auth, attached=True)
    finally:
        stop(folder)


def start(folder: Path, *, port: int = 0, auth: bool = False, attached: bool = False) -> EmbeddedAws:
    """Start one whose state, log and temporary files are in the folder, and wait until it answers.

    `port` 0 takes a free one. `auth` checks every signature and denies by IAM policy, as AWS does.

    Raises:
        EmbeddedAwsError: it runs already, or does not start.
    """
    if running(folder):
        raise EmbeddedAwsError(f"An embedded AWS runs in {folder} already.")
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    port = _free_port(port)
    _forget_old_bundles()
    with (folder / "aws.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.fidelity", str(folder.resolve() / "tmp"), *(["--attached"] * attached)],
            cwd=ROOT,
            env=_environment(folder.resolve(), port, auth),
            stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    aws = EmbeddedAws(folder, process.pid, port)
    (folder / "aws.json").write_text(json.dumps({"pid": process.pid, "port": port}))
    _processes[process.pid] = process
    try:
        _await_answer(aws, process)
    except BaseException:
        stop(folder, keep=True)
        raise
    return aws


_processes: dict[int, "subprocess.Popen[bytes]"] = {}  # those started here, so that they can be reaped


def _environment(folder: Path, port: int, auth: bool) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONUNBUFFERED": "1",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": "unix:///nonexistent",  # it needs none, and must not touch the user's
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": str(auth).lower(),
        "IAM_DECISIONS": str(folder / "decisions.jsonl") if auth else "",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "BUNDLES_DIR": str(BUNDLES),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "MINISTACK_REGION": REGION,
    }


def _forget_old_bundles() -> None:
    BUNDLES.mkdir(parents=True, exist_ok=True)
    for bundle in BUNDLES.iterdir():
        if time.time() - bundle.stat().st_mtime > BUNDLE_LIFE_SECONDS:
            shutil.rmtree(bundle, ignore_errors=True)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise EmbeddedAwsError(f"Port {wanted} of 127.0.0.1 is taken.") from error
        return int(probe.getsockname()[1])


def _await_answer(aws: EmbeddedAws, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, HTTPException), urlopen(f"{aws.endpoint}/_ministack/health", timeout=1):  # noqa: S310
            return
        time.sleep(0.03)
    lines = aws.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    raise EmbeddedAwsError("\n".join(["The embedded AWS did not start:", *lines]))


def running(folder: Path) -> EmbeddedAws | None:
    """Return the one that runs in the folder, if any."""
    try:
        found = json.loads((folder / "aws.json").read_text())
        command = Path(f"/proc/{found['pid']}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    if b"local.fidelity" not in command:  # its number went to another process, or it is a zombie
        return None
    return EmbeddedAws(folder, found["pid"], found["port"])


def stop(folder: Path, *, keep: bool = False) -> None:
    """Stop it with its workers and delete the folder; with `keep`, state and log stay for the next start."""
    if aws := running(folder):
        with suppress(ProcessLookupError):
            os.kill(aws.pid, signal.SIGTERM)
        _await_end(aws.pid)
        with suppress(ProcessLookupError):
            os.killpg(aws.pid, signal.SIGKILL)  # workers, if it could not end them itself
        _await_end(aws.pid)
    _end_workers(folder.resolve() / "tmp")
    for name in ("tmp", "aws.json") if keep else ("",):
        path = folder / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _end_workers(tmp: Path) -> None:
    """End the workers of one that was killed: each may be in the middle of making what is about to be removed."""
    for pid in _workers(tmp):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + STOP_SECONDS
    while _workers(tmp) and time.monotonic() < deadline:
        time.sleep(0.02)


def _workers(tmp: Path) -> list[int]:
    """Return the processes that run code unpacked below the folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"{tmp}/".encode() in each.read_bytes():
                found.append(int(each.parent.name))
    return found


def _await_end(pid: int) -> None:
    process = _processes.get(pid)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if process and process.poll() is not None:
            if process.stdin:
                process.stdin.close()
            del _processes[pid]
            return
        if not process and not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.02)
