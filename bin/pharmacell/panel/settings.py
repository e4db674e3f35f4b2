"""Settings of the panel; imports nothing heavy."""

from dataclasses import dataclass

from pharmacell.core.settings import setting


@dataclass(frozen=True)
class PanelRequest:
    """What the sample sheet says about a sample and its panel."""

    label_key: str | None = setting(
        None, "KEY where columns KEY_ln_ic50:DRUG hold the measured ln(IC50 / uM), to show beside what is predicted."
    )
    group_key: str | None = setting(
        None, "Column of the cells' groups (clone, patient); without it cells are clustered.", otherwise="clusters"
    )
    normal_key: str | None = setting(
        None, "Column that marks normal cells (true, yes, 1 or normal): groups that a combination is to spare."
    )
    tissue: str | None = setting(
        None, "Tissue of the sample, as the table of lines calls it.", otherwise="that of the lines most alike"
    )
    mutations: str | None = setting(
        None, "Driver events that the sample is known to have, such as EGFR;TP53.", otherwise="not known"
    )
