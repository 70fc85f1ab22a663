"""Who may come to a server: the port's security groups, exchanged as a whole, and its public address."""

from chalicelib.models.instance import Instance
from chalicelib.providers.base import Access
from chalicelib.providers.openstack import addresses, groups, ports
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.lookups import public_network


def is_set(cloud: Cloud, instance: Instance, access: Access, port_id: str) -> bool:
    """Let those in and nobody else. True once it is so; False if others change the port at the same moment."""
    connection = cloud.connection
    if access.is_public:
        public_network(cloud)
    port = connection.network.get_port(port_id)  # before the groups: whoever exchanges them next changes it
    known = {str(each.id): each for each in groups.access_groups(connection, instance)}
    now = max((groups.number_of(known[each]) for each in port.security_group_ids if each in known), default=0)
    if now > access.number:
        return True
    group_id = groups.access_group(connection, instance, access, cloud.settings.our_networks)
    kept = [each for each in port.security_group_ids if each not in known]
    wanted = {*kept, group_id}
    if set(port.security_group_ids) != wanted and not ports.change(connection, port, security_group_ids=sorted(wanted)):
        return False
    for each in known:
        if each != group_id:
            groups.drop_group(connection, each)
    _set_public(cloud, instance, port_id, is_public=access.is_public)
    return True


def _set_public(cloud: Cloud, instance: Instance, port_id: str, *, is_public: bool) -> None:
    if is_public:
        open_to_public(cloud, instance, port_id)
    else:
        addresses.of_instance(cloud.connection, instance).drop_all()
        instance.public_address = None


def open_to_public(cloud: Cloud, instance: Instance, port_id: str) -> None:
    """Have a public address lead to the instance's server, and note it."""
    connection = cloud.connection
    address = addresses.of_instance(connection, instance).have(public_network(cloud))
    addresses.lead(connection, address, port_id)
    instance.public_address = str(address.floating_ip_address)
