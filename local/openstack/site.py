"""Where the cloud lives on this machine, and by what names it goes there. There is one a machine."""

import json
import os
import secrets
from pathlib import Path

ROOT = Path("/var/lib/dtrove/openstack")
CACHE = ROOT / "cache"  # what another start can use again: Python packages, images, empty schemas
ENVIRONMENT = CACHE / "venv"
STATE = ROOT / "state"  # gone when the cloud is taken down
ETC = STATE / "etc"
LOGS = STATE / "log"
PIDS = STATE / "pids"
GUESTS = STATE / "guests"
VOLUMES = STATE / "volumes"
CLOUDS = STATE / "clouds.yaml"

HOST = "127.0.0.1"
PORTS = {  # all below 32768, from where on the kernel gives ports away
    "keystone": 21000,
    "glance": 21292,
    "placement": 21778,
    "nova": 21774,
    "neutron": 21696,
    "cinder": 21776,
    "designate": 21901,
    "mdns": 21354,
    "database": 21306,
    "rabbit": 21672,
    "rabbit_distribution": 21675,
    "epmd": 21369,
}
REGION = "RegionOne"
COMPUTES = ("compute1", "compute2")
PUBLIC_NETWORK, PUBLIC_GATEWAY = "198.51.100.0/24", "198.51.100.1"
PRIVATE_NETWORKS = {"dtrove": "10.90.0.0/24", "other": "10.91.0.0/24"}  # by project
# The drivers name what they make: bridges dob…, ports dop…, namespaces dog-…, the table dtrove_cloud of two families.
OUTSIDE = "doext"
LINKS = ("dob", "dop", OUTSIDE)
NAMESPACES = "dog-"
TABLES = ("ip dtrove_cloud", "bridge dtrove_cloud")
CONTROL_GROUP = "dtrove-openstack"
SECRETS = ("admin", "service", "dtrove", "other", "reader", "database", "rabbit")


def url(service: str, path: str = "") -> str:
    return f"http://{HOST}:{PORTS[service]}{path}"


def auth_url() -> str:
    return url("keystone", "/v3")


def passwords() -> dict[str, str]:
    """Return the password of each user: drawn once, then kept for as long as the cloud is up."""
    path = STATE / "passwords.json"
    if not path.exists():
        write_private(path, json.dumps({name: secrets.token_urlsafe(16) for name in SECRETS}))
    drawn: dict[str, str] = json.loads(path.read_text())
    return drawn


def write_private(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    new.rename(path)
