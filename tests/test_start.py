"""What does not start: a function whose settings name classes, or properties of an instance, that are not there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib import config, dotted
from chalicelib.config import DEFAULT_MANAGERS, PROVIDERS
from chalicelib.datastores import check_managers
from chalicelib.errors import ConfigError
from tests.conftest import REPO


@pytest.fixture
def fresh_settings() -> Iterator[None]:
    config.current.cache_clear()
    yield
    config.current.cache_clear()


@pytest.mark.usefixtures("fresh_settings")
@pytest.mark.parametrize(
    ("manager", "words"),
    [
        ("json.JSONDecoder", "json.JSONDecoder is no BaseManager"),
        ("chalicelib.datastores.redis.Nothing", "chalicelib.datastores.redis.Nothing is no BaseManager"),
        ("chalicelib.datastores.base.BaseManager", "chalicelib.datastores.base.BaseManager lacks .*, seed_files"),
        ("antigravitas.Manager", "antigravitas.Manager cannot be imported .RuntimeError: not here"),
    ],
)
def test_a_manager_that_is_none_is_named(
    manager: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "antigravitas.py").write_text("raise RuntimeError('not here')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("DTROVE_DATASTORE_MANAGERS", f'[["{manager}", "x"]]')

    with pytest.raises(ConfigError, match=f"^DTROVE_DATASTORE_MANAGERS: {words}"):
        check_managers()


@pytest.mark.parametrize("path", [*PROVIDERS.values(), *(path for path, _ in DEFAULT_MANAGERS)])
def test_a_module_is_found_without_being_imported(path: str) -> None:
    assert dotted.is_module(path.rpartition(".")[0])


def test_a_module_of_a_package_without_an_init_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, name in (("one", "first"), ("two", "second")):
        folder = tmp_path / place / "oursonly" / "deep"
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text("raise RuntimeError")
        monkeypatch.syspath_prepend(tmp_path / place)

    found = [dotted.is_module(f"oursonly.deep.{name}") for name in ("first", "second", "third", "first.fourth")]

    assert found == [True, True, False, False]
    assert not [name for name in sys.modules if name.startswith("oursonly")]


def started(program: str, **settings: str) -> str:
    """Return the last line that a process of its own writes to standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DTROVE_")} | settings
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, env=environment, capture_output=True, text=True, check=False
    )
    return done.stderr.strip().rpartition("\n")[2]


CLOUD, GUEST = "app.cloud({'warm': True}, None)", "app.guest({'warm': True}, None)"
SWEEP_CLOUD = "app.sweep_cloud({}, None)"
REFUSED = [
    ("", "DTROVE_MAX_CLUSTERSIZE", "7", "there is no such setting; did you mean DTROVE_MAX_CLUSTER_SIZE?"),
    ("", "DTROVE_PREFIX", "x %(lokal_id)s ", "an instance has no lokal_id; did you mean local_id?"),
    ("", "DTROVE_SSH_HOST", "%(host)s", "an instance has no host"),
    ("", "DTROVE_PROVIDER", "no.such.Provider", "there is no module no.such for no.such.Provider"),
    ("", "DTROVE_DATASTORE_MANAGERS", '[["a.b.C", "c"]]', "there is no module a.b for a.b.C"),
    (
        CLOUD,
        "DTROVE_PROVIDER",
        "json.JSONDecoder",
        "json.JSONDecoder is no BaseProvider; there are memory, nspawn, openstack",
    ),
    (CLOUD, "DTROVE_DEPLOYMENT", "who-are-we", "openstack needs OS_USERNAME, OS_PASSWORD and OS_PROJECT_ID or"),
    (SWEEP_CLOUD, "DTROVE_DEPLOYMENT", "who-are-we", "openstack needs OS_USERNAME, OS_PASSWORD and OS_PROJECT_ID or"),
    (GUEST, "DTROVE_DATASTORE_MANAGERS", '[["json.JSONDecoder", "c"]]', "json.JSONDecoder is no BaseManager"),
]


@pytest.mark.parametrize(("call", "variable", "value", "words"), REFUSED)
def test_the_function_concerned_does_not_start(call: str, variable: str, value: str, words: str) -> None:
    said = started(f"import app\n{call}", **{variable: value})

    named = "DTROVE_PROVIDER" if "openstack" in words else variable
    assert said.startswith(f"chalicelib.errors.ConfigError: {named}: {words}")


def test_the_api_looks_for_a_cloud_of_one_s_own_and_imports_none() -> None:
    program = "import app, sys; sys.exit(', '.join(name for name in sys.modules if name.startswith('chalicelib.p')))"

    assert started(program, DTROVE_PROVIDER=PROVIDERS["nspawn"]) == ""


def test_the_api_has_its_document_only_once_somebody_asks_for_it() -> None:
    program = (
        "import app, sys; sys.exit(', '.join(name for name in sys.modules if name.startswith('chalicelib.api.o')))"
    )

    assert started(program) == ""


def test_the_api_starts_without_powertools() -> None:
    program = "import app, sys; sys.exit(', '.join(name for name in sys.modules if name.startswith('aws_lambda')))"

    assert started(program) == ""


def test_the_api_imports_keystones_client_only_if_keystone_is_chosen() -> None:
    program = """
import app, sys
from chalicelib.api.auth import identity
identity()
sys.exit(', '.join(sorted({"keystoneauth1", "requests"} & set(sys.modules))))
"""
    own_user = {"OS_USERNAME": "dtrove", "OS_PASSWORD": "x", "OS_PROJECT_ID": "p"}

    assert started(program, DTROVE_IDENTITY="tokens") == ""
    assert started(program, DTROVE_IDENTITY="keystone", **own_user) == "keystoneauth1, requests"
