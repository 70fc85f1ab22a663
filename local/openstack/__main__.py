"""The cloud on this machine: `up` brings it up and fills it, `down` removes every trace of it but what is cached.

python -m local.openstack up | down | left | stop NAME | start NAME
"""

import fcntl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from local import machine
from local.openstack import catalog, configuration, contents, database, down, host, images, packages, services, site


def up() -> None:
    """Start what is not running, and have what the cloud begins with. Cut, it is run again."""
    began = time.monotonic()
    packages.ensure_host()
    machine.check()
    with _alone(), ThreadPoolExecutor(1) as pool:
        made = pool.submit(images.build)
        packages.ensure()
        configuration.write()
        host.ensure()
        database.ensure_files()
        services.start(*services.FOUNDATION)
        services.await_ready(services.MARIADB)
        database.ensure_schemas()
        services.start(services.KEYSTONE)
        services.await_ready(services.KEYSTONE, services.RABBIT)
        catalog.ensure()
        services.start(*services.OTHERS)
        services.await_ready(*services.OTHERS)
        contents.ensure(made.result())
        catalog.write_clouds()
    print(f"OpenStack is up after {time.monotonic() - began:.0f} s; {site.CLOUDS} tells of it.")


@contextmanager
def running() -> Iterator[None]:
    """Have it for the length of the block; one that ran before goes on, another leaves nothing behind."""
    ran, left = services.all_run(), list[str]()
    try:
        up()
        yield
    finally:
        if not ran:
            left = down.remove_everything()
    if left:
        raise SystemExit("\n".join(f"left: {each}" for each in left))


@contextmanager
def _alone() -> Iterator[None]:
    site.ROOT.mkdir(parents=True, exist_ok=True)
    with (site.ROOT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    match arguments:
        case ["up"]:
            up()
            return 0
        case ["start", name]:
            services.start(services.named(name))
            services.await_ready(services.named(name))
            return 0
        case ["stop", name]:
            services.stop(services.named(name))
            return 0
        case ["down"]:
            with _alone():
                left = down.remove_everything()
        case ["left"]:
            left = down.everything_left()
        case _:
            print(__doc__)
            return 2
    print("\n".join([f"left: {each}" for each in left]) or "Nothing is left.")
    return 1 if left else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except machine.Unfit as reason:
        sys.exit(str(reason))
