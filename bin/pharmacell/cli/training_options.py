"""Options of the network, its training and the transfer, shared by pretrain_bulk and finetune_sc.

An option that is not given takes the value of the configuration (``--config``) or of the preset.
"""

from collections.abc import Callable

import click


class Widths(click.ParamType):
    """Comma-separated layer widths, such as 256,128."""

    name = "widths"

    def convert(self, value, param, ctx):
        """Return a tuple of positive integers."""
        if isinstance(value, tuple):
            return value
        try:
            widths = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            widths = ()
        if not widths or min(widths) < 1:
            self.fail(f"'{value}' is not a list of layer widths such as 256,128", param, ctx)
        return widths


def together(*options: Callable) -> Callable:
    """Apply several click options in the order given."""

    def wrap(function: Callable) -> Callable:
        for option in reversed(options):
            function = option(function)
        return function

    return wrap


configuration_options = together(
    click.option(
        "--config",
        type=click.Choice(["default", "published"]),
        default="default",
        help="Set of defaults: default is what shifted validation asks for, published is the paper's.",
    ),
    click.option(
        "--preset",
        type=click.Choice(["data1", "data2", "data3", "data4"]),
        help="The paper's Table 2; implies --config published; single options override it.",
    ),
)

network_options = together(
    click.option("--bottleneck", type=click.IntRange(min=1), help="Width of the latent vector [default: 512]."),
    click.option("--encoder", type=Widths(), help="Hidden widths of the encoder [default: 256,128]."),
    click.option("--predictor", type=Widths(), help="Hidden widths of the predictor [default: 128,64]."),
    click.option(
        "--dropout", type=click.FloatRange(0, 1, max_open=True), help="Dropout rate [default: 0.5; published 0.3]."
    ),
    click.option("--heads", type=click.IntRange(min=0), help="Attention heads, 0 for none [default: 8]."),
    click.option(
        "--attention_tokens",
        type=click.IntRange(min=2),
        help="Tokens the latent vector is cut into [default: the most, up to 16, that fit the heads].",
    ),
)

precision_option = click.option(
    "--precision",
    type=click.Choice(["float32", "tf32", "bf16"]),
    help="Of the network's matrix products in training; tf32 needs a GPU [default: float32].",
)

training_options = together(
    click.option(
        "--validation",
        type=click.Choice(["shifted", "plain"]),
        help="What decides when to stop and how to weigh: held-out lines as simulated cells, or as they are; "
        "plain leaves the network alone, without linear members [default: shifted; published plain].",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        help="Most epochs of predictor and joint stage [default: 40; published 500].",
    ),
    click.option(
        "--autoencoder_epochs",
        type=click.IntRange(min=0),
        help="Most epochs of the autoencoders [default: 10; published as --epochs].",
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=1),
        help="Epochs without improvement before a stage stops [default: 5; published 20].",
    ),
    click.option("--batch_size", type=click.IntRange(min=2), help="Rows in a batch [default: 128; published 200]."),
    click.option("--learning_rate", type=click.FloatRange(0, min_open=True), help="Of AdamW [default: 0.001]."),
    click.option("--weight_decay", type=click.FloatRange(0), help="Of AdamW [default: 0.01; published 0]."),
    click.option(
        "--noise",
        type=click.Choice(["thinning", "binomial", "gaussian", "dropout"]),
        help="Noise of the denoising autoencoder; thinning makes simulated cells of the lines "
        "[default: thinning; published binomial].",
    ),
    click.option(
        "--noise_rate",
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of values masked, or standard deviation of gaussian noise [default: 0.5; published 0.2].",
    ),
    click.option(
        "--sampling",
        type=click.Choice(["none", "over", "under", "smote", "adasyn"]),
        help="Resampling of the training lines [default: none].",
    ),
    precision_option,
)

transfer_options = together(
    click.option(
        "--omega", type=click.FloatRange(0), help="Weight of the maximum mean discrepancy [default: 0.1; published 1]."
    ),
    click.option(
        "--theta", type=click.FloatRange(0), help="Weight of the cluster regulariser [default: 0.1; published 1]."
    ),
    click.option(
        "--encoder_init",
        type=click.Choice(["bulk", "random"]),
        help="Start of the target encoder [default: bulk; published random].",
    ),
    click.option("--clustering", type=click.Choice(["louvain", "leiden"]), help="Of the cells [default: louvain]."),
)
