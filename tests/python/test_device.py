"""Where training happens is said, a missing GPU is one clear line, and lack of memory has its own exit code."""

import click
import pytest
import torch

from pharmacell.core.command import command
from pharmacell.core.device import resolve_device
from pharmacell.core.errors import InputError


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


def test_auto_falls_back_to_the_cpu_and_says_so(no_gpu, capsys):
    assert resolve_device("auto") == torch.device("cpu")
    assert f"device: cpu (torch {torch.__version__} sees no GPU)" in capsys.readouterr().err


def test_auto_takes_a_gpu_and_names_it(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H100")
    assert resolve_device("auto") == torch.device("cuda")
    assert "device: cuda (H100)" in capsys.readouterr().err


def test_cuda_where_there_is_none_says_what_torch_saw(no_gpu):
    with pytest.raises(InputError, match=r"--device cuda: torch .* sees 0 GPUs \(built for CUDA .*\); .* --device cpu"):
        resolve_device("cuda")


@pytest.mark.parametrize(
    "problem",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        MemoryError("no memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes."),
    ],
    ids=["cuda", "numpy", "torch on the cpu"],
)
def test_lack_of_memory_ends_with_the_code_that_is_tried_again(problem, capsys):
    @command("train")
    def train(**_options):
        raise problem

    with pytest.raises(SystemExit) as ended:
        train.main([])
    assert ended.value.code == 137
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert said[0].startswith("error: out of memory: ")


def test_other_errors_are_not_taken_for_lack_of_memory():
    @command("train")
    def train(**_options):
        raise RuntimeError("shapes do not match")

    assert isinstance(train, click.Command)
    with pytest.raises(RuntimeError, match="shapes"):
        train.main([])
