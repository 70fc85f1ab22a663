"""Each service's configuration, made of the templates in etc/ and the names in site.py."""

import shutil
from pathlib import Path
from string import Template

from local.openstack import site
from local.openstack.site import COMPUTES, ENVIRONMENT, ETC, GUESTS, LOGS, PIDS, PORTS, STATE, VOLUMES

TEMPLATES = Path(__file__).parent / "etc"
SERVICES = ("keystone", "nova", "glance", "placement", "neutron", "cinder", "designate")
FOLDERS = (
    *(ETC / each for each in ("keystone/fernet", "keystone/credential", *SERVICES[1:])),
    *(LOGS, PIDS, GUESTS, VOLUMES, STATE / "image-cache", STATE / "network"),
    *(STATE / each for each in ("images", "staging", "tasks", "locks", "neutron", "cinder", "designate", *COMPUTES)),
)


def write() -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    STATE.chmod(0o700)  # passwords, and customers' disks
    for folder in FOLDERS:
        folder.mkdir(parents=True, exist_ok=True)
    values = _values()
    for name in ("service", "who-asks", "messages"):  # each may hold the one before it
        values[name.replace("-", "_")] = _rendered(f"{name}.conf", values).strip()
    for service in ("keystone", "placement", "neutron", "cinder", "designate"):
        site.write_private(ETC / service / f"{service}.conf", _rendered(f"{service}.conf", values))
    site.write_private(ETC / "glance/glance-api.conf", _rendered("glance-api.conf", values))
    for compute in COMPUTES:
        site.write_private(nova(compute), _rendered("nova.conf", values | {"nova_host": compute}))
    shutil.copyfile(ENVIRONMENT / "etc/nova/api-paste.ini", ETC / "nova/api-paste.ini")  # it looks nowhere else
    site.write_private(ETC / "rabbitmq.conf", _rendered("rabbitmq.conf", values))


def nova(compute: str) -> Path:
    """Return the file of this compute; those of Nova that are no compute read the first one's."""
    return ETC / "nova" / ("nova.conf" if compute == COMPUTES[0] else f"{compute}.conf")


def file(service: str) -> Path:
    return ETC / service / ("glance-api.conf" if service == "glance" else f"{service}.conf")


def database_url() -> str:
    return f"mysql+pymysql://openstack:{site.passwords()['database']}@{site.HOST}:{PORTS['database']}"


def _values() -> dict[str, str]:
    passwords = site.passwords()
    return {
        "state": str(STATE),
        "etc": str(ETC),
        "environment": str(ENVIRONMENT),
        "host": site.HOST,
        "region": site.REGION,
        "auth_url": site.auth_url(),
        "database": database_url(),
        "rabbit": f"rabbit://openstack:{passwords['rabbit']}@{site.HOST}:{PORTS['rabbit']}/",
        "rabbit_password": passwords["rabbit"],
        "rabbit_port": str(PORTS["rabbit"]),
        **{f"{each}_port": str(PORTS[each]) for each in ("glance", "designate", "mdns")},
        "service_password": passwords["service"],
    }


def _rendered(name: str, values: dict[str, str]) -> str:
    return Template((TEMPLATES / name).read_text()).substitute(values)
