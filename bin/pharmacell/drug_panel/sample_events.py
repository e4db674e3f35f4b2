"""The driver events that a sheet says a sample has: of all its cells, or of each group."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.driver_events import events_column, known_events, named_events
from pharmacell.drug_panel.groups import Groups
from pharmacell.drug_panel.mutations import EventEffects


@dataclass(frozen=True)
class SampleEvents:
    """What is known of each group, and what it adds to z.

    Attributes
    ----------
    events
        Of each group, as the table calls them; None where the sheet says nothing of it.
    kind
        Which row of ``shift`` each group has: groups of the same events share one, int [n_groups].
    shift
        What events add to z in each tissue, last in any other, [n_kinds, n_tissues + 1, n_drugs].
    notes
        In plain words.
    """

    events: list[tuple[str, ...] | None]
    kind: np.ndarray
    shift: np.ndarray
    notes: list[str]

    @property
    def known(self) -> np.ndarray:
        """Whether anything is known of each group, bool [n_groups]."""
        return np.array([events is not None for events in self.events])


def events_of_groups(mutations: str | None, obs: pd.DataFrame, groups: Groups) -> list[tuple[str, ...] | None]:
    """Return the events of each group; None where the sheet says nothing of it.

    Parameters
    ----------
    mutations
        What the sheet says: events, or ``column:KEY`` where a column of the cells has those of each. A group has the
        events that at least half of its cells with a value have.
    obs
        Of the prepared sample.
    groups
        Of its cells.

    Raises
    ------
    InputError
        If there is no such column, or a name is no known event.
    """
    table = known_events()
    if not mutations:
        return [None] * len(groups.names)
    key = events_column(mutations)
    if key is None:
        return [tuple(named_events(mutations, table))] * len(groups.names)
    if key not in obs:
        raise InputError(f"--mutations: the sample has no column '{key}'; it has {', '.join(map(str, obs.columns))}")
    texts = obs[key].astype(object).where(obs[key].notna(), "").astype(str).str.strip().to_numpy()
    events = {text: named_events(text, table) for text in set(texts) - {""}}
    found: list[tuple[str, ...] | None] = []
    for group in range(len(groups.names)):
        own = [text for text in texts[groups.code == group] if text]
        counts = Counter(event for text in own for event in events[text])
        found.append(tuple(event for event in table if 2 * counts[event] >= len(own)) if own else None)
    return found


def sample_events(
    effects: EventEffects, n_drugs: int, mutations: str | None, obs: pd.DataFrame, groups: Groups
) -> SampleEvents:
    """Bring the events of a sample's groups to what they add to z.

    Parameters
    ----------
    effects
        Of the bulk stage.
    n_drugs
        How many there are.
    mutations, obs, groups
        See :func:`events_of_groups`.
    """
    found = events_of_groups(mutations, obs, groups)
    kinds = list(dict.fromkeys(found))
    shift = np.zeros((len(kinds), len(effects.effects), n_drugs))
    notes, rare = [], set[str]()
    for number, events in enumerate(kinds):
        of = [name for name, own in zip(groups.names, found, strict=True) if own == events]
        where = "" if len(kinds) == 1 else f" of {', '.join(of[:5])}{' and others' if len(of) > 5 else ''}"
        if events is None:
            notes.append(
                f"driver events{where} are not known: drugs that follow a mutation are predicted from expression alone"
            )
            continue
        shift[number], few = effects.shift(list(events), n_drugs)
        rare |= set(few)
        count = np.count_nonzero(shift[number].any(0))
        names = "; ".join(events) or "none"
        notes.append(f"driver events{where} ({names}; no others) count for {count} drugs, as they do in the bulk lines")
    if rare:
        notes.append(f"too few lines have these driver events to learn from them: {', '.join(sorted(rare))}")
    return SampleEvents(found, np.array([kinds.index(events) for events in found]), shift, notes)
