"""The embedded AWS with IAM enforced, and a tiny app deployed in it, once for all tests of local/."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws import ROOT, EmbeddedAws, embedded_aws
from local.deploy import deploy
from local.target import Target
from tests.local.deployed import Tiny

TINY = Path(__file__).parent / "tiny"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with embedded_aws(tmp_path_factory.mktemp("aws"), auth=True) as running:
        yield running


@pytest.fixture(scope="session")
def tiny(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    project = tmp_path_factory.mktemp("tiny") / "project"
    shutil.copytree(TINY, project)
    shutil.copy(ROOT / "requirements.txt", project)

    def redeploy() -> dict[str, str]:
        return deploy(Target.embedded(aws.endpoint), stack="tiny", project=project)

    return Tiny(aws, project, redeploy(), redeploy)
