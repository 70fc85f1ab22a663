"""What a deployment lacks is said in one sentence, before anything is packaged or asked of AWS."""

import re
from pathlib import Path

import boto3
import pytest

from chalicelib.config import Config
from local.deploy import main
from local.package import ROOT
from local.prerequisites import check_own, is_setting, own_parameters, read
from local.stages import STAGES
from local.target import DeploymentFailed, Target
from tests.local.deployed import Tiny

SETTINGS = "DTROVE_PROVIDER=tests.outsiders.Cloud\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "resources.yaml").write_text((ROOT / "resources.yaml").read_text())
    return tmp_path


def test_a_stage_its_settings_and_parameters_are_read(project: Path) -> None:
    vpc = "VPC_SUBNET_IDS=subnet-1,subnet-2\nVPC_SECURITY_GROUP_IDS=sg-1\n"
    text = f"{SETTINGS}DTROVE_PREFIX=sudo \n{vpc}RESERVE_CONCURRENCY=yes\n"
    (project / "deploy" / "prod.env").write_text(text)

    deployment = read("prod", project)

    assert (deployment.stack, deployment.stage) == ("dtrove-prod", STAGES["prod"])
    assert deployment.settings == {
        "DTROVE_PROVIDER": "tests.outsiders.Cloud",
        "DTROVE_PREFIX": "sudo ",
        "VPC_SUBNET_IDS": "subnet-1,subnet-2",
        "VPC_SECURITY_GROUP_IDS": "sg-1",
        "RESERVE_CONCURRENCY": "yes",
    }


@pytest.mark.parametrize("stage", ["", "staging"])
def test_a_stage_must_be_said(stage: str) -> None:
    with pytest.raises(SystemExit, match=r"^Say which stage: make deploy STAGE=dev or make deploy STAGE=prod.$"):
        main([stage])


def test_settings_must_be_there(project: Path) -> None:
    with pytest.raises(DeploymentFailed, match=r"^There is no deploy/dev.env: copy deploy/dev.env.example"):
        read("dev", project)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("DTROVE_PROVIDER=nspawn\n", "^DTROVE_PROVIDER: nspawn makes servers on this machine"),
        ("DTROVE_PROVIDER=clowd\n", "^DTROVE_PROVIDER: there is no provider clowd"),
        (SETTINGS + "OS_PASSWORD=x\n", "^OS_PASSWORD: no secret goes through a template"),
        (SETTINGS + "OS_APPLICATION_CREDENTIAL_SECRET=x\n", "^OS_APPLICATION_CREDENTIAL_SECRET: no secret goes"),
        ("DTROVE_PROVIDER=openstack\n", "^DTROVE_CLOUD_SECRET: say which secret"),
        ("DTROVE_CLOUD_SECRET=s\n", "^DTROVE_OPENSTACK_OUR_NETWORKS: must say from where"),
        (SETTINGS + "DTROVE_IDENTITY=keystone\n", "^DTROVE_IDENTITY: keystone needs"),
        (SETTINGS + "DTROVE_MAX_CLUSTERS=7\n", "^DTROVE_MAX_CLUSTERS: there is no such setting"),
        (SETTINGS + "VPC_SUBNETS_IDS=s-1\n", "^VPC_SUBNETS_IDS: .* did you mean VPC_SUBNET_IDS?"),
        (SETTINGS + "VPC_SUBNET_IDS=s-1\n", "^VPC_SUBNET_IDS: says nothing without VPC_SECURITY_GROUP_IDS"),
        (SETTINGS + "VPC_API=yes\n", "^VPC_API: says nothing without VPC_SUBNET_IDS"),
        (SETTINGS + "VPC_ID=vpc-1\n", "^VPC_ID: says nothing without VPC_ROUTE_TABLE_IDS"),
        (SETTINGS + "CLOUD_SECRET_ARN=arn\n", "^CLOUD_SECRET_ARN: there is no such setting"),
    ],
)
def test_what_is_wrong_with_them_is_said(project: Path, lines: str, sentence: str) -> None:
    (project / "deploy" / "dev.env").write_text(lines)

    with pytest.raises(Exception, match=sentence) as refused:
        read("dev", project)

    assert type(refused.value).__name__ == "ConfigError"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("stage", STAGES)
def test_the_example_that_is_checked_in_would_be_deployed(project: Path, stage: str) -> None:
    example = (ROOT / "deploy" / f"{stage}.env.example").read_text()
    offered = re.sub(r"(?m)^#(?=[A-Z_]+=)", "", example)  # all that it has to choose from
    (project / "deploy" / f"{stage}.env").write_text(offered)

    assert read(stage, project).settings["DTROVE_PROVIDER"] == "openstack"


def test_prod_is_deleted_by_no_command(project: Path) -> None:
    (project / "deploy" / "prod.env").write_text(SETTINGS)

    with pytest.raises(SystemExit, match=r"^dtrove-prod holds customers' records"):
        main(["prod", "--delete"], project)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without credentials, region or profile."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_an_account_needs_a_region(nobody: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeploymentFailed, match="AWS_DEFAULT_REGION"):
        Target.account()


def test_an_account_needs_credentials(nobody: pytest.MonkeyPatch) -> None:
    nobody.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    with pytest.raises(DeploymentFailed, match=r"^There are no AWS credentials"):
        Target.account()


def test_a_profile_that_is_none_is_named(nobody: pytest.MonkeyPatch) -> None:
    nobody.setenv("AWS_PROFILE", "clerk")

    with pytest.raises(DeploymentFailed, match="clerk"):
        Target.account()


@pytest.mark.aws
def test_credentials_that_aws_does_not_know_are_told(tiny: Tiny) -> None:
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
    target = Target(boto3.Session(region_name="us-east-1", **keys), tiny.aws.endpoint)

    with pytest.raises(DeploymentFailed, match=r"^AWS refuses the credentials"):
        target.account_id()


def test_the_guide_names_settings_that_there_are() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    named = set(re.findall(r"\b((?:DTROVE|OS|VPC|REQUESTS|RESERVE)_[A-Z_]+[A-Z])\b", text)) | {"SCHEDULES"}

    check_own(named, own_parameters(ROOT))
    assert {each for each in named if is_setting(each)} <= {each.upper() for each in Config.__dataclass_fields__}
