"""Secrets stay where they belong: looked for wherever the service writes."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from chalicelib import aws, sealing
from chalicelib.models.cluster import Cluster
from chalicelib.models.key import Key
from local.api import Api
from local.service import STACK, Service
from tests.e2e.clusters import VERSIONS, Ordered

pytestmark = pytest.mark.guests
TABLES = ("clusters", "instances", "keys", "jobs", "projects")


@pytest.mark.parametrize("datastore", VERSIONS)
def test_no_secret_is_in_records_histories_logs_or_on_command_lines(running: Service, api: Api, datastore: str) -> None:
    cluster = Ordered.by(api, datastore, 2, volume_gib=None)
    drawn = f"Pw-{uuid4()}"
    primary = f"/instances/{cluster.instances('primary')[0]['id']}"
    api.post(f"{primary}/users", {"users": [{"name": "somebody", "password": drawn}]})
    root = api.post(f"{primary}/root", {})["user"]["password"]
    for job in api.get(f"/jobs?cluster_id={cluster.cluster_id}")["jobs"]:
        cluster.ends(job["id"])
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
    secrets = {cluster.password, drawn, root, *opened(running, cluster.cluster_id)}
    assert len(secrets) > 8
    for place, text in written.items():
        assert not any(secret in text for secret in secrets), place
        assert not re.search(r"BEGIN [A-Z ]*PRIVATE KEY", text), place
        assert not any(token in text for token in running.tokens.values()), place
    cluster.delete()


def opened(running: Service, cluster_id: str) -> Iterator[str]:
    """Yield what the service drew for the cluster and nobody was told: passwords, and each line of private keys."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aws, "client", running.aws.client)
        for table, attribute, model in (("keys", "private", Key), ("clusters", "passwords", Cluster)):
            for item in running.aws.client("dynamodb").scan(TableName=f"{STACK}-{table}")["Items"]:
                if item["cluster_id"]["S"] == cluster_id:
                    sealed = getattr(model.from_raw_data(item), attribute)
                    lines = "\n".join(sealing.unseal(cluster_id, sealed).values()).splitlines()
                    yield from (line for line in lines if line and "KEY-----" not in line)


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
