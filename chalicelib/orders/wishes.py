"""Wishes about databases, users and root, sealed into a job of their own."""

from chalicelib.datastores.accounts import Accounts
from chalicelib.datastores.wishes import Wish
from chalicelib.errors import BadRequest, Unprocessable
from chalicelib.jobs.beginnings import busy, draft, take_lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.record import transaction
from chalicelib.models.status import Status
from chalicelib.orders import secrets
from chalicelib.orders.placing import Placed, once
from chalicelib.orders.requester import Requester


def place_wish(wish: Wish, instance: Instance, accounts: Accounts, by: Requester) -> Placed:
    """Record the job that carries it out, on the primary or on all. Raises BadRequest, Unprocessable, NotFound."""

    def place() -> Placed:
        cluster = Cluster.of_project(by.project_id, instance.cluster_id)
        if cluster.primary_id != instance.instance_id:
            raise BadRequest(f"Instance {instance.instance_id} is a replica: ask its source {cluster.primary_id}.")
        if cluster.held_by and not accounts.is_replicated:  # a new replica may have copied what was there already
            raise busy(cluster)
        about = [instance.instance_id] if accounts.is_replicated else _serving(cluster)
        job = draft("change_accounts", cluster, about, by.user, by.attempt.job_id)
        job.title, job.wish = wish.do, secrets.sealed(cluster.cluster_id, wish.packed())
        with transaction() as batch:
            take_lock(batch, job, cluster, [])
        return Placed(cluster, [instance], job)

    return once(by, place)


def _serving(cluster: Cluster) -> list[str]:
    """Return all that ever served. Raises Unprocessable if one does not now: it would not hear of the change."""
    served = [each for each in cluster.instances() if each.joined_at]
    if away := next((each for each in served if each.status != Status.ACTIVE), None):
        raise Unprocessable(
            f"Instance {away.instance_id} is {away.status}: users are on each instance, so all must serve."
        )
    return [each.instance_id for each in served]
