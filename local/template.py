"""The template that chalice made, completed: where the code is, the state machines, log groups, the settings."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.config import Config
from chalicelib.errors import ConfigError
from chalicelib.models.instance import check_templates
from local.stages import DEV, Stage, let_go

Template = dict[str, Any]

FUNCTION = "AWS::Serverless::Function"
TASK_FUNCTIONS = ("records", "cloud", "guest")  # what a definition may call: `${records}` …
ONLY_FOR = {  # settings that not every function may know, by their prefix
    "OS_": {"APIHandler", "Cloud", "SweepCloud"},  # the API asks Keystone about tokens, as the service's own user
    "DTROVE_TOKENS": {"APIHandler"},
    "DTROVE_IDENTITY": {"APIHandler"},  # with keystone it needs OS_…, which others may not know
    "DTROVE_CLOUD_SECRET": {"APIHandler", "Cloud", "SweepCloud"},
}


@dataclass(frozen=True)
class Artifacts:
    """Where in S3 the bundle is, and each workflow's definition."""

    bucket: str
    code_key: str
    machines: Mapping[str, str]


def completed(template: Template, artifacts: Artifacts, settings: Mapping[str, str], stage: Stage = DEV) -> Template:
    """Return the template with the bundle, a machine for each definition, log groups and the settings.

    Raises:
        ConfigError: a setting has a wrong value, or is none.
    """
    template = copy.deepcopy(template)
    resources = template["Resources"]
    for name, function in _functions(template).items():
        function["Properties"]["CodeUri"] = {"Bucket": artifacts.bucket, "Key": artifacts.code_key}
        function["Properties"].setdefault("LoggingConfig", {})["LogGroup"] = {"Ref": f"{name}Log"}
        resources[f"{name}Log"] = log_group(f"/aws/lambda/${{AWS::StackName}}-{name}", stage)
    for workflow, key in artifacts.machines.items():
        resources[f"{_camel(workflow)}Machine"] = machine(workflow, artifacts.bucket, key)
    resources["MachinesLog"] = log_group("/aws/vendedlogs/states/${AWS::StackName}", stage)
    _set(template, settings)
    if not stage.keeps_records:
        let_go(resources)
    return template


def _functions(template: Template) -> dict[str, Any]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == FUNCTION}


def log_group(name: str, stage: Stage) -> Template:
    return {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": {"Fn::Sub": name}, "RetentionInDays": stage.log_retention_days},
    }


def machine(workflow: str, bucket: str, key: str) -> Template:
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": {"Fn::Sub": f"${{AWS::StackName}}-{workflow}"},
            "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
            "DefinitionS3Location": {"Bucket": bucket, "Key": key},
            "DefinitionSubstitutions": {name: {"Fn::GetAtt": [_camel(name), "Arn"]} for name in TASK_FUNCTIONS},
            "LoggingConfiguration": {
                "Level": "ERROR",
                "IncludeExecutionData": False,  # what is asked for from the console may hold what is nobody's business
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["MachinesLog", "Arn"]}}}],
            },
            "TracingConfiguration": {"Enabled": True},
        },
    }


def _set(template: Template, settings: Mapping[str, str]) -> None:
    check_templates(Config.from_environment(settings))
    known = {name.upper() for name in Config.__dataclass_fields__}
    if unknown := sorted(set(settings) - known):  # not even like ours, or for a caller's shell
        raise ConfigError("; ".join(f"{name}: there is no such setting" for name in unknown))
    for name in settings:
        template.setdefault("Parameters", {})[parameter_name(name)] = {"Type": "String", "NoEcho": True}
        for variables in _environments(template, name):
            variables[name] = {"Ref": parameter_name(name)}


def _environments(template: Template, setting: str) -> Iterator[Template]:
    told = next((names for prefix, names in ONLY_FOR.items() if setting.startswith(prefix)), None)
    for name, function in _functions(template).items():
        if told is None or name in told:
            environment = function["Properties"].setdefault("Environment", {})
            yield environment.setdefault("Variables", {})


def parameter_name(setting: str) -> str:
    """DTROVE_SSH_USER -> DtroveSshUser."""
    return _camel(setting.lower())


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
