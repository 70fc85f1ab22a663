"""Provisioning: from POST to ACTIVE, beside a shell script that does the same work."""

import os
import sys
import time
from dataclasses import dataclass, field
from statistics import median

from benchmarks import bare, site
from benchmarks.figures import Figure, Of, Section, tell
from benchmarks.tasks import Task, idle_seconds, profile, tasks
from local import images, service
from local.service import Service

ABOUT = """\
A Redis cluster of 512 MiB instances with a volume of 1 GiB each, ordered over the API of the embedded AWS. The
baseline is `benchmarks/bare_cluster.sh`: the same overlay over the same image, network namespace, limits, volume with
XFS, host key, boot until sshd answers, packages, rendered configuration and accounts, and replication until each
replica has what the primary has; on all instances in parallel, over one multiplexed SSH connection each, without any
service, record or retry. Ours and the script's take turns, each from an idle machine with synced disks. *cold* starts
from plain Debian and installs Redis by apt from the mirror; *golden* has the packages in the image. Ours ends when
the last transaction writes the job's end, the script when its last command does. Lambdas are warm: one cluster was
made before. Medians; the notes have the fastest and the slowest. *idle* is how long of ours no task ran at all: API,
state machine, waiting before a retry.
"""
IMAGES = {"cold": images.BASE, "golden": images.GOLDEN}
SIZES = 1, 3
COLD_MOST_RATIO = 1.25
GOLDEN_MOST_EXCESS_SECONDS = 2.0
LOG_SECONDS = 0.3  # the last task's log is written after its transaction


@dataclass
class Timings:
    ours: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    script: list[float] = field(default_factory=list)


def measure(rounds: int) -> Section:
    figures: list[Figure] = []
    with site.running() as running:
        for state, image in IMAGES.items():
            service.offer(running.aws, image)
            for size in SIZES:
                figures += figures_of(state, size, timed(running, state, size, rounds))
    return Section("From POST to ACTIVE", ABOUT, tuple(figures))


def timed(running: Service, state: str, size: int, rounds: int) -> Timings:
    timings = Timings()
    ours(running, size)
    for _ in range(rounds):
        os.sync()  # what one run wrote is not the next one's to wait for
        seconds, found, idle = ours(running, size)
        os.sync()
        with bare.made(IMAGES[state], size) as script_seconds:
            tell(f"{state} {size}: ours {seconds:.2f} s, script {script_seconds:.2f} s")
        tell(f"  idle {idle:.2f}, {profile(found)}")
        timings.ours.append(seconds)
        timings.idle.append(idle)
        timings.script.append(script_seconds)
    return timings


def ours(running: Service, size: int) -> tuple[float, list[Task], float]:
    """Make a cluster and delete it; return the seconds until it was ACTIVE, its tasks, and the seconds none ran."""
    began_at = time.time()
    cluster_id, job_id = site.create(running, size)
    ended_at = site.succeeded(running, job_id)
    time.sleep(LOG_SECONDS)
    found = tasks(running, began_at, ended_at + LOG_SECONDS)
    site.succeeded(running, site.delete(running, cluster_id))
    return ended_at - began_at, found, idle_seconds(found, began_at, ended_at)


def figures_of(state: str, size: int, timings: Timings) -> list[Figure]:
    spreads = (("ours", timings.ours), ("script", timings.script))
    note = ", ".join(f"{who} {min(values):.2f} to {max(values):.2f}" for who, values in spreads)
    most, of = (COLD_MOST_RATIO, Of.RATIO) if state == "cold" else (GOLDEN_MOST_EXCESS_SECONDS, Of.EXCESS)
    name = f"provision.{site.DATASTORE}.{state}.{size}"
    return [
        Figure(name, median(timings.ours), "s", median(timings.script), most, of, note),
        Figure(f"{name}.idle", median(timings.idle), "s"),
    ]


if __name__ == "__main__":
    print(measure(int(sys.argv[1])).to_json())
