"""Settings: read from the environment, wrong ones named."""

import re
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml

from chalicelib.config import OF_CALLERS, Config
from chalicelib.errors import ConfigError
from chalicelib.providers.one_host import Network
from local.callers import CALLERS, write_env
from tests.conftest import REPO

NETWORK = Network("n", "s", IPv4Network("10.0.0.0/24"))
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJybcPezx/ueZWCGfy9KstUxJnTp67xkdIBU9O4cy3Pe"
JUMP = {
    "DTROVE_JUMP_HOST": "bastion.example.org:2222",
    "DTROVE_JUMP_HOST_KEY": f"{KEY} root@bastion",
    "DTROVE_JUMP_SECRET": "arn:aws:secretsmanager:us-east-1:123456789012:secret:dtrove/ssh/jump-AbCdEf",
}
COMPUTE = {
    "DTROVE_SSH_HOST": "%(compute_host)s.example.org",
    "DTROVE_PREFIX": "sudo vzctl exec %(local_id)s ",
    "DTROVE_COMPUTE_HOST_KEYS": f'{{"c1.example.org": "{KEY}"}}',
    "DTROVE_COMPUTE_SECRET": "dtrove/ssh/compute",
}
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:x-"


def test_the_seeds_defaults_are_ours() -> None:
    config = Config.from_environment({})

    assert (config.dtrove_max_cluster_size, config.dtrove_prefix, config.dtrove_ssh_user) == (5, "sudo ", "root")
    assert {"mysql", "redis", "postgresql"} <= {name for _, name in config.dtrove_datastore_managers}


def test_what_is_given_is_read_by_its_type() -> None:
    given = {
        "DTROVE_MAX_CLUSTER_SIZE": "7",
        "DTROVE_SSH_CONNECT_TIMEOUT_SECONDS": "2.5",
        "DTROVE_DATASTORE_MANAGERS": '[["a.B", "b"]]',
        "OS_USERNAME": "nova",
    }

    config = Config.from_environment(given)

    assert (config.dtrove_max_cluster_size, config.dtrove_ssh_connect_timeout_seconds) == (7, 2.5)
    assert (config.dtrove_datastore_managers, config.os_username) == ((("a.B", "b"),), "nova")


WRONG = [
    ("DTROVE_MAX_CLUSTER_SIZE", "many", "must be a whole number"),
    ("DTROVE_MAX_CLUSTER_SIZE", "2.5", "must be a whole number"),
    ("DTROVE_MAX_CLUSTER_SIZE", "0", "must be above 0"),
    ("DTROVE_MAX_CLUSTER_SIZE", "41", "must be at most 40"),
    ("DTROVE_MAX_INSTANCES", "-2", "must be at least -1"),
    ("DTROVE_PATIENCE_SECONDS", "-1", "must be at least 0"),
    ("DTROVE_PATIENCE_SECONDS", "nan", "must be a number"),
    ("DTROVE_COMMAND_TIMEOUT_SECONDS", "inf", "must be a number"),
    ("DTROVE_COMMAND_TIMEOUT_SECONDS", "-inf", "must be a number"),
    ("DTROVE_COMMAND_TIMEOUT_SECONDS", "soon", "must be a number"),
    ("DTROVE_COMMAND_TIMEOUT_SECONDS", "-1", "must be above 0"),
    ("DTROVE_COMMAND_TIMEOUT_SECONDS", "1e300", "must be at most 120"),
    ("DTROVE_JOB_RETENTION_DAYS", "999999999999", "must be at most 36500"),
    ("DTROVE_SSH_PORT", "0", "must be above 0"),
    ("DTROVE_SSH_PORT", "65536", "must be at most 65535"),
    ("DTROVE_OUTPUT_LIMIT_BYTES", "100001", "must be at most 100000"),
    ("DTROVE_SSH_USER", "root; rm", "must be a user name"),
    ("DTROVE_PROVIDER", "no such; thing", "there is no provider no such; thing; there are memory, nspawn"),
    ("DTROVE_OPENSTACK_OUR_NETWORKS", "10.0.0.0/8,here", "must be IPv4 networks: a.b.c.d/n,…"),
    ("DTROVE_OPENSTACK_OUR_NETWORKS", "10.0.0.1/8", "must be IPv4 networks: a.b.c.d/n,…"),
    ("DTROVE_OPENSTACK_DISK_BUS", "ide", "must be virtio or scsi"),
    ("DTROVE_OPENSTACK_BOOT_VOLUME_GIB", "-1", "must be at least 0"),
    ("DTROVE_OPENSTACK_ENDPOINT", "vip", "must be floating_ip or port"),
    ("DTROVE_OPENSTACK_DNS_ZONE", "dbs.example.org", "must be a zone's name, with its last dot"),
    ("DTROVE_PROVIDER", "closedstack", "there is no provider closedstack; there are memory, nspawn, openstack"),
    ("DTROVE_DATASTORE_MANAGERS", "[1]", "must be [[dotted path, name], …]"),
    ("DTROVE_DATASTORE_MANAGERS", "[]", "must be [[dotted path, name], …]"),
    ("DTROVE_DATASTORE_MANAGERS", '[["not a path", "b"]]', "must be [[dotted path, name], …]"),
    ("DTROVE_DATASTORE_MANAGERS", '[["plain", "b"]]', "must be [[dotted path, name], …]"),
    ("DTROVE_DATASTORE_MANAGERS", '[["a.B", 1]]', "must be [[dotted path, name], …]"),
    (
        "DTROVE_DATASTORE_MANAGERS",
        '[["a.B", "b"], ["a.C", "b"]]',
        "must be [[dotted path, name], …] as JSON, each name once",
    ),
    ("DTROVE_DATASTORE_MANAGERS", "[" * 100_000, "must be [[dotted path, name], …]"),
    ("DTROVE_TOKENS", "[" * 100_000, "must be {sha256 of the token"),
    ("DTROVE_PAGE_SIZE", "9" * 400, "must be at most"),
    ("DTROVE_PAGE_SIZE", str(2**31), "must be at most"),
    ("DTROVE_NSPAWN_ROOT", "/srv/..", "must be an absolute path"),
    ("DTROVE_NSPAWN_ROOT", "/srv/../etc", "must be an absolute path"),
    ("DTROVE_NSPAWN_IMAGES", "/./images", "must be an absolute path"),
    ("DTROVE_TOKENS", "[]", "must be {sha256 of the token"),
    ("DTROVE_TOKENS", "{", "must be {sha256 of the token"),
    ("DTROVE_TOKENS", '{"secret": {"project_id": "p", "user": "u", "roles": []}}', "must be {sha256 of the token"),
    ("DTROVE_TOKENS", f'{{"{"0" * 64}": {{"project_id": "p"}}}}', "must be {sha256 of the token"),
    ("DTROVE_TOKENS", f'{{"{"0" * 64}": {{"project_id": "p", "user": "u", "roles": "x"}}}}', "must be {sha256"),
    ("DTROVE_PREFIX", "sudo", "must be one line that ends in a space"),
    ("DTROVE_PREFIX", "sudo\nrm ", "must be one line that ends in a space"),
    ("DTROVE_PREFIX", "sudo %(local_id ", "must be text with instance properties as %(name)s"),
    ("DTROVE_PREFIX", "sudo 100% ", "must be text with instance properties as %(name)s"),
    ("DTROVE_SSH_HOST", "%d", "must be text with instance properties as %(name)s"),
    ("DTROVE_SSH_HOST", "%s", "must be text with instance properties as %(name)s"),
    ("DTROVE_SSH_HOST", "", "must be a host"),
    ("DTROVE_TABLE_PREFIX", "no/slash", "must be at most 200 of"),
    ("DTROVE_MACHINE_PREFIX", "dtrove-", "must be the ARN of a state machine"),
    ("DTROVE_DATA_KEY", "", "must be the id, alias or ARN of a KMS key"),
    ("DTROVE_DEPLOYMENT", "", "must be at most 128 of"),
    ("DTROVE_NSPAWN_ROOT", "guests", "must be an absolute path"),
    ("DTROVE_NSPAWN_ROOT", "/", "must be an absolute path"),
    ("DTROVE_NSPAWN_IMAGES", "/a:b", "must be an absolute path"),
    ("DTROVE_NSPAWN_BRIDGE", "a-bridge-too-far", "must be the name of an interface"),
    ("DTROVE_NSPAWN_NETWORK", "everywhere", "must be an IPv4 network"),
    ("DTROVE_NSPAWN_NETWORK", "10.0.0.1/24", "must be an IPv4 network: 10.0.0.1/24 has host bits set"),
    ("DTROVE_NSPAWN_NETWORK", "fd00::/64", "must be an IPv4 network"),
    ("DTROVE_NSPAWN_NETWORK", "8.8.8.0/24", "must be within 10.0.0.0/8"),
    ("DTROVE_NSPAWN_NETWORK", "127.0.0.0/24", "must be within 10.0.0.0/8"),
    ("DTROVE_NSPAWN_NETWORK", "10.0.0.0/29", "must have 9 addresses at least"),
    ("DTROVE_IDENTITY", "Keystone", "must be tokens or keystone"),
    ("DTROVE_IDENTITY", "keystone", "keystone needs OS_USERNAME, OS_PASSWORD and OS_PROJECT_ID or OS_PROJECT_NAME"),
    ("DTROVE_TOKEN_CACHE_SECONDS", "-1", "must be at least 0"),
    ("DTROVE_TOKEN_CACHE_SECONDS", "601", "must be at most 600"),
    *[
        ("DTROVE_JUMP_HOST", value, "must be a host or host:port")
        for value in ("", "a:0", "a:65536", "::1", "a b", "a:")
    ],
    ("DTROVE_JUMP_USER", "$(id)", "must be a user name"),
    *[
        ("DTROVE_JUMP_HOST_KEY", value, "must be an ed25519 public key")
        for value in ("", "SHA256:x", KEY[:-1], f"{KEY}=")
    ],
    ("DTROVE_JUMP_SECRET", "a secret", "must be the name or ARN of a secret"),
    *[
        ("DTROVE_COMPUTE_HOST_KEYS", value, "must be {compute host: ssh-ed25519 AAAA…, …} as JSON")
        for value in ("[]", "{", "", '{"a": 1}', '{"a": "ssh-rsa AAAA"}', "[" * 100_000)
    ],
    ("DTROVE_COMPUTE_USER", "a b", "must be a user name"),
    ("DTROVE_COMPUTE_SECRET", "", "must be the name or ARN of a secret"),
    ("OS_AUTH_URL", "keystone:5000", "must be an http or https URL"),
    ("OS_AUTH_URL", "ftp://keystone/v3", "must be an http or https URL"),
    ("OS_AUTH_URL", "http:///v3", "must be an http or https URL"),
    ("OS_NOVA_URL", "http://nova:99999", "must be an http or https URL"),
    ("OS_NOVA_BYPASS_URL", "http://nova/\nx", "must be an http or https URL"),
    ("OS_NOVA_ENDPOINT_TYPE", "myURL", "must be publicURL, internalURL or adminURL"),
]


@pytest.mark.parametrize(("variable", "value", "words"), WRONG)
def test_a_wrong_value_names_its_variable(variable: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Config.from_environment({variable: value})

    assert str(refusal.value).startswith(f"{variable}: {words}")
    assert str(refusal.value).count(f"{variable}: ") == 1


RIGHT = [
    ("DTROVE_SSH_PORT", "65535"),
    ("DTROVE_MAX_INSTANCES", "-1"),
    ("DTROVE_PATIENCE_SECONDS", "0"),
    ("DTROVE_TOKEN_CACHE_SECONDS", "0"),
    ("DTROVE_PREFIX", ""),
    ("DTROVE_PREFIX", "sudo vzctl exec %(local_id)s nice -n 5%% "),
    ("DTROVE_SSH_HOST", "%(name)s.example.org"),
    ("DTROVE_PROVIDER", "my.own.Provider"),
    ("DTROVE_MACHINE_PREFIX", ARN),
    ("DTROVE_DATA_KEY", "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("DTROVE_NSPAWN_NETWORK", "192.168.7.0/28"),
    ("DTROVE_NSPAWN_IMAGES", "/srv/images/"),
    ("OS_AUTH_URL", "https://[fd00::1]:5000/v3"),
    ("OS_NOVA_ENDPOINT_TYPE", "internal"),
]


@pytest.mark.parametrize(("variable", "value"), RIGHT)
def test_what_a_deployment_may_want_is_taken(variable: str, value: str) -> None:
    Config.from_environment({variable: value})


@pytest.mark.parametrize("project", ["OS_PROJECT_ID", "OS_PROJECT_NAME"])
def test_keystone_can_be_chosen_with_a_user_of_our_own(project: str) -> None:
    given = {"DTROVE_IDENTITY": "keystone", "OS_USERNAME": "dtrove", "OS_PASSWORD": "x"}

    assert Config.from_environment({**given, project: "p"}).dtrove_identity == "keystone"
    with pytest.raises(ConfigError, match=r"^DTROVE_IDENTITY: keystone needs "):
        Config.from_environment({**given, project: ""})


@pytest.mark.parametrize("given", [JUMP, COMPUTE, JUMP | COMPUTE], ids=["jump", "compute", "both"])
def test_guests_may_be_reached_through_other_hosts(given: dict[str, str]) -> None:
    Config.from_environment(given)


@pytest.mark.parametrize("missing", JUMP)
def test_a_jump_host_is_told_whole_or_not_at_all(missing: str) -> None:
    with pytest.raises(ConfigError, match=f"^{missing}: a jump host needs DTROVE_JUMP_HOST, "):
        Config.from_environment({name: value for name, value in JUMP.items() if name != missing})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"DTROVE_COMPUTE_HOST_KEYS": "{}"}, "DTROVE_COMPUTE_HOST_KEYS: DTROVE_SSH_HOST leads to compute hosts"),
        ({"DTROVE_COMPUTE_SECRET": None}, "DTROVE_COMPUTE_SECRET: compute hosts need one"),
        ({"DTROVE_PREFIX": "sudo "}, "DTROVE_PREFIX: on a compute host it must enter the guest"),
        ({"DTROVE_PREFIX": "sudo enter %(cluster_id)s "}, "DTROVE_PREFIX: on a compute host it must enter the guest"),
    ],
)
def test_no_command_is_meant_for_a_compute_host_itself(changes: dict[str, str | None], reason: str) -> None:
    given = {name: value for name, value in {**COMPUTE, **changes}.items() if value is not None}

    with pytest.raises(ConfigError, match=f"^{reason}"):
        Config.from_environment(given)


def test_all_that_is_wrong_is_named_at_once() -> None:
    wrong = {"DTROVE_MAX_CLUSTER_SIZE": "x", "DTROVE_SSH_PORT": "0", "DTROVE_SSH_PROT": "22", "DTROVE_PROVIDER": "?"}

    with pytest.raises(ConfigError) as refusal:
        Config.from_environment(wrong)

    assert all(f"{variable}: " in str(refusal.value) for variable in wrong)


def test_a_mistyped_name_is_refused_with_the_nearest_there_is() -> None:
    with pytest.raises(ConfigError, match=r"^DTROVE_MAX_CLUSTERSIZE: .* did you mean DTROVE_MAX_CLUSTER_SIZE[?]$"):
        Config.from_environment({"DTROVE_MAX_CLUSTERSIZE": "7"})
    with pytest.raises(ConfigError, match=r"^DTROVE_XYZZY: there is no such setting$"):
        Config.from_environment({"DTROVE_XYZZY": "7"})


def test_what_a_callers_shell_has_is_none_of_our_settings_and_in_nobodys_way(tmp_path: Path) -> None:
    write_env(tmp_path, "http://x", dict.fromkeys(CALLERS, "t"), NETWORK, {"AWS_ENDPOINT_URL": "http://x"})
    names = re.findall(r"^export (\w+)=", (tmp_path / "env").read_text(), re.M)

    assert {name for name in names if name.startswith("DTROVE_")} == OF_CALLERS
    assert Config.from_environment(dict.fromkeys([*names, "OS_TOKEN", "PATH"], "x")) == Config()


def test_clouds_yaml_has_a_cloud_for_each_caller(tmp_path: Path) -> None:
    write_env(tmp_path, "http://x", {variable: f"of {variable}" for variable in CALLERS}, NETWORK, {})

    written = yaml.safe_load((tmp_path / "clouds.yaml").read_text())["clouds"]
    assert set(written) == {"dtrove", "dtrove-reader", "dtrove-admin", "dtrove-other"}
    auth = {"endpoint": "http://x/v1.0/admin", "token": "of DTROVE_ADMIN_TOKEN"}
    assert written["dtrove-admin"] == {"auth_type": "admin_token", "auth": auth}


def test_where_a_keystone_knows_the_callers_none_is_told(tmp_path: Path) -> None:
    write_env(tmp_path, "http://x", {}, NETWORK, {"AWS_ENDPOINT_URL": "http://x"})

    assert (tmp_path / "env").read_text() == "export AWS_ENDPOINT_URL=http://x\n"
    assert yaml.safe_load((tmp_path / "clouds.yaml").read_text()) == {"clouds": {}}


def test_the_page_on_settings_names_none_that_is_not_there() -> None:
    named = set(re.findall(r"\b(?:DTROVE|OS)_[A-Z_]+[A-Z]\b", (REPO / "docs" / "settings.md").read_text()))

    assert named - OF_CALLERS <= {name.upper() for name in Config.__dataclass_fields__}
    assert {name.upper() for name in Config.__dataclass_fields__ if name.startswith("os_")} <= named
