"""An instance's log: switched on or off, discarded, brought to S3 piece by piece."""

from chalicelib.datastores.base import BaseManager
from chalicelib.datastores.logs import Log, files_of, log_named, read_piece
from chalicelib.errors import NotReady
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.sizes import MIB
from chalicelib.ssh.guest import Guest
from chalicelib.steps import shelf
from chalicelib.steps.publishing import next_of, set_goal, stretches_of
from chalicelib.steps.step import errand_step
from chalicelib.steps.world import manager_for

PIECE_BYTES = 2 * MIB  # of a part, unless less is left


@errand_step
def change_log(job: Job, cluster: Cluster, instance: Instance, guest: Guest) -> None:
    """Do what the job asks for. Once there is a goal, all that comes before publishing was done."""
    manager, acts = manager_for(cluster), list(job.acts or ())
    log = log_named(manager.logs, str(job.log))
    if job.goal is None:
        if "enable" in acts or "disable" in acts:
            manager.switch_log(instance, guest, log, on="enable" in acts)
        if "discard" in acts:
            shelf.clear(instance.instance_id, log.name)
    if "publish" in acts:
        publish(job, manager, log, instance, guest)


def publish(job: Job, manager: BaseManager, log: Log, instance: Instance, guest: Guest) -> None:
    """Lay down the next part, if one is left. Where it begins follows from what lies there: nothing else is kept."""
    files = files_of(guest, [log])[log.name]
    parts = shelf.parts_of(instance.instance_id, log.name)
    stretches = stretches_of(files, parts)
    if job.goal is None:
        set_goal(job, stretches)
    if (left := next_of(job, stretches)) is None:
        return
    data = read_piece(guest, manager.service_user, left.file, left.begin, min(PIECE_BYTES, left.end - left.begin))
    # Without any the file was turned over at this very moment: it is looked for again.
    part = shelf.put(instance.instance_id, log.name, left.life, left.begin, data) if data else None
    if part is None or next_of(job, stretches_of(files, [*parts, part])):
        raise NotReady(f"{log.name} of {instance.name} is being published.")
