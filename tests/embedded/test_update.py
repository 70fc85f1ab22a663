"""An execution that began before an update ends after it, by the definition it began with, on the new code."""

import json
from datetime import timedelta

import pytest

from chalicelib.models.record import now
from local.package import package
from tests.embedded.service import Embedded
from tests.embedded.tour import at_gate, ends, leave

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("embedded")]

KEPT_DAYS = 1  # of ended jobs, in the new release: who closed a job is seen by when it expires


def test_a_creation_goes_on_over_an_update(service: Embedded) -> None:
    definition = service.project / "statemachines" / "create_cluster.asl.json"
    original = definition.read_text()
    changed = json.loads(original)
    changed["States"]["StartPrimary"] = {"Type": "Fail", "Error": "Permanent", "Cause": "not by this definition"}
    definition.write_text(json.dumps(changed))
    with (service.project / "app.py").open("a") as file:
        file.write("\nRELEASE = 'new'\n")
    package(service.project)  # takes its time, and is kept
    before = service.aws.client("lambda").get_function(FunctionName=service.outputs["CloudFunction"])
    with at_gate(service, "create server") as made:
        service.update(DTROVE_JOB_RETENTION_DAYS=str(KEPT_DAYS))
    after = service.aws.client("lambda").get_function(FunctionName=service.outputs["CloudFunction"])
    assert after["Configuration"]["CodeSha256"] != before["Configuration"]["CodeSha256"]
    assert after["Configuration"]["FunctionArn"] == before["Configuration"]["FunctionArn"]

    ends(service.api(), made["job_id"])

    table = service.aws.client("dynamodb")
    item = table.get_item(TableName="dtrove-jobs", Key={"job_id": {"S": made["job_id"]}})["Item"]
    assert int(item["expires_at"]["N"]) < (now() + timedelta(days=KEPT_DAYS + 1)).timestamp()
    definition.write_text(original)
    service.update()
    leave(service.api(), made["id"])
