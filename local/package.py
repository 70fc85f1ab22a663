"""Packaging: `chalice package`, kept until a source changes.

Chalice installs the requirements anew for each change of the app (15 s). So it packages them once, under an app with
nothing else, and packages our app, without any, for each change; the two bundles are joined.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / ".local" / "requirements"  # a bundle for each requirements.txt
CHALICE = "from chalice.cli import main; main()"  # of this very Python, whatever PATH says
EMPTY_APP = """from chalice import Chalice

app = Chalice(app_name="requirements")
app.lambda_function(name="none")(lambda event, context: None)
"""
EMPTY_APP_FILES = {"app.py", "chalice/app.py", "chalice/__init__.py"}
EMPTY_CONFIG = '{"version": "2.0", "app_name": "requirements", "stages": {"dev": {}}}\n'
NOT_SHIPPED = {"__pycache__", "deployments"}
DEFAULT_REGION = "us-east-1"  # chalice package asks for a region, and writes it nowhere


class PackagingFailed(Exception):
    """`chalice package` ended badly; the message is what it said."""


@dataclass(frozen=True)
class Package:
    template: dict[str, object]  # SAM: the functions, the API, and resources.yaml
    bundle: Path  # zip: what each function runs
    machines: tuple[Path, ...]  # ASL files


def package(project: Path, stage: str = "dev") -> Package:
    """Package the app in the folder `project`, unless its .local/package/<stage> is made of these very sources."""
    folder = project / ".local" / "package" / stage
    digest = _digest(project)
    out = folder / "app" / "out"
    stamp = folder / "sources"
    if not (stamp.exists() and stamp.read_text() == digest):
        stamp.unlink(missing_ok=True)
        requirements = _requirements_bundle((project / "requirements.txt").read_bytes())
        _package_app(project, folder / "app", out, stage)
        _join(requirements, out / "deployment.zip")
        stamp.write_text(digest)
    template = yaml.load((out / "sam.yaml").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return Package(template, out / "deployment.zip", machine_files(project))


def machine_files(project: Path) -> tuple[Path, ...]:
    return tuple(sorted((project / "statemachines").glob("*.asl.json")))


def _sources(project: Path) -> Iterator[Path]:
    for name in ("app.py", "requirements.txt", "resources.yaml"):
        yield project / name
    for name in ("chalicelib", ".chalice"):
        yield from sorted(
            each for each in (project / name).rglob("*") if each.is_file() and not NOT_SHIPPED & set(each.parts)
        )


def _digest(project: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in _sources(project):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(project)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _requirements_bundle(requirements: bytes) -> Path:
    bundle = REQUIREMENTS / f"{hashlib.sha256(requirements).hexdigest()[:16]}.zip"
    if not bundle.exists():
        REQUIREMENTS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=REQUIREMENTS) as home_name:
            home = Path(home_name)
            (home / ".chalice").mkdir()
            (home / ".chalice" / "config.json").write_text(EMPTY_CONFIG)
            (home / "app.py").write_text(EMPTY_APP)
            (home / "requirements.txt").write_bytes(requirements)
            _chalice_package(home, home / "out", "dev")
            (home / "out" / "deployment.zip").replace(bundle)
    return bundle


def _package_app(project: Path, home: Path, out: Path, stage: str) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.copy(project / "app.py", home)
    for name in ("chalicelib", ".chalice"):
        if (project / name).is_dir():
            shutil.copytree(project / name, home / name, ignore=shutil.ignore_patterns(*NOT_SHIPPED))
    shutil.copy(project / "resources.yaml", home)
    _chalice_package(home, out, stage, "--merge-template", "resources.yaml")


def _chalice_package(home: Path, out: Path, stage: str, *options: str) -> None:
    command = [sys.executable, "-c", CHALICE, "package", "--stage", stage, "--template-format", "yaml"]
    environment = {"AWS_DEFAULT_REGION": DEFAULT_REGION, "PIP_CACHE_DIR": str(ROOT / ".local" / "pip"), **os.environ}
    done = subprocess.run(
        [*command, *options, str(out.resolve())], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode or "Could not install dependencies" in done.stdout + done.stderr:
        raise PackagingFailed(f"chalice package: {done.stdout}{done.stderr}")


def _join(requirements: Path, bundle: Path) -> None:
    """Put the requirements into the app's bundle, without packing them anew."""
    joined = bundle.with_suffix(".joined")
    shutil.copy(requirements, joined)
    with zipfile.ZipFile(bundle) as app, zipfile.ZipFile(joined, "a", zipfile.ZIP_DEFLATED) as both:
        for name in EMPTY_APP_FILES:  # leaves some bytes that the zip's directory does not name
            both.filelist.remove(both.NameToInfo.pop(name))
        for entry in app.infolist():
            both.writestr(entry, app.read(entry))
    joined.replace(bundle)
