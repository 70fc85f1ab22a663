"""The cloud's services: what runs, in which order it starts, and how one of them is stopped and started alone."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from local.openstack import configuration, database, processes, site
from local.openstack.packages import PATH
from local.openstack.site import COMPUTES, ENVIRONMENT, ETC, HOST, LOGS, PORTS, STATE

STARTING_SECONDS = 120.0
LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class Service:
    name: str
    command: tuple[str, ...]
    port: int | None = None  # where it answers once it is ready
    speaks_http: bool = True


def _api(name: str, module: str, port: str, *arguments: str) -> Service:
    # One process; no keep-alive: uwsgi's plain HTTP socket cannot do it.
    command = (
        *("uwsgi", "--http-socket", f"{HOST}:{PORTS[port]}", "--module", f"{module}:application"),
        *("--master", "--processes", "1", "--threads", "8", "--enable-threads", "--lazy-apps", "--need-app"),
        *("--buffer-size", "65535", "--die-on-term", "--disable-logging", "--http-chunked-input"),
        *("--add-header", "Connection: close", "--pyargv", " ".join(arguments)),
    )
    return Service(name, command, PORTS[port])


def _worker(name: str, config: Path, program: str = "") -> Service:
    return Service(name, (program or name, "--config-file", str(config)))


NOVA, CINDER = configuration.nova(COMPUTES[0]), configuration.file("cinder")
MARIADB = Service(
    "database",
    (
        *("mariadbd", "--no-defaults", "--user=root", f"--datadir={database.FILES}", f"--socket={database.SOCKET}"),
        *(f"--pid-file={STATE}/database.pid", f"--bind-address={HOST}", f"--port={PORTS['database']}"),
        *("--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=128M", "--max-connections=1000"),
        "--skip-name-resolve",
    ),
    PORTS["database"],
    speaks_http=False,
)
EPMD = Service(
    "epmd", ("epmd", "-address", HOST, "-port", str(PORTS["epmd"])), PORTS["epmd"], speaks_http=False
)  # by which RabbitMQ's parts find each other
RABBIT = Service("rabbit", ("/usr/lib/rabbitmq/bin/rabbitmq-server",), PORTS["rabbit"], speaks_http=False)
KEYSTONE = _api("keystone", "keystone.wsgi.api", "keystone")
GLANCE = Service(
    "glance",  # takes uploads in pieces, which uwsgi does not
    ("waitress-serve", "--host", HOST, "--port", str(PORTS["glance"]), "--threads", "8", "glance.wsgi.api:application"),
    PORTS["glance"],
)
FOUNDATION = (MARIADB, EPMD, RABBIT)
OTHERS = (
    GLANCE,
    _api("placement", "placement.wsgi.api", "placement"),
    _api("neutron", "neutron.wsgi.api", "neutron", "--config-file", str(configuration.file("neutron"))),
    _api("nova-api", "nova.wsgi.osapi_compute", "nova"),
    _api("cinder-api", "cinder.wsgi.api", "cinder", "--config-file", str(CINDER)),
    _worker("nova-conductor", NOVA),
    _worker("nova-scheduler", NOVA),
    _worker("cinder-scheduler", CINDER),
    _worker("cinder-volume", CINDER),
    *(_worker(f"nova-{each}", configuration.nova(each), "nova-compute") for each in COMPUTES),
)
ALL = (*FOUNDATION, KEYSTONE, *OTHERS)
DESIGNATE = (  # beside them, on demand
    _api("designate-api", "designate.wsgi.api", "designate"),
    *(
        _worker(f"designate-{each}", configuration.file("designate"))
        for each in ("central", "worker", "producer", "mdns")
    ),
)


def start(*services: Service) -> None:
    for service in services:
        processes.start(service.name, service.command, environment())


def named(name: str) -> Service:
    """Return the service: nova-api, nova-compute1, rabbit, cinder-volume, keystone, …"""
    return next(each for each in (*ALL, *DESIGNATE) if each.name == name)


@contextmanager
def stopped(name: str) -> Iterator[None]:
    """Have the service of this name down for the length of the block: nova-api, nova-compute1, cinder-volume, …"""
    service = named(name)
    stop(service)
    try:
        yield
    finally:
        start(service)
        await_ready(service)


def environment() -> dict[str, str]:
    folders = {f"OS_{each.upper()}_CONFIG_DIR": str(ETC / each) for each in configuration.SERVICES}
    return folders | {
        "PATH": PATH,
        "VIRTUAL_ENV": str(ENVIRONMENT),
        "HOME": str(STATE),  # of RabbitMQ's cookie
        "LC_ALL": "C.UTF-8",
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1",  # native threads
        "DTROVE_CLOUD_STATE": str(STATE),
        "DTROVE_CLOUD_GATEWAY": site.PUBLIC_GATEWAY,
        "ERL_EPMD_PORT": str(PORTS["epmd"]),
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": "dtrove@localhost",
        "RABBITMQ_DIST_PORT": str(PORTS["rabbit_distribution"]),
        "RABBITMQ_CONFIG_FILE": str(ETC / "rabbitmq.conf"),
        "RABBITMQ_MNESIA_BASE": str(STATE / "rabbit"),
        "RABBITMQ_LOG_BASE": str(LOGS),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(ETC / "rabbit-plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
        ),
    }


def await_ready(*services: Service) -> None:
    """Wait until each answers. Exits if one of them died, or takes too long."""
    deadline = time.monotonic() + STARTING_SECONDS
    for service in services:
        while not answers(service):
            if not processes.pid_of(service.name) or time.monotonic() > deadline:
                sys.exit(f"{service.name} did not start; its log is {processes.log_of(service.name)}.")
            time.sleep(LOOK_AGAIN_SECONDS)


def answers(service: Service) -> bool:
    """Say whether it answers; one without a port, whether it runs."""
    if service.port is None:
        return processes.pid_of(service.name) is not None
    try:
        if not service.speaks_http:
            socket.create_connection((HOST, service.port), 1).close()
            return True
        with closing(HTTPConnection(HOST, service.port, timeout=5)) as connection:
            connection.request("GET", "/")
            return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False


def stop(*services: Service) -> None:
    processes.stop(*(each.name for each in services))


def all_run() -> bool:
    return all(processes.pid_of(each.name) for each in ALL)
