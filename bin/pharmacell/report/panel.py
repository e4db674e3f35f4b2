"""The chapter on the panel: which drugs for which cells, and how far to believe it."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.report.answer import thumbnail
from pharmacell.report.figure_table import write_figures
from pharmacell.report.panel_figures import PANEL_FIGURES
from pharmacell.report.panel_results import NOT_SUPPORTED, PanelResults
from pharmacell.report.words import plain, sentence
from pharmacell.report.writer import Writer, definitions, table

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.figures.style import Drawn

PAIRS = 10  # combinations that are shown; all stand in combinations.csv
BEST = 5
TOLD = 5  # measured drugs that are named on the first screen
MEASURED = 20  # measured drugs in the table
CLEAR = 0.69  # ln 2: measured IC50 that differ by less than a factor of two are alike
NONE = "No drug separates these groups in a way that can be believed."


def write_panel(results: PanelResults, drawn: dict[str, "Drawn"], folder: Path, seed: int = 0) -> None:
    """Write the sample's row and its chapter on all drugs.

    Parameters
    ----------
    results
        The panel of one sample.
    drawn
        As :func:`pharmacell.report.panel_figures.draw_panel` returns it.
    folder
        Where the files go.
    seed
        Seed of the choice of points of the small map.
    """
    write = Writer(results.sample, results.sample, folder)
    write.answer(answer(results, seed))
    write.text("panel", results.sample, opening(results), "", "the drugs that separate these groups best")
    write_figures(write, PANEL_FIGURES, drawn, results)
    if results.truth is not None:
        description = "Predicted beside measured ln(IC50 / µM); lower is more sensitive."
        write.text("panel", results.sample, table(beside_truth(results), "drug"), description, "measured")
    if len(gaining(results)):
        description = (
            "Pairs by independent action: each group responds as to the better of the two. Percentiles are among bulk "
            f"lines, 0 most sensitive; the pair is judged by the group that it hits worst.{best_alone(results)}"
        )
        write.text("panel", results.sample, table(pairs(results), "pair"), description, "two drugs together")
    write.text("panel", results.sample, table(group_rows(results), "group"), groups_told(results), "the groups")
    write.text("run", results.sample, definitions(settings(results.facts)))


def answer(results: PanelResults, seed: int) -> dict:
    """Return the row of the first screen; see :func:`pharmacell.report.answer.answer`.

    Parameters
    ----------
    results
        The panel of one sample.
    seed
        Seed of the choice of points of the small map.
    """
    small, alt, best = None, "", results.best
    if results.places is not None and results.cells.shape[1]:
        drug = results.cells.columns[0]
        small = thumbnail(results.places, results.cells[drug].to_numpy(float), seed)
        alt = f"Map of {results.sample} coloured by the probability of being sensitive to {drug}"
    return {
        "verdict": best[0]["verdict"] if best else NOT_SUPPORTED,
        "hit_rate": believed(results),
        "cells": f"{int(results.groups['n_cells'].sum()):,}",
        "share": "best: " + ", ".join(each["drug"] for each in best[:3]) if best else "no drug",
        "truth": truth_words(results),
        "reasons": [sentence(each["words"]) for each in best[:BEST]] or [NONE],
        "thumbnail": small,
        "alt": alt,
        "drugs": of_sample(results),
    }


def of_sample(results: PanelResults) -> dict[str, list]:
    """Return, for each drug, the sample's mean percentile over its cells, whether it is believed, and its pathway.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    weighted = results.table.assign(weighted=results.table["percentile"] * results.table["n_cells"])
    found = {}
    for drug, rows in weighted.groupby("drug"):
        kept = bool((rows["verdict"] != NOT_SUPPORTED).any())
        percentile = float(rows["weighted"].sum() / rows["n_cells"].sum())
        found[str(drug)] = [round(percentile, 4), kept, pathway_of(rows)]
    return found


def pathway_of(rows: "pd.DataFrame") -> str:
    """Return a drug's pathway; empty where it is not known.

    Parameters
    ----------
    rows
        Of one drug.
    """
    pathway = rows["pathway"].iloc[0]
    return pathway if isinstance(pathway, str) else ""


def opening(results: PanelResults) -> str:
    """Return the first words of the chapter: the five drugs and how far to believe it.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    if not results.best:
        return f'<p class="headline">{NONE} {html.escape(believed(results))}</p>'
    names = ", ".join(each["drug"] for each in results.best[:BEST])
    each = "".join(f"<li>{html.escape(sentence(each['words']))}</li>" for each in results.best[:BEST])
    first = f"The {len(results.best[:BEST])} drugs that separate these groups best: <b>{html.escape(names)}</b>."
    said = " ".join(filter(None, (believed(results), truth_words(results))))
    notes = "".join(f"<li>{html.escape(sentence(str(note)))}</li>" for note in results.facts.get("notes") or [])
    more = f"<details><summary>Notes</summary><ul>{notes}</ul></details>" if notes else ""
    return f'<p class="headline">{first} {html.escape(said)}</p><ul>{each}</ul>{more}'


def believed(results: PanelResults) -> str:
    """Say how many drugs are supported, uncertain and not supported in some group.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    by_drug = results.table.groupby("drug")["verdict"].agg(set)
    supported = int(by_drug.map(lambda found: "supported" in found).sum())
    poor = int(by_drug.map(lambda found: found == {NOT_SUPPORTED}).sum())
    return (
        f"How far to believe it: of {len(by_drug):,} drugs {supported:,} are supported in some group, "
        f"{len(by_drug) - supported - poor:,} uncertain and {poor:,} not supported in any."
    )


def truth_words(results: PanelResults) -> str:
    """Say for which drugs the most sensitive group was found; empty where nothing was measured.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    found, missed = most_sensitive(results)
    said = []
    if found:
        said.append("found for " + ", ".join(f"{drug} ({group})" for drug, group in found[:TOLD]))
    if missed:
        said.append(
            "missed for "
            + ", ".join(
                f"{drug} (predicted {group}, measured {known}{not_known(results, drug)})"
                for drug, group, known in missed[:TOLD]
            )
        )
    score = results.facts.get("truth") or {}
    if score.get("pairs"):
        right = round(score["share_of_pairs_in_order"] * score["pairs"])
        said.append(f"{right:,} of {score['pairs']:,} pairs of groups in the measured order")
    return f"Measured, most sensitive group: {'; '.join(said)}." if found or missed else ""


def not_known(results: PanelResults, drug: str) -> str:
    """Say which driver events a drug follows that are not known of the sample; empty where there is none.

    Parameters
    ----------
    results
        The panel of one sample.
    drug
        A drug of it.
    """
    event = results.table.loc[results.table["drug"] == drug, "driver_event"].iloc[0]
    return f"; it follows {event.replace(';', ', ')}, not known here" if isinstance(event, str) and event else ""


def most_sensitive(results: PanelResults) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Compare the group predicted most sensitive with what was measured, for drugs that tell groups apart clearly.

    Parameters
    ----------
    results
        The panel of one sample.

    Returns
    -------
    found
        Drug and group, where the group lies within a factor of two of the lowest measured IC50.
    missed
        Drug, predicted and measured group.
    """
    found: list[tuple[str, str]] = []
    missed: list[tuple[str, str, str]] = []
    if results.truth is None:
        return found, missed
    for drug, rows in both_known(results).groupby("drug", sort=False):
        measured = rows.set_index("group")["ln_ic50_measured"]
        near = measured.index[measured <= measured.min() + CLEAR]
        if len(near) == len(measured):
            continue
        group = str(rows.loc[rows["percentile"].idxmin(), "group"])
        if group in near:
            found.append((str(drug), group))
        else:
            missed.append((str(drug), group, str(measured.idxmin())))
    return found, missed


def both_known(results: PanelResults) -> "pd.DataFrame":
    """Return the rows of ``panel.csv`` that were measured, with ``ln_ic50_measured``, in the order of the truth.

    Parameters
    ----------
    results
        The panel of one sample; its truth must be known.
    """
    if results.truth is None:
        return results.table.head(0)
    measured = results.truth.astype({"group": str})
    return measured.merge(results.table, on=["group", "drug"], suffixes=("_measured", ""))


def beside_truth(results: PanelResults) -> dict[str, dict[str, str]]:
    """Return predicted and measured ln(IC50) of each group, for the first drugs that were measured.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    both = both_known(results)
    drugs = list(dict.fromkeys(both["drug"]))
    rows: dict[str, dict[str, str]] = {}
    for drug in drugs[:MEASURED]:
        for row in both[both["drug"] == drug].itertuples():
            rows.setdefault(drug, {})[str(row.group)] = f"{row.ln_ic50:.1f} (measured {row.ln_ic50_measured:.1f})"
    return rows


def best_alone(results: PanelResults) -> str:
    """Say which drug alone is better than every pair of drugs; empty where a pair is better.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    first = results.combinations.iloc[0]
    if first["gain"] > 0:
        return ""
    tied = results.combinations[results.combinations["worst_percentile"] == first["worst_percentile"]]
    drug = tied[["drug_a", "drug_b"]].stack().mode()[0]
    return f" No pair beats {drug} alone ({first['worst_percentile']:.2f} in the group that it hits worst)."


def gaining(results: PanelResults) -> "pd.DataFrame":
    """Return the combinations that gain something over the better single drug, the best first.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    return results.combinations[results.combinations["gain"] > 0]


def pairs(results: PanelResults) -> dict[str, dict[str, str]]:
    """Return the best combinations: name of the pair to column to text.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    rows = {}
    for pair in gaining(results).head(PAIRS).itertuples():
        rows[f"{pair.drug_a} + {pair.drug_b}"] = {
            "group hit worst": str(pair.worst_group),
            "its percentile": f"{pair.worst_percentile:.2f}",
            "better drug alone": f"{pair.better_single:.2f}",
            "gain": f"{pair.gain:.2f}",
        } | (
            {"normal groups": f"{pair.normal_percentile:.2f}"}
            if pair.normal_percentile == pair.normal_percentile
            else {}
        )
    return rows


def group_rows(results: PanelResults) -> dict[str, dict[str, str]]:
    """Return what is known of each group: name to column to text.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    return {
        str(row.group): {
            "cells": f"{row.n_cells:,}",
            "tissue": str(row.tissue),
            "nearest bulk line": str(row.nearest_line),
            "resemblance": f"{row.resemblance:.2f}",
            "general sensitivity (percentile)": f"{row.general_percentile:.2f}",
            "note": "" if row.flag != row.flag else str(row.flag),
        }
        for row in results.groups.itertuples()
    }


def groups_told(results: PanelResults) -> str:
    """Say how the groups were made and which tissue counts.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    facts = results.facts
    made = f"Groups: {facts['groups']}." if facts.get("groups") else ""
    source = f"Tissue: {facts['tissue_source']}." if facts.get("tissue_source") else ""
    return " ".join(filter(None, (made, source, "A general percentile of 0 means sensitive to most drugs.")))


def settings(facts: dict) -> dict[str, str]:
    """Return what was recorded, by name.

    Parameters
    ----------
    facts
        ``panel.json``.
    """
    told = {"notes", "best_drugs", "truth", "simulated"}
    found = {}
    for name, value in facts.items():
        for key, item in value.items() if isinstance(value, dict) else ((None, value),):
            if name not in told:
                title = name.replace("_", " ") + (f": {key}" if key is not None else "")
                found[title] = ", ".join(map(str, item)) if isinstance(item, list) else plain(item)
    return found
