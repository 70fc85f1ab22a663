"""schemathesis tries what the document offers, and what it does not: no 5xx, no answer that is not in it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.schemathesis.things import DOOMED, await_gone, things

HERE = Path(__file__).parent
PROGRAM = HERE.parents[1] / ".local" / "schemathesis" / "bin" / "schemathesis"
NO_DELETE = ("--exclude-method", "DELETE")
DELETE = ("--include-method", "DELETE", "--warnings", "off")  # what was deleted is not found: that is no news
ASKED = {  # of each caller: what an administrator sees and does otherwise than a member
    "member": ("--exclude-path-regex", "/mgmt/"),
    "admin": ("--include-path-regex", "/mgmt/", "--include-method", "GET"),
}


@pytest.mark.parametrize("token", ASKED)
def test_the_document_holds(endpoint: str, token: str, tmp_path: Path) -> None:
    made = things()

    try_out(endpoint, [*ASKED[token], *NO_DELETE], made | {"TOKEN": token}, tmp_path)
    try_out(endpoint, DELETE, made | {"TOKEN": token}, tmp_path)

    await_gone(made[each] for each in DOOMED)


def try_out(endpoint: str, chosen: Sequence[str], variables: dict[str, str], folder: Path) -> None:
    url = endpoint.replace("/p1", "/openapi.json")
    command = [str(PROGRAM), "--config-file", str(HERE / "schemathesis.toml"), "run", url, *chosen]
    done = subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
