"""Steps that look at the whole cloud: flavors to copy, resources that belong to nobody."""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta

from chalicelib import config
from chalicelib.models.flavor import SHELF, Flavor
from chalicelib.models.instance import Instance
from chalicelib.models.record import now
from chalicelib.providers.base import BaseProvider, FlavorOffer, OwnedResource

log = logging.getLogger("dtrove")
OLD_ENOUGH = timedelta(hours=1)  # younger ones may belong to a step that is at work right now
KEPT = frozenset({"snapshot"})  # outlive their instance on purpose


def refresh_flavors(provider: BaseProvider) -> int:
    """Make the records equal to the provider's list; return how many there are."""
    offered = {each.flavor_id: each for each in provider.flavors()}
    for flavor in Flavor.all():
        if flavor.flavor_id not in offered:
            flavor.delete(add_version_condition=False)
        elif _as_offer(flavor) == offered[flavor.flavor_id]:
            del offered[flavor.flavor_id]
    for offer in offered.values():
        record = Flavor(shelf=SHELF, flavor_id=offer.flavor_id)
        record.update(
            actions=[
                Flavor.name.set(offer.name),
                Flavor.memory_mib.set(offer.memory_mib),
                Flavor.vcpus.set(offer.vcpus),
                Flavor.disk_gib.set(offer.disk_gib),
            ],
            add_version_condition=False,
        )
    return len(offered)


def _as_offer(flavor: Flavor) -> FlavorOffer:
    return FlavorOffer(flavor.flavor_id, flavor.name, int(flavor.memory_mib), int(flavor.vcpus), int(flavor.disk_gib))


def sweep_cloud(provider: BaseProvider) -> list[str]:
    """Report what carries our ids and has no record; remove the old ones, a few at a time. Return a line for each."""
    lines, removed = [], 0
    for resource in orphans(provider.owned()):
        old = now() - resource.created_at > OLD_ENOUGH
        remove = old and resource.kind not in KEPT and removed < config.current().dtrove_sweep_limit
        if remove:
            provider.remove(resource)
            removed += 1
        line = f"{resource.kind} {resource.resource_id} of {resource.instance_id or resource.cluster_id}"
        lines.append(f"{line}: {'removed' if remove else 'belongs to nobody'}")
    for line in lines:
        log.warning(json.dumps({"event": "orphan", "resource": line}))
    return lines


def orphans(owned: Sequence[OwnedResource]) -> Iterator[OwnedResource]:
    """Yield the resources whose instance has no record. The cloud was read first: a record made since then is there."""
    ids = sorted({each.instance_id for each in owned if each.instance_id})
    known = {each.instance_id for each in Instance.batch_get(ids, consistent_read=True)}
    for each in owned:
        if each.instance_id and each.instance_id not in known:
            yield each
