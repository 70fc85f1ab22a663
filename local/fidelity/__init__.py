"""ministack, made faithful to AWS where stock ministack is not: `python -m local.fidelity` runs it.

Each patch is a function that first checks what it expects to find, so that a new ministack fails at
start, naming the patch.
"""

from collections.abc import Callable
from importlib.metadata import version

from local.fidelity.rewriting import PatchDoesNotFit

MINISTACK = "1.5.33"  # the one version these patches were written for; requirements-dev.txt pins the same

Patch = Callable[[], None]


def apply(patches: list[Patch]) -> None:
    """Apply every patch. Raises PatchDoesNotFit naming the first that does not fit."""
    if version("ministack") != MINISTACK:
        raise PatchDoesNotFit(f"ministack is {version('ministack')}, the patches are for {MINISTACK}.")
    for patch in patches:
        try:
            patch()
        except (PatchDoesNotFit, AttributeError) as error:
            raise PatchDoesNotFit(f"{patch.__module__}.{patch.__name__}: {error}") from error
