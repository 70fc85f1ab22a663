"""The images that local servers are born of."""

from pathlib import Path

import pytest

from chalicelib.config import Config
from local import images


def write_source(apt: Path, name: str, text: str) -> Path:
    path = apt / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_only_debians_own_sources_make_the_image(tmp_path: Path) -> None:
    security = "deb http://security.debian.org/debian-security bookworm-security main contrib"
    ours = [
        write_source(tmp_path, "sources.list", security),
        write_source(
            tmp_path, "sources.list.d/debian.sources", "Suites: bookworm bookworm-updates\nComponents: main\n"
        ),
    ]
    write_source(tmp_path, "sources.list.d/docker.list", "deb https://download.docker.com/linux/debian bookworm stable")
    write_source(tmp_path, "sources.list.d/cloud.list", "deb https://packages.example/apt cloud-sdk-bookworm main")
    write_source(tmp_path, "sources.list.d/pgdg.list", "deb https://apt.postgresql.org/pub bookworm-pgdg main")
    write_source(tmp_path, "sources.list.d/debian.sources.bak", "Suites: bookworm\nComponents: main\n")

    assert images.debian_sources(tmp_path) == ours


def test_a_host_without_debian_sources_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No apt source of Debian bookworm"):
        images.debian_sources(tmp_path)


def test_an_image_is_made_once_for_each_recipe_and_only_whole(tmp_path: Path) -> None:
    made = []

    def fill(layer: Path) -> None:
        made.append(layer)
        (layer / "tree").mkdir()
        assert not (tmp_path / "images/base/tree").exists() or len(made) > 1

    (tmp_path / "images").mkdir()
    for recipe in ("one", "one", "two"):
        images.ensure_image(tmp_path / "images/base", recipe, ["lower"], fill)

    assert len(made) == 2
    assert [each.name for each in (tmp_path / "images").iterdir()] == ["base"]
    assert (tmp_path / "images/base/layers").read_text() == "lower\n"


def test_an_image_that_servers_lie_upon_is_not_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "images/base").mkdir(parents=True)
    (tmp_path / "images/base/recipe").write_text("one")
    (tmp_path / "guests/i").mkdir(parents=True)
    (tmp_path / "guests/i/record.json").write_text("{}")

    images.ensure_image(tmp_path / "images/base", "two", [], lambda layer: pytest.fail("built"))

    assert "in use" in capsys.readouterr().out


@pytest.mark.guests
def test_images_that_are_there_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    images.build(Path(Config.dtrove_nspawn_root))

    assert capsys.readouterr().out.count(": present") == 2
