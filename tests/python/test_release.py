"""The version is one, and published images are named with their digests."""

import re

import pin_images
import pytest

from pharmacell import __version__

PROJECT = pin_images.CONFIG.parents[1]
CPU, CUDA = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FILES = [
    PROJECT / "nextflow.config",
    PROJECT / "CITATION.cff",
    *sorted((PROJECT / "conf").glob("*.config")),
    *sorted((PROJECT / "containers").glob("*.def")),
]


def test_every_file_states_the_package_s_version():
    stated = {}
    for path in FILES:
        text = path.read_text()
        found = re.findall(r"^ *version *[=:] *'?(\d+\.\d+\.\d+)|pharmacell[:-](\d+\.\d+\.\d+)", text, re.M)
        stated |= {path.name: {number for pair in found for number in pair if number}} if found else {}
    assert {"nextflow.config", "CITATION.cff", "containers.config", "singularity.config"} <= set(stated)
    assert {name: numbers for name, numbers in stated.items() if numbers != {__version__}} == {}


def test_images_get_registry_and_digest_once_or_again():
    text = pin_images.CONFIG.read_text()
    for _ in range(2):
        text = pin_images.pinned(text, "ghcr.io/someone/pharmacell", {"cpu": CPU, "cuda": CUDA})
        assert f"'ghcr.io/someone/pharmacell:{__version__}-cpu@{CPU}'" in text
        assert f"'ghcr.io/someone/pharmacell:{__version__}-cuda@{CUDA}'" in text
        assert "localhost" not in text


@pytest.mark.parametrize("digests", [{"cpu": "latest"}, {"rocm": CPU}])
def test_what_is_no_digest_or_no_image_is_refused(digests):
    with pytest.raises(ValueError, match=r"digest|images"):
        pin_images.pinned(pin_images.CONFIG.read_text(), "ghcr.io/someone/pharmacell", digests)
