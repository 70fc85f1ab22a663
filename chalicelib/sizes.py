"""How many bytes a MiB and a GiB are."""

from typing import Final

MIB: Final = 2**20
GIB: Final = 2**30
