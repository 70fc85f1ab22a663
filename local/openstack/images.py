"""The cloud's images: those of the local guests, with cloud-init, each as a tar that Glance can keep."""

from pathlib import Path

from chalicelib.config import Config
from local import images
from local.openstack.site import CACHE

PACKAGES = ("cloud-init", "netcat-openbsd", "iputils-arping", "iputils-ping", "e2fsprogs")
RECIPE = images.RECIPES / "cloud.sh"
LOCAL = Path(Config.dtrove_nspawn_root)  # where those of the local guests are


def build() -> dict[str, Path]:
    """Have them; return the file of each by its name."""
    images.build(LOCAL)
    folder = CACHE / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with images.alone(folder):
        images.discard(folder.glob(".*.building"))
        return {name: _ensure(folder, name) for name in (images.BASE, images.GOLDEN)}


def _ensure(folder: Path, name: str) -> Path:
    below = LOCAL / "images" / name
    trees = [below / "tree", *(below.with_name(each) / "tree" for each in (below / "layers").read_text().split())]
    recipe = images.hash_of((below / "recipe").read_text(), *PACKAGES, RECIPE.read_text())

    def fill(layer: Path) -> None:
        lower = ":".join(map(str, trees))
        images.run(*images.PRIVATE, str(RECIPE), lower, str(layer), *PACKAGES, log=layer / "log")

    images.ensure_image(folder / name, recipe, [], fill)
    return folder / name / "image.tar.zst"
