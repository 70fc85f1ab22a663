"""The datastore versions that Debian 12 has, as records."""

from chalicelib.models.datastore import Datastore
from local.service import OFFERED

PACKAGES = {datastore: (version, packages) for datastore, version, packages in OFFERED}


def version_of(datastore: str) -> Datastore:
    version, packages = PACKAGES[datastore]
    return Datastore(datastore=datastore, version=version, manager=datastore, packages=packages)
