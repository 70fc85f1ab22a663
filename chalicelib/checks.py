"""What each setting may be, and a sentence for each that is not so. The settings themselves are in config.py."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import urlsplit

from chalicelib import dotted
from chalicelib.words import words_of

MAP_LIMIT = 40  # an inline Map of Step Functions runs about 40 branches at once; a transaction holds 100 items
LEAST = {  # all other numbers are above 0
    "dtrove_max_instances": -1,
    "dtrove_max_volumes_gib": -1,
    "dtrove_max_backups": -1,
    "dtrove_max_schedules": -1,
    "dtrove_schedule_window_minutes": 0,
    "dtrove_reads_per_minute": -1,
    "dtrove_writes_per_minute": -1,
    "dtrove_openstack_boot_volume_gib": 0,
    "dtrove_patience_seconds": 0,
    "dtrove_answer_patience_seconds": 0,
    "dtrove_key_passphrase_length": 0,
    "dtrove_token_cache_seconds": 0,
}
MOST = {
    "dtrove_max_cluster_size": MAP_LIMIT,
    "dtrove_ssh_port": 65_535,
    "dtrove_answer_patience_seconds": 8,  # for a key, then 10 for a guest, then so long again: the API lives 29
    "dtrove_job_retention_days": 36_500,
    "dtrove_console_lines": 1_000,
    "dtrove_log_file_mib": 1_024,
    "dtrove_log_publish_mib": 4_096,
    "dtrove_backup_part_mib": 1_024,
    "dtrove_schedule_window_minutes": 720,
    "dtrove_schedule_patience_minutes": 10_080,
    "dtrove_log_retention_days": 36_500,
    "dtrove_answers_kept_hours": 8_760,
    "dtrove_token_cache_seconds": 600,
    "dtrove_output_limit_bytes": 100_000,  # each may become three, and a record holds 400 KB
}
MOST_OF_ALL = 2**31 - 2  # a page asks for one more, and there the Limit of DynamoDB ends
MOST_SECONDS = 120  # the longest life of a function that runs steps
FOLDER = (
    r"(/(?!\.{1,2}(/|$))[\w.+-]+)+/?",
    "an absolute path of A-Z a-z 0-9 _ . + -",
)  # part of mount options, of lines read by words
USER = r"[a-z_][a-z0-9_-]{0,31}", "a user name"
HOST_KEY = r"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}( .*)?", "an ed25519 public key: ssh-ed25519 AAAA…"
SECRET = r"[\w/+=.@:-]{1,512}", "the name or ARN of a secret"
FORMS = {
    "dtrove_prefix": (r"([^\x00-\x1f\x7f]* )?", "one line that ends in a space: the command follows at once"),
    "dtrove_ssh_user": USER,
    "dtrove_ssh_host": (r"[^\s\x00-\x1f\x7f]+", "a host, such as %(address)s"),
    "dtrove_jump_user": USER,
    "dtrove_jump_host_key": HOST_KEY,
    "dtrove_jump_secret": SECRET,
    "dtrove_compute_user": USER,
    "dtrove_compute_secret": SECRET,
    "os_nova_endpoint_type": (r"(public|internal|admin)(URL)?", "publicURL, internalURL or adminURL"),
    "dtrove_store_url": (
        r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?",
        "a URL without a path, such as https://s3.example.org",
    ),
    "dtrove_identity": (r"tokens|keystone", "tokens or keystone"),
    "dtrove_table_prefix": (r"[\w.-]{0,200}", "at most 200 of A-Z a-z 0-9 _ . -"),
    "dtrove_machine_prefix": (
        r"arn:[\w-]+:states:[\w-]+:\d{12}:stateMachine:[\w-]{0,64}",
        "the ARN of a state machine up to the workflow's name",
    ),
    "dtrove_bucket": (r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket"),
    "dtrove_event_bus": (r"[\w./:-]{1,256}", "the name or ARN of an event bus"),
    "dtrove_reads_function": (r"[\w:.-]{1,200}", "the name or ARN of a function"),
    "dtrove_cloud_secret": (r"[\w/+=.@:-]{1,512}", "the name or ARN of a secret"),
    "dtrove_data_key": (r"[\w:/-]+", "the id, alias or ARN of a KMS key"),
    "dtrove_default_datastore": (r"[\w.-]{1,255}", "a datastore's name or id"),
    "dtrove_region": (r"[\w.-]{1,255}", "at most 255 of A-Z a-z 0-9 _ . -"),
    "dtrove_deployment": (r"[\w.-]{1,128}", "at most 128 of A-Z a-z 0-9 _ . -"),
    "dtrove_openstack_disk_bus": (r"virtio|scsi", "virtio or scsi"),
    "dtrove_openstack_endpoint": (r"floating_ip|port", "floating_ip or port"),
    "dtrove_openstack_dns_zone": (r"([a-z0-9_][a-z0-9_-]{0,62}\.)+", "a zone's name, with its last dot"),
    "dtrove_nspawn_root": FOLDER,
    "dtrove_nspawn_images": FOLDER,
    "dtrove_nspawn_bridge": (r"[A-Za-z][\w.-]{0,14}", "the name of an interface: at most 15 of A-Z a-z 0-9 _ . -"),
}
TEMPLATES = ("dtrove_prefix", "dtrove_ssh_host")
ONE_GUEST = {"instance_id", "local_id", "server_id", "address"}  # by which a prefix can tell a host's guests apart
OWN_USER = (
    "OS_USERNAME, OS_PASSWORD and OS_PROJECT_ID or OS_PROJECT_NAME, "
    "or OS_APPLICATION_CREDENTIAL_ID and its secret, or DTROVE_CLOUD_SECRET"
)
PRIVATE = [IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def faults(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield "VARIABLE: what it must be" for each setting that is not so."""
    for name, value in settings.items():
        if value is not None and (fault := _fault(name, value)):
            yield f"{name.upper()}: {fault}"
    known = _has_own_user(settings) or settings["os_application_credential_id"]
    if settings["dtrove_identity"] == "keystone" and not known:
        yield f"DTROVE_IDENTITY: keystone needs {OWN_USER}"
    yield from _jump_faults(settings)
    yield from _compute_faults(settings)
    most = min(settings["dtrove_max_cluster_size"], MAP_LIMIT)
    if fault := _network_fault(settings["dtrove_nspawn_network"], most):
        yield f"DTROVE_NSPAWN_NETWORK: {fault}"


def _jump_faults(settings: Mapping[str, Any]) -> Iterator[str]:
    needed = ("dtrove_jump_host", "dtrove_jump_host_key", "dtrove_jump_secret")
    missing = [each.upper() for each in needed if settings[each] is None]
    if 0 < len(missing) < len(needed):  # a connection that goes the straight way after all would be a surprise
        yield f"{', '.join(missing)}: a jump host needs {', '.join(each.upper() for each in needed)}"


def _compute_faults(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what would have commands run on a compute host, or a guest's key be asked of it."""
    has_keys = settings["dtrove_compute_host_keys"].strip("{ }") != ""
    if not has_keys and "compute_host" in (words_of(settings["dtrove_ssh_host"]) or set()):
        yield "DTROVE_COMPUTE_HOST_KEYS: DTROVE_SSH_HOST leads to compute hosts, whose keys are not the guests'"
    if has_keys and settings["dtrove_compute_secret"] is None:
        yield "DTROVE_COMPUTE_SECRET: compute hosts need one"
    if has_keys and not (words_of(settings["dtrove_prefix"]) or set()) & ONE_GUEST:
        yield "DTROVE_PREFIX: on a compute host it must enter the guest, as by %(local_id)s"


def openstack_faults(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong for a function that asks OpenStack: others do not know its credentials."""
    known = ("dtrove_cloud_secret", "os_cloud", "os_application_credential_id")
    if not _has_own_user(settings) and not any(settings[each] for each in known):
        yield f"DTROVE_PROVIDER: openstack needs {OWN_USER}, or OS_CLOUD"
    if not settings["dtrove_openstack_our_networks"]:
        yield "DTROVE_OPENSTACK_OUR_NETWORKS: must say from where our functions come: nobody else may use SSH"


def _has_own_user(settings: Mapping[str, Any]) -> bool:
    project = settings["os_project_id"] or settings["os_project_name"]
    return bool(settings["dtrove_cloud_secret"] or (settings["os_username"] and settings["os_password"] and project))


def _fault(name: str, value: Any) -> str | None:
    if isinstance(value, int | float):
        return _number_fault(name, value)
    if name in FORMS and not re.fullmatch(FORMS[name][0], value, re.ASCII):
        return f"must be {FORMS[name][1]}"
    if name in RULES and not RULES[name][0](value):
        return f"must be {RULES[name][1]}"
    return None


def _number_fault(name: str, value: float) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a number"
    most = MOST.get(name, MOST_SECONDS if name.endswith("_seconds") else MOST_OF_ALL)
    if name in LEAST and value < LEAST[name]:
        return f"must be at least {LEAST[name]}"
    if name not in LEAST and value <= 0:
        return "must be above 0"
    return f"must be at most {most}" if value > most else None


def _are_managers(managers: tuple[tuple[object, object], ...]) -> bool:
    names = {name for _, name in managers if isinstance(name, str) and name}
    return bool(managers) and len(names) == len(managers) and all(dotted.is_path(path) for path, _ in managers)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:  # a port that is none
        return False


def _are_networks(text: str) -> bool:
    try:
        return bool([IPv4Network(each) for each in text.split(",")])
    except ValueError:
        return False


def _fills_in(template: str) -> bool:
    return words_of(template) is not None


def jump_address(text: str) -> tuple[str, int]:
    """Return the host and port of "host", "host:port" or "[IPv6]:port". Raises ValueError."""
    found = re.fullmatch(r"([\w.-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?", text, re.ASCII)
    port = int(found[2] or 22) if found else 0
    if found is None or not 0 < port < 65_536:
        raise ValueError("neither a host nor host:port")
    return found[1].strip("[]"), port


def _is_jump_address(text: str) -> bool:
    try:
        return bool(jump_address(text))
    except ValueError:
        return False


def _are_host_keys(text: str) -> bool:
    try:
        keys = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(keys, dict) and all(
        isinstance(key, str) and re.fullmatch(HOST_KEY[0], key, re.ASCII) for key in keys.values()
    )


def _are_tokens(text: str) -> bool:
    try:
        callers = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(callers, dict) and all(
        re.fullmatch(r"[0-9a-f]{64}", digest) and _is_caller(each) for digest, each in callers.items()
    )


def _is_caller(value: object) -> bool:
    match value:
        case {"project_id": str(), "user": str(), "roles": list(roles)}:
            return all(isinstance(each, str) for each in roles)
    return False


RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(TEMPLATES, (_fills_in, "text with instance properties as %(name)s, and any other % as %%")),
    **dict.fromkeys(("os_auth_url", "os_nova_bypass_url", "os_nova_url"), (_is_url, "an http or https URL")),
    "dtrove_openstack_our_networks": (_are_networks, "IPv4 networks: a.b.c.d/n,…"),
    "dtrove_datastore_managers": (_are_managers, "[[dotted path, name], …] as JSON, each name once"),
    "dtrove_jump_host": (_is_jump_address, "a host or host:port"),
    "dtrove_compute_host_keys": (_are_host_keys, "{compute host: ssh-ed25519 AAAA…, …} as JSON"),
    "dtrove_tokens": (_are_tokens, '{sha256 of the token: {"project_id": …, "user": …, "roles": […]}, …} as JSON'),
}


def _network_fault(text: str, cluster_size: int) -> str | None:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        return f"must be an IPv4 network: {error}"
    if not any(network.subnet_of(each) for each in PRIVATE):
        return f"must be within {', '.join(map(str, PRIVATE))}: no address of it may be somebody's"
    needed = cluster_size + 4  # the gateway, the cluster's own address, the network's and the broadcast's
    if network.num_addresses < needed:
        return f"must have {needed} addresses at least: a cluster of DTROVE_MAX_CLUSTER_SIZE has to fit in"
    return None
