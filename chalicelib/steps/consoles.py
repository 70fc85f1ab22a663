"""When a server does not come up: what its console shows is kept with the job, which then fails as it would have."""

import re

from chalicelib import config
from chalicelib.errors import Permanent
from chalicelib.jobs.sweep import reason_of
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Console, Job
from chalicelib.models.status import JobStatus
from chalicelib.providers.base import BaseProvider
from chalicelib.steps.execution import Baton, Execution
from chalicelib.steps.step import STEPS, Step, cloud_look_step

MOST_BYTES = 8_192  # of one console: a record holds 400 KB, and a cluster may have 40 instances
COLOURS = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\[\d+(?:;\d+)*m"
)  # of the last Nova took the escape


@cloud_look_step
def keep_console(job: Job, cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    """Keep the last lines of the instance's console, instead of those that an earlier try kept."""
    text = readable(provider.console(instance, config.current().dtrove_console_lines))
    if not text:
        return
    others = [each for each in job.consoles or [] if each.instance_id != instance.instance_id]
    job.consoles = [*others, Console(instance_id=instance.instance_id, name=instance.name, text=text)]
    job.save_running()


def readable(text: str) -> str:
    """Return the end of it without colours and control characters, from a line's beginning."""
    lines = COLOURS.sub("", text).splitlines()
    plain = "\n".join("".join(each for each in line if each.isprintable() or each == "\t") for line in lines).strip(
        "\n"
    )
    if len(whole := plain.encode()) <= MOST_BYTES:
        return plain
    end = whole[-MOST_BYTES:].decode(errors="ignore")
    return end.partition("\n")[2] or end


def give_up(baton: Baton, execution: Execution) -> Baton:
    """Fail with the error that was caught. Redriven, have the instance tried anew: a Fail state would fail again.

    It reads nothing and asks nobody, so no other error can come first.
    """
    if execution.redrive_count > baton.get("redriven", 0):
        return baton | {"redriven": execution.redrive_count}
    failure = baton["failure"]
    raise Permanent(reason_of(failure["Error"], failure.get("Cause"), JobStatus.FAILED))


STEPS["give_up"] = Step(give_up, "records")
