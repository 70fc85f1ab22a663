"""Databases, users and root: what a job wishes of them, on a guest."""

from chalicelib import sealing
from chalicelib.datastores.wishes import Wish, carry_out
from chalicelib.errors import Permanent
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.ssh.guest import Guest
from chalicelib.steps.step import errand_step
from chalicelib.steps.world import manager_for


@errand_step
def change_accounts(job: Job, cluster: Cluster, instance: Instance, guest: Guest) -> None:
    if job.wish is None:  # a redriven job's: it went when the job ended
        raise Permanent("What was wished is no longer kept: ask for it again.")
    wish = Wish.unpacked(sealing.unseal(cluster.cluster_id, job.wish))
    carry_out(wish, manager_for(cluster).accounts, guest)
