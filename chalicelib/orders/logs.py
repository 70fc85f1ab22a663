"""What may be asked of a log of an instance: it is switched, discarded and published by a job of its own."""

from collections.abc import Sequence

from chalicelib.datastores.logs import Log
from chalicelib.errors import BadRequest, Unprocessable
from chalicelib.jobs.beginnings import draft, take_lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.record import transaction
from chalicelib.models.shelved import note_shelved
from chalicelib.models.status import Status
from chalicelib.orders.fields import Fields
from chalicelib.orders.placing import Placed, once
from chalicelib.orders.requester import Requester

SWITCHING = ("enable", "disable")
ACTS = (*SWITCHING, "discard", "publish")  # in the order in which they are done


def read_acts(fields: Fields) -> list[str]:
    """Read what Trove's `{"name": …, "publish": 1, …}` asks for beside the name. Raises BadRequest."""
    fields.only("name", *ACTS)
    acts = [each for each in ACTS if fields.is_true(each)]
    if set(SWITCHING) <= set(acts):
        raise fields.wrong("disable", "cannot be asked for beside enable")
    return acts


def read_words(fields: Fields, key: str) -> list[str]:
    """Read the same as words, as somebody at the console writes them: "discard publish". Raises BadRequest."""
    words = fields.text(key).split()
    if strangers := set(words) - set(ACTS):
        raise fields.wrong(key, f"has {sorted(strangers)[0]!r}, which is none of {', '.join(ACTS)}")
    return read_acts(Fields(dict.fromkeys(words, 1), "input"))


def place_log_change(instance: Instance, log: Log, acts: Sequence[str], by: Requester) -> Placed:
    """Record the job that does it. Raises BadRequest, Unprocessable, NotFound."""
    if log.switch is None and (asked := set(acts) & set(SWITCHING)):
        raise BadRequest(f"Validation error: body[{asked.pop()!r}]: the log {log.name} is the system's, and always on")

    def place() -> Placed:
        cluster = Cluster.of_project(by.project_id, instance.cluster_id)
        fresh = Instance.of_project(by.project_id, instance.instance_id)
        if fresh.status != Status.ACTIVE:
            raise Unprocessable(
                f"Instance {fresh.instance_id} is {fresh.status}: its logs can be changed once it serves."
            )
        job = draft("change_log", cluster, [fresh.instance_id], by.user, by.attempt.job_id)
        job.title, job.log, job.acts = f"{' '.join(acts)} {log.name}", log.name, list(acts)
        with transaction() as batch:
            take_lock(batch, job, cluster, [])
            # Whoever is to forget the instance begins with another status, and sees the note.
            batch.condition_check(Instance, fresh.instance_id, condition=Instance.status == Status.ACTIVE)
            if "publish" in acts:
                note_shelved(batch, fresh.instance_id)
        return Placed(cluster, [fresh], job)

    return once(by, place)
