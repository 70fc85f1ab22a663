"""schemathesis tries what the document offers, and what it does not: no 5xx, no answer that is not in it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.schemathesis.things import things

HERE = Path(__file__).parent
PROGRAM = HERE.parents[1] / ".local" / "schemathesis" / "bin" / "schemathesis"
ASKED = {  # of each caller, what is tried; deletes come last
    "member": (
        ["--exclude-path-regex", "/mgmt/", "--exclude-method", "DELETE"],
        ["--exclude-path-regex", "/mgmt/", "--include-method", "DELETE"],
    ),
    "admin": (
        ["--include-path-regex", "/mgmt/", "--include-method", "GET", "--exclude-method", "DELETE"],
        ["--include-method", "DELETE"],
    ),
}


@pytest.mark.parametrize("token", ASKED)
def test_the_document_holds(endpoint: str, token: str, tmp_path: Path) -> None:
    variables = things() | {"TOKEN": token}
    for chosen in ASKED[token]:
        url = endpoint.replace("/p1", "/openapi.json")
        command = [str(PROGRAM), "--config-file", str(HERE / "schemathesis.toml"), "run", url, *chosen]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
