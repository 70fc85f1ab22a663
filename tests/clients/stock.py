"""The stock clients: `openstack database …` and openstacksdk, from PyPI, in a Python environment of their own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".local" / "clients" / "bin" / "python"
HERE = Path(__file__).parent


class Failed(Exception):
    """The command failed; `str` is what it said."""


@dataclass(frozen=True)
class Stock:
    """An `openstack` that stays, as one caller."""

    process: "subprocess.Popen[str]"

    def __call__(self, *arguments: str) -> Any:
        """Return what the command shows, from JSON if it shows something. Raises Failed."""
        status, out, err = self.said(*arguments)
        if status:
            raise Failed(f"{out}\n{err}".strip())
        return json.loads(out) if out.strip().startswith(("[", "{")) else out.strip()

    def said(self, *arguments: str) -> tuple[int, str, str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        status, out, err = json.loads(self.process.stdout.readline())
        return status, out, err

    def shown(self, *arguments: str) -> Any:
        """Run a command that shows something, and have it in JSON."""
        return self(*arguments, "-f", "json")


def environment(endpoint: str, token: str) -> dict[str, str]:
    """Return what a caller without a Keystone exports."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
    return own | {"OS_AUTH_TYPE": "admin_token", "OS_ENDPOINT": endpoint, "OS_TOKEN": token}


@contextmanager
def openstack(variables: dict[str, str]) -> Iterator[Stock]:
    command = [str(PYTHON), "-W", "ignore", str(HERE / "shell.py")]
    with subprocess.Popen(
        command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield Stock(process)
        assert process.stdin is not None
        process.stdin.close()


def sdk(script: str, variables: dict[str, str]) -> Any:
    """Run a script of openstacksdk that prints JSON."""
    command = [str(PYTHON), "-W", "ignore", str(HERE / script)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
