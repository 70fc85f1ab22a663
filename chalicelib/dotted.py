"""Dotted paths to classes: whether there is such a module, told without importing it; the class, once it is needed."""

import re
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from pkgutil import get_importer
from typing import Any

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


def is_path(path: object) -> bool:
    return isinstance(path, str) and PATH.fullmatch(path) is not None


def is_module(name: str) -> bool:
    """Say whether there is such a module. None is imported, not even the packages above it: `find_spec` would."""
    return name in sys.modules or bool(_specs(name))


def folder_of(name: str) -> Path | None:
    """Return the folder that the module's file is in, without importing it; None if there is no such module."""
    origins = [spec.origin for spec in _specs(name) if spec.origin] if name else []
    return Path(origins[0]).parent if origins else None


def _specs(name: str) -> list[ModuleSpec]:
    top, *parts = name.split(".")
    specs = [spec] if (spec := find_spec(top)) else []
    for part in parts:
        places = [each for spec in specs for each in spec.submodule_search_locations or ()]
        finders = [finder for each in places if (finder := get_importer(each))]
        top = f"{top}.{part}"
        specs = [found for each in finders if (found := each.find_spec(top))]
    return specs


def class_of(path: str, kind: type) -> Any:
    """Return the class at the path. Raises ValueError, saying why there is none of this kind."""
    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except Exception as error:  # whatever a module of somebody else's raises as it is imported
        raise ValueError(f"{path} cannot be imported ({type(error).__name__}: {error})") from error
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise ValueError(f"{path} is no {kind.__name__}")
    if lacking := sorted(getattr(found, "__abstractmethods__", ())):
        raise ValueError(f"{path} lacks {', '.join(lacking)}")
    return found
