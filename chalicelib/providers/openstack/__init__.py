"""OpenStack: servers of Nova, ports and addresses of Neutron, volumes of Cinder, in one project of our own user."""
