"""Settings: read from the environment, wrong ones named."""

import pytest

from chalicelib.config import Config
from chalicelib.errors import ConfigError


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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DTROVE_MAX_CLUSTER_SIZE", "many"),
        ("DTROVE_MAX_CLUSTER_SIZE", "0"),
        ("DTROVE_MAX_CLUSTER_SIZE", "41"),
        ("DTROVE_PROVIDER", "no such; thing"),
        ("DTROVE_SSH_USER", "root; rm"),
        ("DTROVE_DATASTORE_MANAGERS", "[1]"),
        ("DTROVE_DATASTORE_MANAGERS", '[["not a path", "b"]]'),
        ("DTROVE_TOKENS", "[]"),
        ("DTROVE_TOKENS", "{"),
        ("DTROVE_PREFIX", "sudo %(local_id"),
        ("DTROVE_PREFIX", "sudo 100% "),
        ("DTROVE_SSH_HOST", "%d"),
        ("DTROVE_COMMAND_TIMEOUT_SECONDS", "-1"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        Config.from_environment({variable: value})


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"DTROVE_MAX_CLUSTER_SIZE.*DTROVE_SSH_PORT"):
        Config.from_environment({"DTROVE_MAX_CLUSTER_SIZE": "x", "DTROVE_SSH_PORT": "y"})
