"""A server's power: on, off, round again, and how it is."""

import signal
from pathlib import Path

from chalicelib.errors import Transient
from chalicelib.providers.base import ServerStatus
from chalicelib.providers.nspawn import runner
from chalicelib.providers.nspawn.records import ServerRecord, replace, save
from chalicelib.providers.nspawn.servers import cgroup_of, launch
from chalicelib.providers.nspawn.site import Site


def start(site: Site, server: ServerRecord) -> None:
    off = site.guest(server.instance_id) / "off"
    if off.exists() and runner.is_alive(off.parent):
        raise Transient(f"{server.machine} is still stopping.")
    off.unlink(missing_ok=True)
    off.with_name("rebooting").unlink(missing_ok=True)
    launch(site, server)
    if server.is_restarting:
        server.is_restarting = False
        save(server, off.parent)


def stop(site: Site, server: ServerRecord, *, hard: bool) -> None:
    cgroup = cgroup_of(site, server)
    (site.guest(server.instance_id) / "off").touch()
    if hard and runner.leader(cgroup) is None:
        cgroup.kill()
    runner.tell(cgroup, signal.SIGKILL if hard else runner.HALT)
    if hard:
        cgroup.thaw()


def reboot(site: Site, server: ServerRecord) -> None:
    """Ask the guest to start anew, and note which init was asked: another one is the proof."""
    folder, cgroup = site.guest(server.instance_id), cgroup_of(site, server)
    if not runner.is_alive(folder):
        return start(site, server)
    replace(folder / "rebooting", runner.started_at(runner.leader(cgroup) or 0))
    return runner.tell(cgroup, runner.REBOOT)


def status(site: Site, server: ServerRecord) -> tuple[ServerStatus, int, str]:
    """Return how the server is, how far (percent), and what went wrong; tell it again what it may not have heard."""
    folder, cgroup = site.guest(server.instance_id), cgroup_of(site, server)
    if not server.is_born:
        return ServerStatus.BUILD, 0, ""
    if server.is_restarting:
        return ServerStatus.RESIZE, 50, ""
    if not runner.is_alive(folder):
        return _status_at_rest(folder)
    leader = runner.leader(cgroup)
    if (folder / "off").exists():
        runner.tell(cgroup, runner.HALT)
        return ServerStatus.ACTIVE, 50, ""
    if _is_rebooting(folder, leader):
        runner.tell(cgroup, runner.REBOOT)
        return ServerStatus.REBOOT, 50, ""
    is_up = ServerStatus.VERIFY_RESIZE if server.resized_from else ServerStatus.ACTIVE
    return (is_up, 100, "") if leader else (ServerStatus.BUILD, 50, "")


def _status_at_rest(folder: Path) -> tuple[ServerStatus, int, str]:
    if not (folder / "launched").exists():
        return ServerStatus.BUILD, 0, ""
    exit_status = (folder / "status").read_text().strip() if (folder / "status").exists() else "0"
    if exit_status == "0" or (folder / "off").exists():
        return ServerStatus.SHUTOFF, 100, ""
    said = "".join(each for each in runner.last_words(folder, 1) if each.isprintable())[-200:]
    return ServerStatus.ERROR, 100, f"The server ended with status {exit_status}: {said}"


def _is_rebooting(folder: Path, leader: int | None) -> bool:
    asked = folder / "rebooting"
    if not asked.exists():
        return False
    if leader is None or runner.started_at(leader) == asked.read_text():
        return True
    asked.unlink(missing_ok=True)
    return False
