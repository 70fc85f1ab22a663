"""The main job, watched: a three-instance cluster of each datastore, proven by real clients, then deleted."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

from local import aws, machine, service
from local.api import Api
from local.grounds import ground_of
from local.janitor import watched
from local.progress import Progress
from local.proof import CLIENTS, prove

SIZE = 3
FLAVOR = "2"
VOLUME_GIB = 1


@dataclass(frozen=True)
class Made:
    cluster_id: str
    name: str
    datastore: str
    password: str


def main(provider: str = service.NSPAWN) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    if aws.running(service.FOLDER / "aws"):
        sys.exit("The service is up here, and the demo takes down what it finds: `make down` first.")
    ground_of(provider, {}).claim(service.FOLDER, is_up=False)
    with watched(provider):
        try:
            play(began, provider)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it behind
            left = service.down(provider=provider)
            say(
                "\n".join(f"left: {each}" for each in left)
                or "Left on this machine: no guest, network, mount or volume"
            )
    say(f"Done in {time.monotonic() - began:.1f} s")
    return 1 if left else 0


def play(began: float, provider: str) -> None:
    say("Starting DTrove: image, embedded AWS, deployment")
    running = service.up(provider=provider)
    say(f"DTrove is up at {running.api_url} after {time.monotonic() - began:.1f} s\n")
    api = running.api()
    made = [create(api, datastore, version) for datastore, version, _ in service.OFFERED]
    for each in made:
        show(api, each)
    delete_all(api, made)
    say(f"Records left: {records_left(running)}")


def create(api: Api, datastore: str, version: str) -> Made:
    order: dict[str, Any] = {
        "name": f"demo-{datastore}",
        "datastore": {"type": datastore, "version": version},
        "size": SIZE,
        "flavorRef": FLAVOR,
        "volume": {"size": VOLUME_GIB},
    }
    cluster = api.post("/clusters", {"cluster": order})["cluster"]
    progress = Progress(f"{datastore} {version}: {SIZE} instances, {VOLUME_GIB} GiB each")
    job = api.await_job(cluster["job_id"], progress)
    if job["status"] != "SUCCEEDED":
        raise SystemExit(f"{datastore}: {job['status']}: {job['message']}")
    made = Made(cluster["id"], order["name"], datastore, cluster["password"])
    primary, replicas = addresses(api, made)
    seconds = prove(CLIENTS[datastore], primary, replicas, made.password)
    say(
        f"  ACTIVE after {progress.seconds:.1f} s; a row written on {primary} was on {' and '.join(replicas)}"
        f" {seconds:.2f} s later; replicas refuse writes\n"
    )
    return made


def addresses(api: Api, made: Made) -> tuple[str, list[str]]:
    """Return the primary's address and the replicas'."""
    instances: list[dict[str, Any]] = api.get(f"/clusters/{made.cluster_id}")["cluster"]["instances"]
    primary = next(each["ip"][0] for each in instances if each["role"] == "primary")
    return primary, [each["ip"][0] for each in instances if each["role"] == "replica"]


def show(api: Api, made: Made) -> None:
    primary, replicas = addresses(api, made)
    say(f"{made.name}, password {made.password}")
    for role, host in [("primary", primary), *(("replica", host) for host in replicas)]:
        say(f"  {role}  {CLIENTS[made.datastore].url.format(host=host)}")


def delete_all(api: Api, made: list[Made]) -> None:
    say("\nDeleting the clusters")
    for each in made:
        api.delete(f"/clusters/{each.cluster_id}")
    for each in made:
        job = api.await_job(api.newest_job(each.cluster_id)["id"])
        say(f"  {each.name}: {job['status']}")


def records_left(running: service.Service) -> str:
    """Count what the tables still hold of customers: jobs stay as history, and expire."""
    dynamodb = running.aws.client("dynamodb")
    counts = {
        noun: dynamodb.scan(TableName=f"{service.STACK}-{noun}", Select="COUNT")["Count"]
        for noun in ("clusters", "instances", "keys", "jobs")
    }
    jobs = counts.pop("jobs")
    return f"{', '.join(f'{count} {noun}' for noun, count in counts.items())} ({jobs} ended jobs, as history)"


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        machine.check()
        sys.exit(main(*sys.argv[1:]))
    except machine.Unfit as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        os._exit(130)
