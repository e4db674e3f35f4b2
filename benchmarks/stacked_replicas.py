"""Five replicas, stacked unless they are wide, against five trainings one after another in the same process."""

from machine import N_GENES, N_LINES, Row, ratio_in_turns, synthetic, train

from pharmacell.response.settings import ATSDPConfig

REPLICAS = 5
TEST_NETWORK = ATSDPConfig(16, (32,), (16,), heads=2, attention_tokens=4)  # of conf/test.config
SIZES = {  # lines, genes, network, epochs, repeats, bar
    "full size, in turns": (N_LINES, N_GENES, ATSDPConfig(), 4, 5, None),
    "test size": (240, 600, TEST_NETWORK, 20, 7, 0.65),
    "test lines, full network": (240, 600, ATSDPConfig(), 10, 5, None),
}


def measure():
    """Yield the ratio of stacked to successive training."""
    for name, (n_lines, n_genes, network, epochs, repeats, bar) in SIZES.items():
        lines = synthetic(n_lines, n_genes)

        def fit(n_replicas: int, seed: int = 0, lines=lines, network=network, epochs=epochs) -> float:
            return sum(sum(stage) for stage in train(lines, network, n_replicas, epochs, seed).values())

        fit(1)
        ratio = ratio_in_turns(
            repeats, lambda fit=fit: fit(REPLICAS), lambda fit=fit: sum(fit(1, seed) for seed in range(REPLICAS))
        )
        yield Row(f"{name} ({n_lines} x {n_genes}): {REPLICAS} replicas / one after another", ratio, "x", bar)
