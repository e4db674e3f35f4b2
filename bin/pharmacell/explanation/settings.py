"""Settings of the explanation of predictions; imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal

from pharmacell.core.settings import setting


@dataclass(frozen=True)
class Attribution:
    """How integrated gradients are taken."""

    ig_baseline: Literal["resistant", "zeros"] = setting(
        "resistant",
        "Cell that integrated gradients compare with: the mean resistant cell (for resistant cells the mean sensitive "
        "one), or the sample's mean cell (zeros).",
    )
    ig_steps: int = setting(
        12,
        "Steps of integrated gradients; doubled, up to four times, for cells whose completeness gap is over 1 %.",
        at_least=2,
    )


@dataclass(frozen=True)
class Pseudotime:
    """Where the pseudotime starts."""

    root: str | None = setting(
        None,
        "Where the pseudotime starts: the name of a group (group_key) or of a cell.",
        otherwise="the group, or cluster where there are no groups, with the highest mean probability",
    )
