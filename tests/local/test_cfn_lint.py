"""The whole template, as CloudFormation gets it, before cfn-lint."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.package import package
from local.stages import STAGES
from local.template import Artifacts, completed

ROOT = Path(__file__).parents[2]
CFN_LINT = Path(sys.executable).with_name("cfn-lint")


@pytest.mark.parametrize("stage", STAGES)
def test_the_completed_template_has_no_finding(tmp_path: Path, stage: str) -> None:
    ready = package(ROOT, stage)
    machines = {each.name.removesuffix(".asl.json"): f"key/{each.name}" for each in ready.machines}
    template = completed(ready.template, Artifacts("artifacts", "code.zip", machines), {}, STAGES[stage])
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))

    done = subprocess.run([str(CFN_LINT), str(file)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
