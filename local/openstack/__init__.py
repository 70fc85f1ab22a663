"""An OpenStack on this machine, for tests and the demo: real services from PyPI, servers that are nspawn guests.

docs/openstack.md says what of it is real, and what is not.
"""
