"""The datastore versions that Debian 12 has, as records."""

from chalicelib.models.datastore import Datastore

PACKAGES = {
    "mysql": ("10.11", ["mariadb-server", "mariadb-backup"]),
    "postgresql": ("15", ["postgresql-15"]),
    "redis": ("7.0", ["redis-server"]),
}


def version_of(datastore: str) -> Datastore:
    version, packages = PACKAGES[datastore]
    return Datastore(datastore=datastore, version=version, manager=datastore, packages=packages)
