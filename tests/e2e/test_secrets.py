"""Secrets stay where they belong: looked for wherever the service writes."""

import json
import re

import pytest

from local.api import Api
from local.service import STACK, Service
from tests.e2e.clusters import VERSIONS, Ordered

pytestmark = pytest.mark.guests
TABLES = ("clusters", "instances", "keys", "jobs", "projects")


@pytest.mark.parametrize("datastore", VERSIONS)
def test_no_secret_is_in_records_histories_logs_or_on_command_lines(running: Service, api: Api, datastore: str) -> None:
    cluster = Ordered.by(api, datastore, 2, volume_gib=None)
    admin = Api(api.url, running.tokens["DTROVE_ADMIN_TOKEN"])
    look = {"perform": {"name": "look", "commands": ["ps axww -o args", "journalctl --no-pager -o cat"]}}
    seen = []
    for instance in cluster.instances():
        job_id = admin.post(f"/mgmt/instances/{instance['id']}/action", look)["job"]["id"]
        cluster.ends(job_id)
        seen.append(str(admin.get(f"/jobs/{job_id}")["job"]["output"]))

    written = {
        "records": json.dumps([scan(running, table) for table in TABLES], default=str),
        "histories": histories(running),
        "logs": running.aws.log.read_text(errors="replace") + function_logs(running),
        "guests": "\n".join(seen),
    }

    assert "root@" in written["guests"]
    assert '"step":"prepare_datastore"' in written["logs"]
    for place, text in written.items():
        assert cluster.password not in text, place
        assert not re.search(r"BEGIN [A-Z ]*PRIVATE KEY", text), place
        assert not any(token in text for token in running.tokens.values()), place
    cluster.delete()


def scan(running: Service, table: str) -> object:
    return running.aws.client("dynamodb").scan(TableName=f"{STACK}-{table}")["Items"]


def function_logs(running: Service) -> str:
    logs = running.aws.client("logs")
    names = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    pages = [page for name in names for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)]
    return "\n".join(event["message"] for page in pages for event in page["events"])


def histories(running: Service) -> str:
    states = running.aws.client("stepfunctions")
    texts = []
    for machine in states.list_state_machines()["stateMachines"]:
        for each in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            texts.append(str(states.get_execution_history(executionArn=each["executionArn"], maxResults=1000)))
    return "\n".join(texts)
