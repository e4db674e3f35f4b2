"""Where training happens is said, a missing GPU is one clear line, and lack of memory has its own exit code."""

import os
from dataclasses import replace

import click
import pytest
import torch
from click.testing import CliRunner
from synthetic_cells import CONFIG, GENES, TRAINING
from torch import Tensor

from pharmacell.core.command import THREAD_VARIABLES, command
from pharmacell.core.device import resolve_device
from pharmacell.core.errors import InputError
from pharmacell.response import joint_training, pretraining
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import Configuration
from pharmacell.training.loop import History, Stage, train_epoch
from pharmacell.training.training_set import TrainingSet


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


def rows_without_memory(n_replicas: int, n_rows: int) -> Tensor:
    return torch.zeros(n_replicas, n_rows, dtype=torch.int64, device="meta")


def begun_stages(monkeypatch) -> list[Stage]:
    """Return the three stages of a stack on the device ``meta``, as they would be handed to the loop."""
    stages: list[Stage] = []
    for module in (pretraining, joint_training):
        monkeypatch.setattr(module, "run_stage", lambda stage, *_rest: stages.append(stage))
    model = ATSDP(CONFIG, len(GENES), [1, 2], "meta")
    settings = Configuration(CONFIG, replace(TRAINING, noise="thinning", validation="shifted"))
    kinds, rows = torch.empty(4, 50, len(GENES), device="meta"), rows_without_memory(2, 40)
    lines = TrainingSet(kinds[-1], kinds, rows, rows, rows_without_memory(2, 50), rows[:, :5])
    cells = rows_without_memory(1, 50)[0]  # cluster and label of each
    target = joint_training.TargetCells(kinds[0], cells, 3, cells[None], rows[:1], rows[:1, :5], [cells[:0]])
    history = History()
    pretraining.train_autoencoder("autoencoder", model.source, model.random, lines, settings.training, history)
    pretraining.train_predictor("predictor", model, lines, None, settings.training, history)
    joint_training.train_jointly("joint", model, lines, None, target, settings, history)
    return stages


def test_no_step_of_an_epoch_waits_for_a_number_from_the_device(monkeypatch):
    stages = begun_stages(monkeypatch)
    assert [stage.name for stage in stages] == ["autoencoder", "predictor", "joint"]
    for stage in stages:  # what has no memory cannot be read: .item(), .cpu(), .numpy(), a mask as an index
        stage.modules.train()
        means = train_epoch(stage, torch.optim.SGD(stage.modules.parameters(), 0.1, foreach=False))
        assert means["total"].is_meta
    with pytest.raises(RuntimeError, match="meta"):
        means["total"][0].item()


@pytest.mark.parametrize(("given", "expected"), [(None, "passive"), ("active", "active")])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(given, expected, monkeypatch):
    for variable in (*THREAD_VARIABLES, "OMP_WAIT_POLICY"):
        monkeypatch.setenv(variable, "1")  # so that what the command sets is undone
    monkeypatch.setenv("OMP_WAIT_POLICY", given) if given else monkeypatch.delenv("OMP_WAIT_POLICY")
    found = {}

    @command("probe")
    def probe(**_):
        found.update(os.environ)

    CliRunner().invoke(probe, ["--threads", "2"], catch_exceptions=False)
    assert (found["OMP_NUM_THREADS"], found["OMP_WAIT_POLICY"]) == ("2", expected)
