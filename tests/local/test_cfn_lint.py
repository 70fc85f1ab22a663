"""The whole template, as CloudFormation gets it, before cfn-lint."""

import json
import subprocess
import sys
from pathlib import Path

from local.package import package
from local.template import completed

ROOT = Path(__file__).parents[2]
CFN_LINT = Path(sys.executable).with_name("cfn-lint")


def test_the_completed_template_has_no_finding(tmp_path: Path) -> None:
    ready = package(ROOT)
    machines = {each.name.removesuffix(".asl.json"): f"key/{each.name}" for each in ready.machines}
    template = completed(ready.template, "artifacts", "code.zip", machines, {})
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))

    done = subprocess.run([str(CFN_LINT), str(file)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
