"""perform: an administrator's own commands on one instance, run once, with their output kept in the job."""

from chalicelib.errors import NotReady, Permanent
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.ssh.guest import File, Guest, UnitState
from chalicelib.steps.step import errand_step

FOLDER = "/var/lib/dtrove/perform"


@errand_step
def run_commands(job: Job, cluster: Cluster, instance: Instance, guest: Guest) -> None:
    """Run the job's commands as one unit. A mark on disk tells, after a reboot, that they were begun."""
    unit, script, mark = f"dtrove-perform-{job.job_id}", f"{FOLDER}/{job.job_id}", f"{FOLDER}/{job.job_id}.begun"
    state = guest.state(unit, wait_seconds=1)
    if state is UnitState.NOT_STARTED:
        if guest.run("test -e {mark} && echo begun || echo new", mark=mark).strip() == "begun":
            raise Permanent(f"'{job.title}' was interrupted on {instance.name}: it is not run again.")
        guest.write(File(script, script_of(job, instance), mode=0o700))
        guest.start(unit, "touch {mark} && exec {script}", mark=mark, script=script)
        raise NotReady(f"'{job.title}' runs on {instance.name}.")
    if state is UnitState.RUNNING:
        raise NotReady(f"'{job.title}' runs on {instance.name}.")
    job.output = guest.output(unit)
    job.save_running()
    guest.run("rm -f {script}", script=script)
    if state is UnitState.FAILED:
        raise Permanent(f"'{job.title}' failed on {instance.name}; its output is in the job.")


def script_of(job: Job, instance: Instance) -> str:
    """Return a script that shows each command before its output, and stops at the first that fails."""
    lines = ["#!/bin/sh"]
    for command in job.commands or []:
        shown = f"[{instance.user}@{instance.address}] run: {command}"
        quoted = "'" + shown.replace("'", "'\\''") + "'"
        lines += [f"printf '%s\\n' {quoted}", f"( {command}\n) || exit $?"]
    return "\n".join(lines) + "\n"
