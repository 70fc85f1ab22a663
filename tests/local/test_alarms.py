"""Alarms and the dashboard: what they watch is what the code counts, and the runbook says what each means."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib import metrics
from tests.local.test_template import RESOURCES, ROOT, TEMPLATE, all_of

ALARMS = all_of("AWS::CloudWatch::Alarm")
STACK = {"Ref": "AWS::StackName"}
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]["dev"]
FUNCTIONS = tuple(CONFIG["lambda_functions"])
OURS = {each.name: each for each in metrics.ALL}
OF_AWS = {  # those that alarms watch: unit and dimensions, as the services' documents have them
    "AWS/Lambda": {
        "Errors": ("Count", {"FunctionName"}),
        "Throttles": ("Count", {"FunctionName"}),
        "Duration": ("Milliseconds", {"FunctionName"}),
        "IteratorAge": ("Milliseconds", {"FunctionName"}),
        "ConcurrentExecutions": ("Count", {"FunctionName"}),
    },
    "AWS/ApiGateway": {"5XXError": ("Count", {"ApiName", "Stage"})},
    "AWS/DynamoDB": {
        "ReadThrottleEvents": ("Count", {"TableName"}),
        "WriteThrottleEvents": ("Count", {"TableName"}),
    },
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible": ("Count", {"QueueName"})},
}


def runbook(document: Path = ROOT / "docs" / "runbook.md") -> dict[str, str]:
    """Return the sections by their anchors."""
    _, *sections = re.split(r"^## ", document.read_text(), flags=re.MULTILINE)
    return {title.strip().lower(): text for title, _, text in (each.partition("\n") for each in sections)}


def test_each_alarm_has_a_section_in_the_runbook_and_each_section_an_alarm() -> None:
    linked = {name: re.search(r"docs/runbook\.md#(\w+)$", each["AlarmDescription"]) for name, each in ALARMS.items()}

    assert all(linked.values()), linked
    assert {match[1] for match in linked.values() if match} == set(runbook())
    for title, text in runbook().items():
        assert re.findall(r"^\*(\w[\w ]*):\*", text, flags=re.MULTILINE) == ["Means", "Look at", "Do"], title


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_what_there_is(name: str) -> None:
    alarm = ALARMS[name]
    dimensions = {each["Name"] for each in alarm["Dimensions"]}

    if alarm["Namespace"] == metrics.NAMESPACE:
        ours = OURS[alarm["MetricName"]]
        assert (alarm["Unit"], dimensions) == (ours.unit, {"deployment", *ours.dimensions})
        assert {"Name": "deployment", "Value": STACK} in alarm["Dimensions"]
    else:
        assert (alarm["Unit"], dimensions) == OF_AWS[alarm["Namespace"]][alarm["MetricName"]]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert (
        alarm["AlarmActions"]
        == alarm["OKActions"]
        == {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    )
    assert RESOURCES[name]["Condition"] == "WithAlarms"


def watched(metric: str, namespace: str = "AWS/Lambda") -> dict[str, Any]:
    """Return the thresholds by what the alarms of that metric watch."""
    return {
        next(iter(each["Dimensions"][0]["Value"].values())): each["Threshold"]
        for each in ALARMS.values()
        if (each["Namespace"], each["MetricName"]) == (namespace, metric)
    }


def test_each_function_is_watched_for_failures_and_for_refused_calls() -> None:
    steps = ("records", "cloud", "guest")
    camel = {name: "".join(map(str.capitalize, name.split("_"))) for name in FUNCTIONS}

    assert set(watched("Throttles")) == {"APIHandler", *camel.values()}
    assert set(watched("Errors")) == {"APIHandler", *(camel[name] for name in FUNCTIONS if name not in steps)}
    limits = {camel[name]: CONFIG["lambda_functions"][name]["lambda_timeout"] * 1000 for name in steps}
    assert watched("Duration") == limits  # a step's errors are asked for, but none may reach its limit


def test_the_gateway_is_watched_under_the_name_that_chalice_gives_it() -> None:
    chalice = json.loads((ROOT / ".chalice" / "config.json").read_text())
    names = {each["Name"]: each["Value"] for each in ALARMS["GatewayFaults"]["Dimensions"]}

    assert names == {"ApiName": chalice["app_name"], "Stage": CONFIG["api_gateway_stage"]}


def test_tables_that_jobs_wait_for_are_watched() -> None:
    assert set(watched("ReadThrottleEvents", "AWS/DynamoDB")) == {"ClustersTable", "InstancesTable", "JobsTable"}
    assert set(watched("WriteThrottleEvents", "AWS/DynamoDB")) > {"ClustersTable", "InstancesTable", "JobsTable"}


def shown() -> Iterator[tuple[str, str, set[str]]]:
    """Yield each metric of the dashboard: namespace, name, dimensions."""
    body = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    for widget in body["widgets"]:
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                found = re.match(r"SEARCH\('\{(\w+),([\w,]+)\} MetricName=\"(\w+)\"", metric[0]["expression"])
                assert found, metric
                yield found[1], found[3], set(found[2].split(","))
            else:
                names = [each for each in metric if isinstance(each, str)]
                yield names[0], names[1], set(names[2::2])


def test_the_dashboard_shows_what_there_is_and_all_that_we_count() -> None:
    for namespace, name, dimensions in shown():
        if namespace == metrics.NAMESPACE:
            assert dimensions == {"deployment", *OURS[name].dimensions}
        else:
            assert dimensions == OF_AWS[namespace][name][1]
    assert {name for namespace, name, _ in shown() if namespace == metrics.NAMESPACE} == set(OURS)


def test_widgets_lie_beside_and_below_each_other() -> None:
    body = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    places = [(each["x"] + column, each["y"]) for each in body["widgets"] for column in range(each["width"])]

    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_the_topic_is_a_choice() -> None:
    assert TEMPLATE["Parameters"]["AlarmTopic"]["Default"] == ""
    assert TEMPLATE["Conditions"]["HasAlarmTopic"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopic"}, ""]}]}


def test_the_document_names_each_metric_as_it_is() -> None:
    document = (ROOT / "docs" / "observability.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|", document, re.MULTILINE)

    assert {(name, unit, tuple(re.findall(r"`(\w+)`", dimensions))) for name, unit, dimensions in rows} == {
        (each.name, each.unit, each.dimensions) for each in metrics.ALL
    }


def test_no_part_of_the_template_hides_another() -> None:
    """YAML lets a key come twice, and forgets the first."""
    root = yaml.compose((ROOT / "resources.yaml").read_text())
    assert isinstance(root, yaml.MappingNode)
    for keys in [keys_of(root), *(keys_of(part) for _, part in root.value if isinstance(part, yaml.MappingNode))]:
        assert len(keys) == len(set(keys))


def keys_of(node: yaml.MappingNode) -> list[str]:
    return [str(key.value) for key, _ in node.value]
