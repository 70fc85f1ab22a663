"""Provisioning: from POST to ACTIVE, beside a shell script that does the same work."""

import os
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from benchmarks import bare, site, steps
from benchmarks.figures import Figure, Of, Section, tell
from benchmarks.steps import Invocation
from local import images, service
from local.service import Service

ABOUT = """\
A Redis cluster of 512 MiB instances with a volume of 1 GiB each, ordered over the API of the embedded AWS. The baseline
is `benchmarks/bare_cluster.sh`: the same overlay over the same image, network namespace, limits, volume with XFS, host
key, boot until sshd answers, packages, rendered configuration and accounts, and replication until each replica has what
the primary has; on all instances in parallel, over one multiplexed SSH connection each, without any service, record or
retry. Ours and the script's take turns, each from an idle machine with synced disks. *cold* starts from plain
Debian and installs Redis by apt from the mirror; *golden* has the packages in the image. Ours ends when the last
transaction writes the job's end, the script when its last command does. Lambdas are warm: one cluster was made before.
Medians; in brackets the fastest and the slowest. *service* is the part of ours outside of its steps: API, state machine,
starting Lambdas.
"""
IMAGES = {"cold": images.BASE, "golden": images.GOLDEN}
SIZES = 1, 3
COLD_MOST_RATIO = 1.25
GOLDEN_MOST_EXCESS_SECONDS = 2.0


@dataclass
class Timings:
    ours: list[float] = field(default_factory=list)
    script: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)


def measure(rounds: int) -> Section:
    with site.running() as running:
        figures = [
            each for state in IMAGES for size in SIZES for each in figures_of(state, size, timed(running, state, size, rounds))
        ]
    return Section("From POST to ACTIVE", ABOUT, tuple(figures))


def timed(running: Service, state: str, size: int, rounds: int) -> Timings:
    service.offer(running.aws, IMAGES[state])
    timings = Timings()
    ours(running, size)
    for _ in range(rounds):
        settle()
        seconds, tasks = ours(running, size)
        timings.ours.append(seconds)
        timings.outside.append(seconds - longest_path(tasks))
        settle()
        with bare.made(IMAGES[state], size) as script_seconds:
            timings.script.append(script_seconds)
        tell(f"{state} {size}: ours {seconds:.2f} s, script {script_seconds:.2f} s; {profile(tasks)}")
    return timings


def settle() -> None:
    """What one run wrote is not the next one's to wait for."""
    os.sync()


def ours(running: Service, size: int) -> tuple[float, list[Invocation]]:
    """Make a cluster and delete it; return the seconds until it was ACTIVE, and the steps that ran."""
    api = running.api()
    began = time.time()
    cluster = api.post("/clusters", site.order(size))["cluster"]
    site.succeeded(api, cluster["job_id"])
    seconds = finished_at(running, cluster["job_id"]) - began
    tasks = steps.invocations(running, cluster["job_id"])
    site.delete(api, cluster["id"])
    return seconds, tasks


def finished_at(running: Service, job_id: str) -> float:
    key = {"job_id": {"S": job_id}}
    job = running.aws.client("dynamodb").get_item(TableName=f"{service.STACK}-jobs", Key=key)["Item"]
    return datetime.strptime(job["finished_at"]["S"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def longest_path(tasks: list[Invocation]) -> float:
    """Return the seconds inside steps on the slowest way through the workflow: the branches of a Map run at once."""
    branches: dict[str | None, float] = {}
    for each in tasks:
        stage = each.instance_id and (each.step == "join_replica", each.instance_id)
        branches[str(stage)] = branches.get(str(stage), 0.0) + each.seconds
    alone = branches.pop("None", 0.0)
    stages = [max((value for key, value in branches.items() if key.startswith(f"({stage}")), default=0.0) for stage in (False, True)]
    return alone + sum(stages)


def profile(tasks: list[Invocation]) -> str:
    """Return each step's median and longest seconds."""
    names = list(dict.fromkeys(each.step for each in tasks))
    seconds = {name: [each.seconds for each in tasks if each.step == name] for name in names}
    return ", ".join(f"{name} {median(each):.2f}/{max(each):.2f}" for name, each in seconds.items())


def figures_of(state: str, size: int, timings: Timings) -> list[Figure]:
    spread = " · ".join(
        f"{who} {min(values):.2f}-{max(values):.2f}" for who, values in (("ours", timings.ours), ("script", timings.script))
    )
    most, of = (COLD_MOST_RATIO, Of.RATIO) if state == "cold" else (GOLDEN_MOST_EXCESS_SECONDS, Of.EXCESS)
    name = f"provision.{site.DATASTORE}.{state}.{size}"
    return [
        Figure(name, median(timings.ours), "s", median(timings.script), most, of, spread),
        Figure(f"{name}.service", median(timings.outside), "s"),
    ]


if __name__ == "__main__":
    print(measure(int(sys.argv[1])).to_json())
