"""Where a Lambda enters a step: finds it, maps what it raises, logs one line."""

import re
from functools import cache
from pathlib import Path
from traceback import extract_tb
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import steps
from chalicelib.datastores import check_managers
from chalicelib.errors import NotReady, Permanent, ServiceError, Transient
from chalicelib.jobs import sweep as sweeping
from chalicelib.models.job import Job
from chalicelib.models.record import Stale
from chalicelib.models.status import JobStatus
from chalicelib.providers import get_provider
from chalicelib.steps import reads as reading
from chalicelib.steps.cloud import refresh_flavors, refresh_volume_types, sweep_cloud
from chalicelib.steps.execution import Baton, Execution
from chalicelib.steps.step import STEPS
from chalicelib.steps.world import current

PASSING = {
    "ConditionalCheckFailedException",  # another invocation of the step saved first: read again
    "InternalServerError",
    "InternalServiceError",
    "ItemCollectionSizeLimitExceededException",
    "KMSInternalException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionCanceledException",
    "TransactionInProgressException",
}


def run_step(event: dict[str, Any], privilege: str) -> Baton:
    """Run the step that a state machine asks for and return the baton.

    Raises NotReady, Transient or Permanent; ConfigError if this function cannot start.
    """
    ready(privilege)
    if event.get("warm"):  # a call made to start a worker: the imports were its purpose
        return {}
    name = snake_case(event["step"])
    baton, execution = event["baton"], Execution.of(event["execution"])
    if not isinstance(baton, dict):
        raise Permanent("The input must be a JSON object; see statemachines/README.md.")
    began, outcome = current().monotonic(), "ok"
    try:
        step = STEPS.get(name)
        if step is None or step.privilege != privilege:
            raise Permanent(f"{name} is not a step of {privilege}.")
        return step.run(baton, execution) or baton
    except Exception as error:
        ours = as_outcome(error)
        outcome = f"{type(ours).__name__}: {ours}"
        raise ours from error
    finally:
        current().log(
            {
                "step": name,
                "job_id": execution.job_id,
                "cluster_id": baton.get("cluster_id"),
                "instance_id": baton.get("instance_id"),
                "outcome": outcome,
                "seconds": round(current().monotonic() - began, 3),
            }
        )


def run_read(event: dict[str, Any]) -> dict[str, Any]:
    """Answer a read of the API's; see steps/reads.py."""
    ready("guest")
    if event.get("warm"):
        return {}
    return reading.read(event)


@cache
def ready(privilege: str) -> None:
    """Import all steps, and the classes that the settings name for them. Raises ConfigError if one is none."""
    steps.load()
    if privilege == "cloud":
        get_provider()  # which asks nothing of its cloud yet
    if privilege == "guest":
        check_managers()


def snake_case(state: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", state).lower()


def as_outcome(error: Exception) -> NotReady | Transient | Permanent:
    """Return the one of the three that the error amounts to. An unforeseen one says where, not what."""
    match error:
        case NotReady() | Transient():
            return error
        case Permanent() | ServiceError():
            return Permanent(str(error))
        case Stale() | BotoCoreError():
            return Transient(str(error))
        case PynamoDBException():
            code = error.cause_response_code
            return foreign(code, f"DynamoDB: {code or type(error.cause).__name__}")
        case ClientError():
            code = error.response.get("Error", {}).get("Code")
            return foreign(code, f"{error.operation_name}: {code}")
    frame = extract_tb(error.__traceback__)[-1]
    return Permanent(f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}")


def foreign(code: str | None, message: str) -> Transient | Permanent:
    return Transient(message) if code is None or code in PASSING else Permanent(message)


def settle_execution(detail: dict[str, Any]) -> str | None:
    """Close the job of an execution that ended, by what Step Functions says of it now: the event may be late."""
    job = Job.find(detail["name"])
    if job is None or job.status != JobStatus.RUNNING:
        return None
    return sweeping.settle(job)


def sweep_jobs() -> list[str]:
    return sweeping.sweep()


def look_at_cloud() -> dict[str, Any]:
    provider = current().provider()
    return {
        "flavors": refresh_flavors(provider),
        "volume_types": refresh_volume_types(provider),
        "orphans": sweep_cloud(provider),
    }
