"""The template, statically: what ministack does not enforce, and what must agree with the code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pynamodb.attributes import TTLAttribute
from pynamodb.models import Model

from chalicelib.config import Config
from chalicelib.errors import ConfigError
from local.package import machine_files
from local.stages import DEV, STAGES
from local.template import TASK_FUNCTIONS, Artifacts, completed, parameter_name
from tests.policies import POLICIES, statements_of
from tests.tables import MODELS

ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    *("APIHandler", "Records", "Cloud", "Guest", "Reads", "Outcomes", "Sweep", "Scheduler", "SweepCloud", "Announce")
}
NOWHERE = Artifacts("bucket", "code", {})


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags."""


def long_form(loader: Any, tag: str, node: Any) -> Any:
    scalar = isinstance(node, yaml.ScalarNode)
    value = loader.construct_scalar(node) if scalar else loader.construct_sequence(node, deep=True)
    if tag in {"Ref", "Condition"}:
        return {tag: value}
    return {f"Fn::{tag}": value.split(".", 1) if tag == "GetAtt" else value}


Loader.add_multi_constructor("!", long_form)
TEMPLATE = yaml.load((ROOT / "resources.yaml").read_text(), Loader=Loader)  # noqa: S506 - a SafeLoader
RESOURCES = TEMPLATE["Resources"]


def packaged() -> dict[str, Any]:
    functions = {name: {"Type": "AWS::Serverless::Function", "Properties": {}} for name in FUNCTIONS}
    typed = {name: each for name, each in RESOURCES.items() if "Type" in each}  # the rest is merged into chalice's own
    return {**TEMPLATE, "Resources": {**typed, **functions}}


def all_of(kind: str, resources: dict[str, Any] = RESOURCES) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in resources.items() if each.get("Type") == kind}


Shape = dict[str, Any]


def described(model: type[Model]) -> Shape:
    schema: Any = model._get_schema()
    return {
        "types": _pairs(schema["attribute_definitions"], "AttributeName", "AttributeType"),
        "keys": _pairs(schema["key_schema"], "AttributeName", "KeyType"),
        "indexes": {
            each["index_name"]: _pairs(each["key_schema"], "AttributeName", "KeyType")
            for each in schema["global_secondary_indexes"]
        },
        "ttl": [each.attr_name for each in model.get_attributes().values() if isinstance(each, TTLAttribute)],
    }


def written(table: Shape) -> Shape:
    ttl = table.get("TimeToLiveSpecification")
    return {
        "types": _pairs(table["AttributeDefinitions"], "AttributeName", "AttributeType"),
        "keys": _pairs(table["KeySchema"], "AttributeName", "KeyType"),
        "indexes": {
            each["IndexName"]: _pairs(each["KeySchema"], "AttributeName", "KeyType")
            for each in table.get("GlobalSecondaryIndexes", [])
        },
        "ttl": [ttl["AttributeName"]] if ttl else [],
    }


def _pairs(schema: list[dict[str, str]], name: str, kind: str) -> list[tuple[str, str]]:
    return sorted((each[name], each[kind]) for each in schema)


def table_of(model: type[Model]) -> dict[str, Any]:
    noun = re.sub(r"^.*-", "", model.Meta.table_name)
    named = {"Fn::Sub": f"${{AWS::StackName}}-{noun}"}
    return next(dict(table) for table in all_of("AWS::DynamoDB::Table").values() if table["TableName"] == named)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_tables_have_the_keys_and_indexes_of_their_models(model: type[Model]) -> None:
    assert written(table_of(model)) == described(model)


def test_there_is_a_table_for_each_model_and_no_other() -> None:
    assert len(all_of("AWS::DynamoDB::Table")) == len(MODELS)


def test_each_definition_becomes_a_machine_and_is_fully_substituted() -> None:
    files = machine_files(ROOT)
    keys = {file.name.removesuffix(".asl.json"): f"key of {file.name}" for file in files}

    template = completed(packaged(), Artifacts("bucket", "code", keys), {})

    machines = list(all_of("AWS::StepFunctions::StateMachine", template["Resources"]).values())
    assert len(files) == len(machines) == len(list((ROOT / "statemachines").glob("*.json"))) > 0
    for file, found in zip(files, machines, strict=True):
        name = file.name.removesuffix(".asl.json")
        assert found["StateMachineName"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}
        assert found["DefinitionS3Location"] == {"Bucket": "bucket", "Key": keys[name]}
        assert set(re.findall(r"\$\{(\w+)\}", file.read_text())) <= set(found["DefinitionSubstitutions"])
        assert found["RoleArn"] == {"Fn::GetAtt": ["MachineRole", "Arn"]}


def test_machines_may_invoke_the_task_functions_and_nothing_else() -> None:
    tasks, watching = RESOURCES["MachineRole"]["Properties"]["Policies"]
    (statement,) = tasks["PolicyDocument"]["Statement"]
    (others,) = watching["PolicyDocument"]["Statement"]

    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == [{"Fn::GetAtt": [name.capitalize(), "Arn"]} for name in TASK_FUNCTIONS]
    assert {each.split(":")[0] for each in others["Action"]} == {"logs", "xray"}


def test_each_rule_may_invoke_its_target() -> None:
    granted = [
        (permission["FunctionName"]["Ref"], permission["SourceArn"]["Fn::GetAtt"][0], permission["Principal"])
        for permission in all_of("AWS::Lambda::Permission").values()
    ]
    needed = [
        (target["Arn"]["Fn::GetAtt"][0], rule, "events.amazonaws.com")
        for rule, properties in all_of("AWS::Events::Rule").items()
        for target in properties["Targets"]
    ]
    assert sorted(granted) == sorted(needed)


def test_settings_reach_the_functions_that_may_know_them() -> None:
    settings = {
        "DTROVE_MAX_CLUSTER_SIZE": "7",
        "DTROVE_TOKENS": "{}",
        "DTROVE_IDENTITY": "keystone",
        **{"OS_USERNAME": "dtrove", "OS_PASSWORD": "x", "OS_PROJECT_ID": "p"},
    }

    template = completed(packaged(), NOWHERE, settings)

    def told(setting: str) -> set[str]:
        functions = all_of("AWS::Serverless::Function", template["Resources"])
        return {name for name, each in functions.items() if setting in each.get("Environment", {}).get("Variables", {})}

    assert told("DTROVE_MAX_CLUSTER_SIZE") == FUNCTIONS
    assert told("DTROVE_TOKENS") == {"APIHandler"}
    assert told("DTROVE_IDENTITY") == {"APIHandler"}
    assert told("OS_PASSWORD") == {"APIHandler", "Cloud", "SweepCloud"}
    assert template["Parameters"]["OsPassword"] == {"Type": "String", "NoEcho": True}


def test_wrong_settings_are_refused_before_anything_is_deployed() -> None:
    wrong = {
        "DTROVE_MAX_CLUSTERS": "7",
        "DTROVE_TOKEN": "a caller's",
        "PATH": "/bin",
        "DTROVE_MAX_CLUSTER_SIZE": "many",
        "DTROVE_PREFIX": "sudo vzctl exec %(lokal_id)s ",
    }
    for variable, value in wrong.items():
        with pytest.raises(ConfigError, match=f"^{variable}: "):
            completed(packaged(), NOWHERE, {variable: value})


def statements(policy: Path) -> Iterator[tuple[str, str]]:
    for statement in statements_of(policy):
        if statement["Effect"] == "Allow":
            yield from ((action, json.dumps(statement["Resource"])) for action in statement["Action"])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_policies_name_actions_and_resources(policy: Path) -> None:
    for action, resources in statements(policy):
        assert "*" not in action
        assert ('"*"' in resources) == action.startswith("ec2:")  # Lambda's own, which know no resources
        if action.startswith("dynamodb:"):
            assert re.search(r"table/\$\{AWS::StackName\}-\w+", resources)
            assert "dynamodb:Scan" not in action


def test_secrets_are_sealed_and_opened_by_whom_the_design_says() -> None:
    def allowed(action: str) -> set[str]:
        found = {policy.name for policy in POLICIES if action in dict(statements(policy))}
        return {name.removeprefix("policy-").removesuffix(".json") for name in found}

    assert allowed("kms:GenerateDataKey") == {"api", "records", "scheduler"}
    assert allowed("kms:Decrypt") == {"api", "guest", "reads"}  # the API its own answers: test_who_opens_what.py
    assert '"kms:EncryptionContextKeys": ["answer_id"]' in (ROOT / ".chalice" / "policy-api.json").read_text()
    assert "reads" not in allowed("dynamodb:PutItem") | allowed("dynamodb:UpdateItem") | allowed("dynamodb:DeleteItem")
    assert allowed("s3:PutObject") == {"guest"}
    assert allowed("s3:DeleteObject") == {"api", "guest", "records"}
    assert allowed("s3:GetObject") == {"guest", "reads"}
    assert allowed("s3:ListBucket") == {"api", "guest", "reads", "records"}
    assert allowed("events:PutEvents") == allowed("dynamodb:GetRecords") == {"announce"}
    assert allowed("states:StartExecution") == {"api", "scheduler", "sweep"}
    assert allowed("states:DescribeExecution") == {"outcomes", "sweep"}


def test_functions_delete_what_they_forget_and_nothing_else() -> None:
    found = {
        (policy.name.removeprefix("policy-").removesuffix(".json"), table)
        for policy in POLICIES
        for action, resources in statements(policy)
        for table in re.findall(r"table/\$\{AWS::StackName\}-(\w+)", resources)
        if action == "dynamodb:DeleteItem"
    }

    turns = {("outcomes", "instances"), ("sweep", "instances")}
    assert found == turns | {
        *(("api", each) for each in ("answers", "backups", "configurations", "instances", "schedules")),
        *(("records", each) for each in ("backups", "clusters", "instances", "keys", "schedules")),
        ("scheduler", "schedules"),
        ("sweep-cloud", "flavors"),
    }


def test_functions_reach_logs_and_backups_and_nothing_else_of_the_bucket() -> None:
    """The API takes backups away, and reads none; what reads logs for it reads no backup."""
    reached: dict[str, set[str]] = {"logs": set(), "backups": set()}
    for policy in POLICIES:
        for statement in statements_of(policy):
            if statement["Action"] == ["s3:ListBucket"]:
                (folder,) = [
                    each for each in reached if statement["Condition"] == {"StringLike": {"s3:prefix": f"{each}/*"}}
                ]
                reached[folder].add(policy.stem)
            elif statement["Action"][0].startswith("s3:"):
                (folder,) = [
                    each for each in reached if statement["Resource"] == {"Fn::Sub": f"${{ObjectsBucket.Arn}}/{each}/*"}
                ]
                reached[folder].add(policy.stem)
    assert reached == {
        "logs": {"policy-guest", "policy-reads", "policy-records"},
        "backups": {"policy-api", "policy-guest", "policy-records"},
    }


def test_published_logs_are_encrypted_private_and_expire_when_the_setting_says() -> None:
    bucket = RESOURCES["ObjectsBucket"]["Properties"]

    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    rule, *_ = bucket["LifecycleConfiguration"]["Rules"]
    setting = parameter_name("DTROVE_LOG_RETENTION_DAYS")
    assert (rule["Prefix"], rule["Status"], rule["ExpirationInDays"]) == ("logs/", "Enabled", {"Ref": setting})
    assert TEMPLATE["Parameters"][setting]["Default"] == Config.dtrove_log_retention_days
    chosen = completed(packaged(), NOWHERE, {"DTROVE_LOG_RETENTION_DAYS": "7"})
    assert chosen["Parameters"][setting] == {"Type": "String", "NoEcho": True}


@pytest.mark.parametrize("name", STAGES)
def test_each_function_has_a_policy_of_its_own(name: str) -> None:
    stage = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"][name]

    assert stage["api_gateway_endpoint_type"] == "REGIONAL"
    files = [stage["iam_policy_file"], *(each["iam_policy_file"] for each in stage["lambda_functions"].values())]
    assert sorted(files) == [policy.name for policy in POLICIES]
    assert not stage["autogen_policy"]


def test_only_functions_that_reach_guests_or_the_cloud_are_in_the_vpc() -> None:
    conditions = {
        name: each["Properties"]["VpcConfig"]["Fn::If"][0]
        for name, each in RESOURCES.items()
        if "VpcConfig" in each["Properties"]
    }

    reach = {"Cloud", "Guest", "Reads", "SweepCloud"}
    assert conditions == dict.fromkeys(reach, "InVpc") | {"APIHandler": "ApiInVpc"}
    for policy in POLICIES:
        name = policy.stem.removeprefix("policy-").replace("-", " ").title().replace(" ", "")
        network = [each for each in statements_of(policy) if each["Action"][0].startswith("ec2:")]
        assert [each["Effect"] for each in network] == (["Allow", "Deny"] if name in reach | {"Api"} else [])


def test_a_secret_is_read_by_whom_it_is_for() -> None:
    def readers(words: str) -> set[str]:
        reads = "secretsmanager:GetSecretValue"
        found = {policy.stem: [words for action, words in statements(policy) if action == reads] for policy in POLICIES}
        assert all(len(resources) <= 1 for resources in found.values())
        return {
            name.removeprefix("policy-") for name, resources in found.items() if resources and words in resources[0]
        }

    assert readers("CloudSecretArn") == {"api", "cloud", "sweep-cloud"}
    assert readers("secret:${AWS::StackName}/ssh/*") == {"guest", "reads"}


def test_prod_keeps_what_customers_trust_it_with_and_dev_leaves_nothing() -> None:
    def kept(stage: str) -> set[str]:
        found = completed(packaged(), NOWHERE, {}, STAGES[stage])["Resources"]
        return {name for name, each in found.items() if str(each.get("DeletionPolicy", "")).startswith("Retain")}

    tables = {name for name, each in all_of("AWS::DynamoDB::Table").items() if "DeletionProtectionEnabled" in each}
    assert kept("prod") == tables | {"DataKey", "ObjectsBucket"}
    assert tables == set(all_of("AWS::DynamoDB::Table")) - {"AnswersTable", "FlavorsTable", "RatesTable"}
    assert kept("dev") == set()
    relaxed = completed(packaged(), NOWHERE, {}, DEV)["Resources"]
    assert not any("DeletionProtectionEnabled" in each for each in all_of("AWS::DynamoDB::Table", relaxed).values())


@pytest.mark.parametrize(("stage", "days"), [("dev", 14), ("prod", 365)])
def test_each_function_logs_into_a_group_that_forgets(stage: str, days: int) -> None:
    resources = completed(packaged(), NOWHERE, {}, STAGES[stage])["Resources"]

    groups = all_of("AWS::Logs::LogGroup", resources)
    assert set(groups) == {f"{name}Log" for name in FUNCTIONS} | {"MachinesLog"}
    assert {each["RetentionInDays"] for each in groups.values()} == {days}
    for name, function in all_of("AWS::Serverless::Function", resources).items():
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}Log"}
    for policy in POLICIES:
        (log,) = [each for each in statements_of(policy) if each["Sid"] == "LambdaLogs"]
        assert log["Resource"]["Fn::GetAtt"][0] in groups


def test_what_fails_to_the_last_try_waits_for_a_person() -> None:
    letters = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    rules = all_of("AWS::Events::Rule")
    for target in (each for rule in rules.values() for each in rule["Targets"]):
        assert (target["DeadLetterConfig"], set(target["RetryPolicy"])) == (
            {"Arn": letters},
            {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"},
        )
        function = RESOURCES[target["Arn"]["Fn::GetAtt"][0]]["Properties"]
        assert function["EventInvokeConfig"]["DestinationConfig"] == {
            "OnFailure": {"Type": "SQS", "Destination": letters}
        }
    (statement,) = RESOURCES["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == [{"Fn::GetAtt": [name, "Arn"]} for name in rules]
