"""Options of the network and its training, shared by pretrain_bulk and finetune_sc."""

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


PRESET = click.option("--preset", type=click.Choice(["data1", "data2", "data3", "data4"]),
                      help="Settings of the paper's Table 2; single options override it.")

network_options = together(
    click.option("--bottleneck", type=click.IntRange(min=1), help="Width of the latent vector [default: 512]."),
    click.option("--encoder", type=Widths(), help="Hidden widths of the encoder [default: 256,128]."),
    click.option("--predictor", type=Widths(), help="Hidden widths of the predictor [default: 128,64]."),
    click.option("--dropout", type=click.FloatRange(0, 1, max_open=True), help="Dropout rate [default: 0.3]."),
    click.option("--heads", type=click.IntRange(min=0), help="Attention heads, 0 for none [default: 8]."),
    click.option("--attention_tokens", type=click.IntRange(min=2),
                 help="Tokens the latent vector is cut into [default: the most, up to 16, that fit the heads]."),
)

training_options = together(
    click.option("--epochs", type=click.IntRange(min=1), help="Most epochs of each stage [default: 500]."),
    click.option("--patience", type=click.IntRange(min=1), default=20,
                 help="Epochs without improvement on the validation part before a stage stops."),
    click.option("--batch_size", type=click.IntRange(min=2), default=200, help="Lines or cells in a batch."),
    click.option("--learning_rate", type=click.FloatRange(0, min_open=True), default=1e-3, help="Of AdamW."),
    click.option("--weight_decay", type=click.FloatRange(0), default=0.0, help="Of AdamW."),
    click.option("--noise", type=click.Choice(["binomial", "gaussian", "dropout"]), default="binomial",
                 help="Noise of the denoising autoencoder."),
    click.option("--noise_rate", type=click.FloatRange(0, 1, max_open=True), default=0.2,
                 help="Share of values masked, or standard deviation of gaussian noise."),
    click.option("--sampling", type=click.Choice(["none", "over", "under", "smote", "adasyn"]),
                 help="Resampling of the training lines [default: none]."),
)


def network_config(preset: str | None, **chosen):
    """Return the network's shape: the preset's or the default, overridden by every option that is not None."""
    from dataclasses import replace

    from pharmacell.models.atsdp import PRESETS, ATSDPConfig

    config = PRESETS[preset] if preset else ATSDPConfig()
    config = replace(config, **{name: value for name, value in chosen.items() if value is not None})
    if config.heads:
        config.tokens()  # a misfit of heads and bottleneck ends here, before any data are read
    return config


def training_config(preset: str | None, epochs: int | None, sampling: str | None, **chosen):
    """Return how to train: epochs and sampling of the preset unless given, the rest as given."""
    from pharmacell.models.atsdp import PRESET_EPOCHS, PRESET_SAMPLING
    from pharmacell.train.loop import TrainingConfig

    return TrainingConfig(
        epochs=epochs or PRESET_EPOCHS,
        sampling=sampling or (PRESET_SAMPLING[preset] if preset else "none"),
        **chosen,
    )
