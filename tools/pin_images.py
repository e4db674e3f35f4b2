"""Name published images with their digests in conf/containers.config: ``pin_images.py NAME CPU_DIGEST CUDA_DIGEST``."""

import re
import sys
from pathlib import Path

CONFIG = Path(__file__).resolve().parents[1] / "conf" / "containers.config"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def pinned(text: str, name: str, digests: dict[str, str]) -> str:
    """Return the text of the config with each variant's image as ``name:tag@digest``.

    Parameters
    ----------
    text
        Of conf/containers.config.
    name
        Registry and repository, such as ``ghcr.io/someone/pharmacell``.
    digests
        By variant, ``cpu`` and ``cuda``.

    Raises
    ------
    ValueError
        If a digest is none, or the config does not name a variant just once.
    """
    for variant, digest in digests.items():
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"{variant}: '{digest}' is no digest; give sha256: and 64 hexadecimal digits")
        text, found = re.subn(rf"'[^':]*:([^'@]*-{variant})(@[^']*)?'", rf"'{name}:\1@{digest}'", text)
        if found != 1:
            raise ValueError(f"{CONFIG.name} names {found} images of the variant {variant}; it has to be one")
    return text


if __name__ == "__main__":
    registry, cpu, cuda = sys.argv[1:]
    CONFIG.write_text(
        pinned(CONFIG.read_text(encoding="utf-8"), registry, {"cpu": cpu, "cuda": cuda}), encoding="utf-8"
    )
