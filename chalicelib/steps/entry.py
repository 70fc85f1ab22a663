"""Where a Lambda enters a step: finds it, maps what it raises, logs one line."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from traceback import extract_tb
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import journal, steps
from chalicelib.datastores import check_managers
from chalicelib.errors import ConfigError, NotReady, Permanent, ServiceError, Transient
from chalicelib.jobs import sweep as sweeping
from chalicelib.metrics import DEFECTS, STEP_SECONDS, counted
from chalicelib.models.job import Job
from chalicelib.models.record import Stale
from chalicelib.models.status import JobStatus
from chalicelib.orders.due import tick
from chalicelib.providers import get_provider
from chalicelib.steps import reads as reading
from chalicelib.steps.announcing import announce
from chalicelib.steps.cloud import refresh_flavors, refresh_volume_types, sweep_cloud
from chalicelib.steps.execution import Baton, Execution
from chalicelib.steps.step import STEPS, Step
from chalicelib.steps.world import current

PASSING = {
    "ConditionalCheckFailedException",  # another invocation of the step saved first: read again
    "InternalError",
    "InternalServerError",
    "InternalServiceError",
    "ItemCollectionSizeLimitExceededException",
    "KMSInternalException",
    "LimitExceededException",
    "OperationAborted",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottlingException",
    "TransactionCanceledException",
    "TransactionInProgressException",
}


def run_step(event: dict[str, Any], privilege: str, context: Any = None) -> Baton:
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
    ids = {name: baton.get(name) for name in ("cluster_id", "instance_id")}
    with told(context, job_id=execution.job_id, step=name, **ids):
        return timed(name, lambda: step_of(name, privilege).run(baton, execution) or baton)


def step_of(name: str, privilege: str) -> Step:
    step = STEPS.get(name)
    if step is None or step.privilege != privilege:
        raise Permanent(f"{name} is not a step of {privilege}.")
    return step


def timed(name: str, work: Callable[[], Baton]) -> Baton:
    """Do the work of the step, and write how long it took and what came of it. Raises as run_step does."""
    began = current().monotonic()
    try:
        done = work()
    except Exception as error:
        ours, is_defect = as_outcome(error), foreseen(error) is None
        outcome = "Defect" if is_defect else type(ours).__name__
        if is_defect:
            journal.tell_defect("a defect of ours", error)
        current().log(step_line(name, outcome, began) | {"error": str(ours)})
        raise ours from error
    current().log(step_line(name, "ok", began))
    return done


def step_line(name: str, outcome: str, began: float) -> dict[str, Any]:
    seconds = round(current().monotonic() - began, 3)
    values = {STEP_SECONDS: seconds} | ({DEFECTS: 1} if outcome == "Defect" else {})
    known = name if name in STEPS else "unknown"  # whoever writes a state machine by hand may ask for anything
    return {**journal.known(), "outcome": outcome, "seconds": seconds, **counted(values, step=known, outcome=outcome)}


def run_read(event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Answer a read of the API's; see steps/reads.py."""
    ready("guest")
    if event.get("warm"):
        return {}
    ids = {"instance_id": event.get("instance_id"), "request_id": event.get("request_id")}
    with told(context, **ids):
        began = current().monotonic()
        answer = reading.read(event)
        seconds = round(current().monotonic() - began, 3)
        journal.tell("read", read=event["read"], seconds=seconds, refused=answer.get("refused", [None])[0])
        return answer


@contextmanager
def told(context: Any, **ids: str | None) -> Iterator[None]:
    """Have all lines of this invocation tell Lambda's own id of it, which tests have none of, and these.

    Lambda writes what a function raises: of what nobody foresaw that may only be where it happened.
    """
    with journal.invocation(aws_request_id=getattr(context, "aws_request_id", None), **ids):
        try:
            yield
        except Exception as error:
            if foreseen(error) is not None or isinstance(error, ConfigError):
                raise
            journal.tell_defect("a defect of ours", error, **counted({DEFECTS: 1}))
            raise as_outcome(error) from None


@cache
def ready(privilege: str) -> None:
    """Import all steps, and the classes that the settings name for them. Raises ConfigError if one is none."""
    write_as_powertools()
    steps.load()
    if privilege == "cloud":
        get_provider()  # which asks nothing of its cloud yet
    if privilege == "guest":
        check_managers()


def snake_case(state: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", state).lower()


def as_outcome(error: Exception) -> NotReady | Transient | Permanent:
    """Return the one of the three that the error amounts to. An unforeseen one says where, not what."""
    if (outcome := foreseen(error)) is not None:
        return outcome
    frame = extract_tb(error.__traceback__)[-1]
    return Permanent(f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}")


def foreseen(error: Exception) -> NotReady | Transient | Permanent | None:
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
    return None


def foreign(code: str | None, message: str) -> Transient | Permanent:
    return Transient(message) if code is None or code in PASSING else Permanent(message)


def settle_execution(detail: dict[str, Any], context: Any = None) -> str | None:
    """Close the job of an execution that ended, by what Step Functions says of it now: the event may be late."""
    write_as_powertools()
    with told(context, job_id=detail["name"]):
        job = Job.find(detail["name"])
        if job is None or job.status != JobStatus.RUNNING:
            return None
        journal.about(cluster_id=job.cluster_id)
        said = sweeping.settle(job)
        journal.tell("settled", logging.WARNING, said=said)
        return said


def sweep_jobs(context: Any = None) -> list[str]:
    write_as_powertools()
    with told(context):
        return sweeping.sweep()


def look_at_schedules(context: Any = None) -> int:
    write_as_powertools()
    with told(context):
        return tick()


def look_at_cloud(context: Any = None) -> dict[str, Any]:
    write_as_powertools()
    with told(context):
        provider = current().provider()
        return {
            "flavors": refresh_flavors(provider),
            "volume_types": refresh_volume_types(provider),
            "orphans": sweep_cloud(provider),
        }


def tell_changes(records: list[dict[str, Any]], context: Any = None) -> int:
    write_as_powertools()
    with told(context):
        return announce(records)


@cache
def write_as_powertools() -> None:
    """The API does without: it is 10 ms of import. See docs/decisions/0020-the-api-writes-its-own-lines.md."""
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter  # noqa: PLC0415

    journal.write_as(LambdaPowertoolsFormatter(service=journal.SERVICE, utc=True, use_rfc3339=True))
