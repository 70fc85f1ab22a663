"""What is counted: fields of log lines that CloudWatch reads as metrics (its embedded metric format). No call is made.

Each has the dimension `deployment`, and those named here: words of which there are few, never an id. A metric is there
only while something happens, so that an idle deployment has none and pays for none.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chalicelib import config

NAMESPACE: Final = "DTrove"


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    dimensions: tuple[str, ...] = ()  # beside `deployment`


COUNT, SECONDS = "Count", "Seconds"
JOBS: Final = Metric("Jobs", COUNT, ("workflow", "outcome"))
JOB_SECONDS: Final = Metric("JobSeconds", SECONDS, ("workflow",))  # from the order to its end
JOBS_FAILED: Final = Metric("JobsFailed", COUNT)  # also timed out; not those that somebody aborted
JOB_AGE: Final = Metric("OldestJobSeconds", SECONDS)  # of the open job that was asked for first
QUEUE_SECONDS: Final = Metric("QueueSeconds", SECONDS, ("workflow",))  # from the order to its first step
STEP_SECONDS: Final = Metric("StepSeconds", SECONDS, ("step", "outcome"))
DEFECTS: Final = Metric("Defects", COUNT)  # errors that nobody foresaw, of any function
SSH_CONNECT_SECONDS: Final = Metric("SshConnectSeconds", SECONDS)
REQUESTS: Final = Metric("Requests", COUNT, ("status_class",))
ORPHANS: Final = Metric("OrphansFound", COUNT)  # resources in the cloud that belong to nobody
ORPHANS_LEFT: Final = Metric("OrphansOverLimit", COUNT)  # so many that the sweep removed none of them
OVERDUE: Final = Metric("BackupsOverdue", COUNT)  # schedules without a backup of their time, of those looked at

ALL: Final = (
    *(JOBS, JOB_SECONDS, JOBS_FAILED, JOB_AGE, QUEUE_SECONDS, STEP_SECONDS, DEFECTS),
    *(SSH_CONNECT_SECONDS, REQUESTS, ORPHANS, ORPHANS_LEFT, OVERDUE),
)


def counted(values: Mapping[Metric, float], **dimensions: str) -> dict[str, Any]:
    """Return the fields that make a line count: all dimensions of these metrics must be given."""
    directives = [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [["deployment", *metric.dimensions]],
            "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
        }
        for metric in values
    ]
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": directives},
        "deployment": config.current().dtrove_deployment,
        **{name: dimensions[name] for metric in values for name in metric.dimensions},
        **{metric.name: value for metric, value in values.items()},
    }
