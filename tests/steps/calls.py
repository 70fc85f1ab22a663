"""How a state machine calls a step, and what the step did to the record."""

from typing import Any

from chalicelib.jobs.beginnings import execution_arn
from chalicelib.models.instance import Instance
from chalicelib.orders.placing import Placed


def event(placed: Placed, step: str, **execution: Any) -> dict[str, Any]:
    ids = placed.cluster.instance_ids
    baton = {"cluster_id": placed.cluster.cluster_id, "primary_id": ids[0], "instance_id": ids[0]}
    context = {"Id": execution_arn(placed.job), "Name": placed.job.job_id, **execution}
    return {"step": step, "execution": context, "baton": baton}


def first(placed: Placed) -> Instance:
    return Instance.get(placed.cluster.instance_ids[0], consistent_read=True)
