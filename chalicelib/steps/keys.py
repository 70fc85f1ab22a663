"""rotate_key: a new SSH key pair, guest by guest, so that at every moment the recorded key opens each guest.

TrustKey     old key: the guest trusts both          (cut here: the old key still opens)
SwitchKey    new key opens it: recorded as the guest's
DistrustKey  new key: the guest trusts only the new
"""

from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.record import transaction
from chalicelib.orders.members import id_from
from chalicelib.orders.secrets import new_key
from chalicelib.ssh.guest import File, Guest
from chalicelib.steps.step import guest_step, instance_step, job_step
from chalicelib.steps.world import guest_of


@job_step
def draw_key(job: Job) -> None:
    cluster = Cluster.get(job.cluster_id, consistent_read=True)
    key_id = id_from(job.job_id, "key")
    if key_id in cluster.key_ids:
        return
    cluster.key_ids.append(key_id)
    with transaction() as batch:
        batch.save(new_key(cluster.cluster_id, key_id))
        batch.save(cluster, condition=Cluster.held_by == job.job_id)


@guest_step
def trust_key(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    known = {str(instance.key_id), cluster.key_ids[-1]}
    write_trusted(guest, instance, [Key.get(key_id, consistent_read=True) for key_id in sorted(known)])


@instance_step("guest")
def switch_key(cluster: Cluster, instance: Instance) -> None:
    guest_of(instance, cluster.key_ids[-1]).close()
    instance.key_id = cluster.key_ids[-1]


@guest_step
def distrust_key(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    write_trusted(guest, instance, [Key.get(instance.key_id, consistent_read=True)])


def write_trusted(guest: Guest, instance: Instance, keys: list[Key]) -> None:
    home = guest.run("getent passwd {user} | cut -d: -f6", user=str(instance.user)).strip()
    lines = "".join(f"{key.public}\n" for key in keys)
    guest.write(File(f"{home}/.ssh/authorized_keys", lines, owner=f"{instance.user}:"))


@job_step
def forget_keys(job: Job) -> None:
    """Delete the keys that no guest trusts any more."""
    cluster = Cluster.get(job.cluster_id, consistent_read=True)
    used = {each.key_id for each in cluster.instances()}
    unused = [key_id for key_id in cluster.key_ids if key_id not in used]
    if not unused:
        return
    cluster.key_ids = [key_id for key_id in cluster.key_ids if key_id in used]
    with transaction() as batch:
        for key_id in unused:
            batch.delete(Key(key_id=key_id), add_version_condition=False)
        batch.save(cluster, condition=Cluster.held_by == job.job_id)
