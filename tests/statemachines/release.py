"""The last release as far as executions remember it: its state machines, and the batons that its steps handed on.

An execution runs to its end by the definition it began with, while an update brings new code to the steps it has yet to
call. So each release's steps carry out the last one's definitions. `python -m tests.statemachines.release` keeps
today's as the last: part of making a release, and of nothing else.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import console

if TYPE_CHECKING:
    from chalicelib.models.cluster import Cluster
    from tests.simulation.service import Simulation

FILE = Path(__file__).with_name("last_release.json")
STATEMACHINES = Path(__file__).parents[2] / "statemachines"
GROUP_ID = "by-hand"
Baton = dict[str, Any]
Shape = dict[str, str]  # type of each key


@dataclass(frozen=True)
class Release:
    definitions: dict[str, Any]  # by workflow
    opened: dict[str, Shape]  # what OpenJob handed on

    @classmethod
    def last(cls) -> "Release":
        return cls(**json.loads(FILE.read_text()))

    @classmethod
    def of_today(cls, simulation: "Simulation") -> "Release":
        definitions = {
            path.name.removesuffix(".asl.json"): json.loads(path.read_text())
            for path in sorted(STATEMACHINES.glob("*.asl.json"))
        }
        opened: dict[str, Shape] = {}

        def note(workflow: str, baton: Baton) -> Baton:
            opened[workflow] = shape(baton)
            return baton

        carry_out(simulation, definitions, note)
        return cls(definitions, opened)


def shape(baton: Baton) -> Shape:
    return {key: type(value).__name__ for key, value in sorted(baton.items())}


def carry_out(
    simulation: "Simulation", definitions: dict[str, Any], opened: Callable[[str, Baton], Baton]
) -> dict[str, str]:
    """Carry out each of these workflows that can be started by hand; return how each execution ended.

    `opened` is given what OpenJob answers, and returns what goes on in its place.
    """
    from chalicelib.models.backup import Backup
    from chalicelib.models.cluster import Cluster

    ids, ended = {"configuration_id": GROUP_ID}, {}
    for workflow, text in console.inputs().items():
        if workflow not in definitions:  # the last release had none
            continue
        ended[workflow] = run_by_hand(
            simulation, definitions[workflow], workflow, console.filled_in(text, **ids), opened
        )
        for cluster in Cluster.scan():
            first, *_, last = [*cluster.instance_ids, cluster.instance_ids[-1]]
            ids |= {"cluster_id": cluster.cluster_id, "instance_id": first, "replica_id": last}
            ids["schedule_id"] = planned(cluster)
        for backup in Backup.scan():
            ids["backup_id"] = backup.backup_id
    return ended


def planned(cluster: "Cluster") -> str:
    """Return the id of a schedule of the cluster's primary, making it first if need be."""
    from chalicelib.models.schedule import Schedule

    schedule_id = f"schedule-of-{cluster.cluster_id}"
    if Schedule.find(schedule_id) is None:
        Schedule(
            schedule_id=schedule_id,
            project_id=cluster.project_id,
            cluster_id=cluster.cluster_id,
            instance_id=cluster.primary_id,
            name="by-hand",
            cron="0 2 * * *",
            window_minutes=60,
            retention={"count": 7},
            is_paused=True,
        ).add()
    return schedule_id


def run_by_hand(
    simulation: "Simulation", definition: Any, workflow: str, text: str, opened: Callable[[str, Baton], Baton]
) -> str:
    from tests.conftest import SETTINGS
    from tests.simulation import executions
    from tests.simulation.machine import Failed, Machine

    prefix = SETTINGS["DTROVE_MACHINE_PREFIX"].replace(":stateMachine:", ":execution:")
    execution = executions.begun(f"{prefix}{workflow}:by-hand-{workflow}", text)

    def invoke(resource: str, event: dict[str, Any]) -> Any:
        answer = simulation.invoke(resource, event)
        return opened(workflow, answer) if event["step"] == "OpenJob" else answer

    context = {"Id": execution.execution_arn, "Name": execution.name}
    try:
        Machine(workflow, invoke, context, simulation.wait, definition=definition).run(json.loads(text))
    except Failed as failure:
        executions.end(execution, "FAILED", failure.error, failure.cause)
        return str(failure)
    executions.end(execution, "SUCCEEDED")
    return "SUCCEEDED"


def offer_group() -> None:
    """Have a configuration group, and a datastore whose answers no guest is needed for."""
    from chalicelib.models.configuration import Configuration
    from chalicelib.models.datastore import Datastore, version_id_of

    version = Datastore.of_version(version_id_of("redis", "7.0"))
    version.manager = "tests.ledger.LedgerManager"
    version.save()
    Configuration(
        configuration_id=GROUP_ID,
        project_id="demo",
        name="by-hand",
        values={"most": 20},
        datastore=version.datastore,
        datastore_version=version.version,
        datastore_version_id=version.version_id,
    ).add()


def main() -> None:
    from tests.conftest import account_in_moto, offer
    from tests.simulation.service import Simulation

    with account_in_moto():
        offer()
        offer_group()
        simulation = Simulation()
        simulation.install()
        release = Release.of_today(simulation)
    text = json.dumps({"definitions": release.definitions, "opened": release.opened}, indent=1)
    FILE.write_text(f"{text}\n")


if __name__ == "__main__":
    import tests.conftest  # noqa: F401 - settings, before any model is imported

    main()
