"""Stacks of any network, dropout by key, the graph of cells and the hierarchy of terms."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import vmap

from pharmacell.benchmark.graph_model import similarity_edges
from pharmacell.benchmark.models.drugcell import morgan_fingerprint
from pharmacell.core.errors import InputError
from pharmacell.data.gene_ontology import ROOT, hierarchy
from pharmacell.nn.convolution import MatrixConv1d
from pharmacell.nn.keyed_dropout import KeyedDropout
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedDropout
from pharmacell.nn.vmapped import VmappedStack
from pharmacell.training.stacked_fit import stop_rows


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(4, 8), KeyedDropout(0.5), nn.Linear(8, 2)

    def forward(self, x):
        return self.last(self.drop(self.first(x)))


def test_dropout_keeps_the_share_it_should_and_depends_on_the_key_alone():
    drop, x = KeyedDropout(0.3), torch.ones(200, 500)
    first = drop(x)
    assert (first > 0).float().mean() == pytest.approx(0.7, abs=0.01)
    assert first.mean() == pytest.approx(1, abs=0.02)
    assert torch.equal(first, drop(x))
    drop.key.fill_(2**40 + 7)
    other = drop(x)
    agreement = ((first > 0) == (other > 0)).float().mean()
    assert agreement == pytest.approx(0.7**2 + 0.3**2, abs=0.01)  # as of independent masks
    assert torch.equal(drop.eval()(x), x)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_has_no_pattern_along_the_positions(rate):
    n = 400
    centred = ((KeyedDropout(rate)(torch.ones(n, n)) > 0).double() - 1 + rate) / (rate * (1 - rate)) ** 0.5
    largest = torch.linalg.eigvalsh(centred @ centred.T / n).max()
    assert largest < 4.3  # independent elements: 4 (Marchenko and Pastur 1967), and what chance adds


def test_dropout_of_a_stack_and_of_a_plain_network_is_the_same_function_of_the_key():
    random, x = ReplicaRandom([4, 9]), torch.randn(2, 6, 3, 5)
    stacked, keys = StackedDropout(0.4, random)(x), ReplicaRandom([4, 9]).keys()
    for replica in range(2):
        plain = KeyedDropout(0.4)
        plain.key.copy_(keys[replica])
        assert torch.equal(stacked[replica], plain(x[replica]))


def test_dropout_in_vmap_equals_dropout_by_itself():
    drop, x, keys = KeyedDropout(0.5), torch.randn(3, 5, 7), torch.tensor([3, 2**61, 5])
    stacked = vmap(lambda key, row: torch.func.functional_call(drop, {"key": key}, (row,)))(keys, x)
    for place in range(3):
        drop.key.copy_(keys[place])
        assert torch.equal(stacked[place], drop(x[place]))


def test_replica_is_what_it_would_be_alone():
    x = torch.randn(2, 6, 4)
    both = VmappedStack(lambda _: Net(), ReplicaRandom([11, 12]))
    alone = VmappedStack(lambda _: Net(), ReplicaRandom([12]))
    for _ in range(2):  # the second call draws other dropout keys
        torch.testing.assert_close(both.call("forward", x)[1:], alone.call("forward", x[1:]))
    both.eval()
    assert not torch.equal(*both.call("forward", x[:1].expand(2, -1, -1)))
    assert not torch.equal(both.train().call("forward", x), both.call("forward", x))


@pytest.mark.parametrize(("kernel", "stride", "length"), [(15, 8, 100), (3, 2, 33), (1, 2, 20)])
def test_convolution_equals_that_of_torch(kernel, stride, length):
    convolution = MatrixConv1d(4, 6, kernel, stride)
    reference = nn.Conv1d(4, 6, kernel, stride, kernel // 2, bias=False)
    with torch.no_grad():
        reference.weight.copy_(convolution.weight.T.view(6, 4, kernel))
    x = torch.randn(5, 4, length)
    torch.testing.assert_close(convolution(x), reference(x))


def test_copy_and_part_touch_the_named_submodules_alone():
    stack = VmappedStack(lambda _: nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)}), ReplicaRandom([0, 1]))
    values = dict(zip(stack.names, stack.values, strict=True))
    before = values["network.a.weight"].clone()
    stack.copy("a", "b")
    assert torch.equal(values["network.b.weight"], before)
    assert torch.equal(values["network.a.weight"], before)
    assert len(list(stack.part("a").parameters())) == 2
    assert len(list(stack.parameters())) == 4


def test_stop_rows_are_a_tenth_of_each_class_and_apart():
    labels = (np.arange(200) < 40).astype(int)
    learn, held = stop_rows(labels, 3)
    assert len(held) == 20
    assert labels[held].sum() == 4
    assert sorted([*learn, *held]) == list(range(200))


def test_edges_join_what_correlates_and_no_node_stays_alone():
    rng = np.random.default_rng(0)
    pattern = rng.normal(size=(2, 50))
    like = np.concatenate([pattern[:1] + 0.1 * rng.normal(size=(4, 50)), pattern[1:], rng.normal(size=(3, 50))])
    edges = similarity_edges(like.astype(np.float32), 8, 0.8, 2)
    pairs = set(map(tuple, edges.T.tolist()))
    assert {(a, b) for a in range(4) for b in range(4) if a != b} <= pairs
    assert all((b, a) in pairs and a != b for a, b in pairs)
    assert set(edges[0].tolist()) == set(range(8))
    lonely = [pair for pair in pairs if pair[0] == 4]
    assert len(lonely) >= 2  # below the threshold, so its nearest


def test_nodes_that_receive_only_change_no_edge_between_the_others():
    x = np.random.default_rng(0).normal(size=(12, 50)).astype(np.float32)
    few, all_nodes = similarity_edges(x[:8], 8, 0.8, 2), similarity_edges(x, 8, 0.8, 2)
    assert set(all_nodes[0].tolist()) <= set(range(8))
    assert set(all_nodes[1].tolist()) == set(range(12))
    between = all_nodes[:, all_nodes[1] < 8]
    np.testing.assert_array_equal(between, few)


def test_hierarchy_keeps_large_terms_and_gives_the_genes_of_small_ones_to_their_parents():
    from synthetic_folds import ontology_genes

    genes = tuple(ontology_genes(400))
    whole, pruned = hierarchy(genes, 1), hierarchy(genes, 60)
    assert pruned.terms[-1] == ROOT
    assert 1 < len(pruned.terms) < len(whole.terms)
    for shape in (whole, pruned):
        assert set().union(*shape.genes) == set(range(400))
        for term, children in enumerate(shape.children):
            assert all(child < term and shape.level[child] < shape.level[term] for child in children)
    with pytest.raises(InputError, match="gene ontology"):
        hierarchy(("no such gene",), 1)


def test_fingerprint_tells_structures_apart_and_is_zero_without_one():
    assert morgan_fingerprint(None).sum() == 0
    assert morgan_fingerprint("CCO").sum() > 0
    assert not np.array_equal(morgan_fingerprint("CCO"), morgan_fingerprint("c1ccccc1"))
