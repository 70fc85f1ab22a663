"""The whole template, as an account gets it, made, changed and deleted: both stages, with all that is optional.

The embedded AWS takes these and keeps nothing of them, so they are read in the template alone (test_template.py):
point-in-time recovery, VpcConfig, reserved concurrency, the bucket's lifecycle, tracing of state machines.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import stack as stacks
from local.aws import EmbeddedAws
from local.deploy import deploy, erase, main
from local.package import ROOT
from local.stages import DEV, STAGES
from local.target import DeploymentFailed, Target

pytestmark = pytest.mark.aws

SETTINGS = {"DTROVE_PROVIDER": "memory", "DTROVE_CLOUD_SECRET": "dtrove/openstack"}


@pytest.fixture(scope="module")
def target(aws: EmbeddedAws) -> Target:
    aws.client("secretsmanager").create_secret(Name="dtrove/openstack", SecretString='{"username": "dtrove"}')
    return Target.embedded(aws.endpoint)


def network_of(aws: EmbeddedAws) -> dict[str, str]:
    ec2 = aws.client("ec2")
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    return {
        "VPC_ID": vpc["VpcId"],
        "VPC_SUBNET_IDS": ",".join(subnets[:2]),
        "VPC_SECURITY_GROUP_IDS": ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],
        "VPC_ROUTE_TABLE_IDS": ec2.describe_route_tables()["RouteTables"][0]["RouteTableId"],
        "VPC_API": "yes",
        "RESERVE_CONCURRENCY": "yes",
    }


@pytest.fixture(scope="module")
def prod(aws: EmbeddedAws, target: Target) -> Iterator[dict[str, str]]:
    """The stack with all that is optional, and its outputs."""
    settings = SETTINGS | network_of(aws) | {"DTROVE_IDENTITY": "keystone"}
    yield deploy(target, stack="whole-prod", settings=settings, stage=STAGES["prod"])
    aws.client("cloudformation").update_termination_protection(
        StackName="whole-prod", EnableTerminationProtection=False
    )
    stacks.delete(target, "whole-prod")


def role_statements(aws: EmbeddedAws, stack: str, logical_id: str) -> dict[str, Any]:
    found = aws.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    role = found["StackResourceDetail"]["PhysicalResourceId"]
    iam = aws.client("iam")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return {each["Sid"]: each for each in document["Statement"]}


def test_prod_keeps_its_tables_and_its_stack(aws: EmbeddedAws, prod: dict[str, str]) -> None:
    tables = aws.client("dynamodb")
    names = [each for each in tables.list_tables()["TableNames"] if each.startswith("whole-prod-")]
    kept = {each for each in names if tables.describe_table(TableName=each)["Table"]["DeletionProtectionEnabled"]}

    assert set(names) - kept == {f"whole-prod-{each}" for each in ("answers", "flavors", "rates")}
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="whole-prod")["Stacks"]
    assert stack["EnableTerminationProtection"]


def test_its_bucket_is_private_versioned_and_refuses_what_comes_without_tls(
    aws: EmbeddedAws, prod: dict[str, str]
) -> None:
    s3, bucket = aws.client("s3"), {"Bucket": prod["ObjectsBucket"]}

    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert "aws:SecureTransport" in s3.get_bucket_policy(**bucket)["Policy"]


def test_events_that_fail_have_a_queue(aws: EmbeddedAws, prod: dict[str, str]) -> None:
    functions = aws.client("lambda")

    for name in ("OutcomesFunction", "SweepFunction", "SweepCloudFunction"):
        found = functions.get_function_event_invoke_config(FunctionName=prod[name], Qualifier="$LATEST")
        assert found["DestinationConfig"]["OnFailure"]["Destination"].endswith(":whole-prod-dead-letters")


def test_roles_name_the_very_secret_and_the_network_where_they_need_it(aws: EmbeddedAws, prod: dict[str, str]) -> None:
    arn = aws.client("secretsmanager").describe_secret(SecretId="dtrove/openstack")["ARN"]

    for role in ("CloudRole", "SweepCloudRole", "ApiHandlerRole"):
        assert role_statements(aws, "whole-prod", role)["ReadCloudSecret"]["Resource"] == arn
        assert "LambdaReachesTheNetwork" in role_statements(aws, "whole-prod", role)
    assert "ReadCloudSecret" not in role_statements(aws, "whole-prod", "GuestRole")
    assert not [each for each in role_statements(aws, "whole-prod", "RecordsRole") if "Network" in each]


def test_the_vpc_has_its_way_to_dynamodb_and_s3(aws: EmbeddedAws, prod: dict[str, str]) -> None:
    found = {each["ServiceName"].split(".")[-1] for each in aws.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]}

    assert found == {"dynamodb", "s3"}


def test_a_protected_stack_is_not_deleted(target: Target, prod: dict[str, str]) -> None:
    with pytest.raises(DeploymentFailed, match="TerminationProtection is enabled"):
        stacks.delete(target, "whole-prod")


def test_dev_comes_changes_and_goes_without_a_trace(aws: EmbeddedAws, target: Target) -> None:
    outputs = deploy(target, stack="whole-dev", settings=SETTINGS)
    aws.client("s3").put_object(Bucket=outputs["ObjectsBucket"], Key="logs/i/x.log", Body=b"x")
    aws.client("s3").delete_object(Bucket=outputs["ObjectsBucket"], Key="logs/i/x.log")  # its version stays
    statements = role_statements(aws, "whole-dev", "ApiHandlerRole")
    assert not {"ReadCloudSecret", "LambdaReachesTheNetwork"} & set(statements)

    changed = deploy(target, stack="whole-dev", settings=SETTINGS | {"DTROVE_SSH_USER": "clerk"}, stage=DEV)
    function = aws.client("lambda").get_function_configuration(FunctionName=changed["GuestFunction"])
    assert changed == outputs
    assert function["Environment"]["Variables"]["DTROVE_SSH_USER"] == "clerk"

    assert erase(target, "whole-dev") == []
    assert left(aws, "whole-dev") == []


def left(aws: EmbeddedAws, stack: str) -> list[str]:
    names = [
        *aws.client("dynamodb").list_tables()["TableNames"],
        *(each["FunctionName"] for each in aws.client("lambda").list_functions()["Functions"]),
        *(each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]),
        *(each["name"] for each in aws.client("stepfunctions").list_state_machines()["stateMachines"]),
        *(each["RoleName"] for each in aws.client("iam").list_roles()["Roles"]),
        *(each["Name"] for each in aws.client("events").list_rules()["Rules"]),
        *(each["logGroupName"] for each in aws.client("logs").describe_log_groups()["logGroups"]),
        *(each["AliasName"] for each in aws.client("kms").list_aliases()["Aliases"]),
        *aws.client("sqs").list_queues().get("QueueUrls", []),
    ]
    return [each for each in names if stack in each]


def test_a_secret_that_is_not_there_is_told(target: Target) -> None:
    with pytest.raises(DeploymentFailed, match=r"^DTROVE_CLOUD_SECRET: there is no secret lost in us-east-1"):
        deploy(target, stack="whole-lost", settings=SETTINGS | {"DTROVE_CLOUD_SECRET": "lost"})


def test_the_command_deploys_and_undeploys(
    aws: EmbeddedAws,
    target: Target,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`make deploy STAGE=dev` as it is typed, with the example's settings."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "dev.env").write_text((ROOT / "deploy" / "dev.env.example").read_text())
    (tmp_path / "resources.yaml").write_text((ROOT / "resources.yaml").read_text())
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)

    main(["dev"], tmp_path)

    told = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert told["ApiUrl"].endswith("/api")
    assert told["GuestFunction"].startswith("dtrove-dev-Guest-")
    main(["dev", "--delete"], tmp_path)
    assert capsys.readouterr().out == "dtrove-dev is deleted.\n"
    assert left(aws, "dtrove-dev") == []
