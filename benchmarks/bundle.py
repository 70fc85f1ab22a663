"""The bundle that each function runs: how large it is, of what Lambda allows."""

import zipfile
from pathlib import Path

from benchmarks.figures import Figure, Section
from local.package import package

ABOUT = "The zip that `chalice package` makes with our requirements, and its content; Lambda allows 50 and 250 MB.\n"
REPO = Path(__file__).parent.parent
MEGABYTE = 1_000_000
MOST_ZIPPED, MOST_UNZIPPED = 50, 250


def measure() -> Section:
    bundle = package(REPO).bundle
    entries = zipfile.ZipFile(bundle).infolist()
    zipped = bundle.stat().st_size / MEGABYTE
    unzipped = sum(each.file_size for each in entries) / MEGABYTE
    figures = (
        Figure("bundle.zipped", zipped, "MB", most=MOST_ZIPPED),
        Figure("bundle.unzipped", unzipped, "MB", most=MOST_UNZIPPED),
    )
    return Section("The bundle", ABOUT, figures)


if __name__ == "__main__":
    print(measure().to_json())
