"""Import every installed package; runs while the image is built, which a missing system library then ends.

Without this the lack shows in the one task that needs the package: LightGBM installs, and fails, without libgomp.
"""

import importlib
import sys
from importlib.metadata import packages_distributions

GPU_ONLY = ("nvidia", "triton", "cuda")  # the CPU image keeps of these what torch opens
INSTALLERS = ("_distutils_hack", "pip", "pkg_resources", "setuptools", "wheel")


def modules() -> list[str]:
    """Return the names of all top-level modules that packages installed, without those that are no Python names."""
    names = {name for name in packages_distributions() if name.isidentifier()}
    return sorted(name for name in names if not name.startswith(("_", *GPU_ONLY)) and name not in INSTALLERS)


def main() -> None:
    """Import all; end with the names of those that cannot be."""
    failed = {}
    for name in modules():
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    if failed:
        sys.exit("error: " + "; ".join(f"{name}: {why}" for name, why in failed.items()))
    print(f"{len(modules())} modules can be imported", flush=True)


if __name__ == "__main__":
    main()
