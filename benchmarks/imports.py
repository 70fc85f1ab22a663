"""Imports: what a cold start waits for before it can answer, and that the API imports nothing it does not use."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Of, Section, tell
from local.package import package

ABOUT = """\
Fresh processes of `python -S -s` with nothing but the deployed bundle on their path, compiled beforehand; seconds
from the first import to the end of the last, medians of 15 that take turns. The baseline is `import chalice, boto3,
pynamodb` alone, from the same bundle. *api* is `import app`, which is all that the API's Lambda does before its first
request; *api_keystone* adds what the first request does where Keystone knows the callers (`DTROVE_IDENTITY`):
keystoneauth1 and requests, and a session that has asked nothing yet. *guest_step*, the heaviest of the steps, is
`import app` with all steps, their entry, SSH and every datastore's manager. *forbidden* counts the modules that the
API must not know, or not yet: SSH, clouds, steps, cryptography, Powertools, its own document.
"""
REPO = Path(__file__).parent.parent
PROCESSES = 15
MOST_RATIO = 1.5
BASELINE = "import chalice, boto3, pynamodb"
API = "import app"
API_KEYSTONE = """
import os
os.environ.update(DTROVE_IDENTITY="keystone", OS_USERNAME="dtrove", OS_PASSWORD="secret", OS_PROJECT_NAME="service")
import app
from chalicelib.api import auth
auth.identity()
"""
GUEST_STEP = """
import app
app.guest({"warm": True}, None)
import chalicelib.ssh.client
import chalicelib.datastores.mysql, chalicelib.datastores.postgresql, chalicelib.datastores.redis
"""
FORBIDDEN = (
    "paramiko",
    "cryptography",
    "openstack",
    "keystoneauth1",
    "aws_lambda_powertools",
    "chalicelib.api.openapi",
    "chalicelib.providers",
    "chalicelib.ssh.client",
    "chalicelib.steps",
)
PROGRAM = """
import json, sys, time
sys.path[:0] = [sys.argv[1]]
began = time.perf_counter()
exec(sys.argv[2])
print(json.dumps({"seconds": time.perf_counter() - began, "modules": sorted(sys.modules)}))
"""


def measure() -> Section:
    bundle = package(REPO).bundle
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(bundle).extractall(folder)
        programs = (BASELINE, API, API_KEYSTONE, GUEST_STEP)
        seconds: dict[str, list[float]] = {each: [] for each in programs}
        modules: dict[str, list[str]] = {}
        for turn in range(PROCESSES + 1):
            for program in programs:
                spent, modules[program] = imported(folder, program)
                if turn:  # the first compiles
                    seconds[program].append(spent)
    alone, api, keystone, step = (median(seconds[each]) for each in programs)
    forbidden = [each for each in modules[API] if each.startswith(FORBIDDEN)]
    told = f"alone {alone:.3f}, api {api:.3f}, with keystone {keystone:.3f}, guest step {step:.3f}"
    tell(f"imports: {told}; forbidden: {forbidden}")
    return Section(
        "Importing",
        ABOUT,
        (
            Figure("imports.api", api, "s", alone, MOST_RATIO, Of.RATIO),
            Figure("imports.api.forbidden", len(forbidden), "modules", most=0),
            Figure("imports.api_keystone", keystone, "s", alone),
            Figure("imports.guest_step", step, "s", alone),
        ),
    )


def imported(bundle: str, program: str) -> tuple[float, list[str]]:
    """Return the seconds that the program took in a process of its own, and what it imported."""
    command = [sys.executable, "-S", "-s", "-c", PROGRAM, bundle, program]
    environment = {"PATH": os.defpath, "AWS_DEFAULT_REGION": "us-east-1", "LANG": "C.UTF-8"}
    text = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    answer = json.loads(text.splitlines()[-1])
    return answer["seconds"], answer["modules"]


if __name__ == "__main__":
    print(measure().to_json())
