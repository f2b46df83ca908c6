"""Which linewatch this is."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def version(package: str = "linewatch") -> str:
    """The installed version of a package; `not installed` for a check-out that runs as it lies."""
    try:
        return version_of(package)
    except PackageNotFoundError:
        return "not installed"
