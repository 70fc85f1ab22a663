"""Ids of what an operator or an order names: images, networks. What was found once is kept with the connection."""

from collections.abc import Callable
from uuid import UUID

from openstack.exceptions import NotFoundException

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.cloud import Cloud

BY_TAGS = "tags:"


def image_id(cloud: Cloud, image: str) -> str:
    """Return the id of the image: an id, a name, or `tags:one,other`; of several active ones the newest."""
    known = cloud.connection.image
    try:
        if _is_id(image):
            return str(known.get_image(image).id)
    except NotFoundException:
        raise ProviderError(f"There is no image {image}.") from None
    query = {"tag": image.removeprefix(BY_TAGS).split(",")} if image.startswith(BY_TAGS) else {"name": image}
    found = next(iter(known.images(status="active", sort="created_at:desc", limit=1, **query)), None)
    if found is None:
        raise ProviderError(f"There is no image {image}.")
    return str(found.id)


def network_and_subnet(cloud: Cloud, instance: Instance) -> tuple[str, str | None]:
    """Return where the instance's port goes: what was asked for, else what the deployment is set to."""
    if instance.network_id:
        return instance.network_id, instance.subnet_id
    if instance.subnet_id:
        try:
            return str(cloud.connection.network.get_subnet(instance.subnet_id).network_id), instance.subnet_id
        except NotFoundException:
            raise ProviderError(f"Subnet {instance.subnet_id} could not be found.") from None
    return usual_network(cloud), None


def usual_network(cloud: Cloud) -> str:
    """Return the id of the network that servers are in unless an order says otherwise."""
    return once(cloud, "network", lambda: _usual_network(cloud))


def public_network(cloud: Cloud) -> str:
    """Return the id of the network that public addresses are of. Raises ProviderError if the cloud has none for us."""
    name = cloud.settings.dtrove_openstack_public_network
    if not name:
        raise ProviderError("This cloud has no public addresses.")
    return once(cloud, "public network", lambda: _network_id(cloud, name))


def _usual_network(cloud: Cloud) -> str:
    if name := cloud.settings.dtrove_openstack_network:
        return _network_id(cloud, name)
    own = list(cloud.connection.network.networks(is_router_external=False))
    if len(own) != 1:
        names = ", ".join(sorted(str(each.name) for each in own)) or "none"
        raise ProviderError(f"DTROVE_OPENSTACK_NETWORK must say which network servers are in; there are: {names}.")
    return str(own[0].id)


def _network_id(cloud: Cloud, name: str) -> str:
    known = cloud.connection.network
    found = list(known.networks(id=name) if _is_id(name) else known.networks(name=name))
    if len(found) != 1:
        raise ProviderError(f"Network {name} could not be found." if not found else f"There are {len(found)} {name}.")
    return str(found[0].id)


def once(cloud: Cloud, what: str, look: Callable[[], str]) -> str:
    """Look it up the first time only."""
    if what not in cloud.names:
        cloud.names[what] = look()
    return cloud.names[what]


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
