"""The template before a security linter, in both stages: every finding is accepted by name and with a reason."""

import json
import os
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from samtranslator.translator.transform import transform

from local.package import ROOT, package
from local.stages import STAGES, Stage
from local.template import Artifacts, completed
from tests.checkov.accepted import ACCEPTED

CHECKOV = ROOT / ".local" / "checkov" / "bin" / "checkov"
OPTIONS = (
    "--framework",
    "cloudformation",
    "--output",
    "json",
    "--quiet",
    "--compact",
    "--skip-download",
    "--soft-fail",
)
pytestmark = pytest.mark.xdist_group("checkov")

Findings = set[tuple[str, str]]  # rule, logical id


def expanded(stage: Stage) -> dict[str, Any]:
    """Return the template as CloudFormation has it once SAM has made functions and an API of it."""
    ready = package(ROOT, stage.name)
    machines = {each.name.removesuffix(".asl.json"): f"key/{each.name}" for each in ready.machines}
    template = completed(ready.template, Artifacts("artifacts", "code.zip", machines), {}, stage)
    made: dict[str, Any] = transform(template, {}, SimpleNamespace(load=dict))
    return made


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Findings]:
    """By stage; in one run, since the linter takes its time to start."""
    folder = tmp_path_factory.mktemp("templates")
    for stage in STAGES.values():
        (folder / f"{stage.name}.json").write_text(json.dumps(expanded(stage)))
    environment = {"PATH": os.defpath, "HOME": str(folder), "BC_SKIP_MAPPING": "TRUE"}
    done = subprocess.run(
        [str(CHECKOV), "--directory", str(folder), *OPTIONS],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    found: dict[str, Findings] = {name: set() for name in STAGES}
    for each in report["results"]["failed_checks"]:
        found[Path(each["file_path"]).stem].add((each["check_id"], each["resource"].split(".", 1)[1]))
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_every_finding_is_accepted_with_a_reason_and_no_reason_is_left_over(
    findings: dict[str, Findings], stage: str
) -> None:
    accepted = {(rule, pattern) for rule, (names, _) in ACCEPTED.items() for pattern in names.split()}
    used = {
        (rule, name): {(of, pattern) for of, pattern in accepted if of == rule and fnmatch(name, pattern)}
        for rule, name in findings[stage]
    }

    assert [finding for finding, lines in used.items() if not lines] == []
    assert set().union(*used.values()) == accepted
