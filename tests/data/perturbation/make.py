#!/usr/bin/env python3
"""Make this folder (see README.md): ``PYTHONPATH=bin python tests/data/perturbation/make.py``."""

from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.seeds import generator
from pharmacell.perturbation.simulated_files import write_simulated
from pharmacell.perturbation.simulation import read_source, reduce, simulate

FOLDER = Path(__file__).parent
COMMON = ("NK cells", "T cells CD4+", "T cells CD8+", "T regulatory cells")  # measured under every compound
RARE = ("B cells", "Myeloid cells")  # measured under the anchors only; the rest is to be predicted
N_ANCHORS = 8
CONTROLS = ("Vorinostat", "Belinostat")
COMPOUNDS = {
    "Amitriptyline": "CN(C)CCC=C1c2ccccc2CCc2ccccc21",
    "Aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "Atenolol": "CC(C)NCC(O)COc1ccc(CC(N)=O)cc1",
    "Belinostat": "ONC(=O)C=Cc1cccc(c1)S(=O)(=O)Nc1ccccc1",
    "Caffeine": "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "Celecoxib": "Cc1ccc(cc1)-c1cc(nn1-c1ccc(cc1)S(N)(=O)=O)C(F)(F)F",
    "Chlorpromazine": "CN(C)CCCN1c2ccccc2Sc2ccc(Cl)cc21",
    "Ciprofloxacin": "O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O",
    "Clotrimazole": "Clc1ccccc1C(c1ccccc1)(c1ccccc1)n1ccnc1",
    "Diazepam": "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21",
    "Diclofenac": "O=C(O)Cc1ccccc1Nc1c(Cl)cccc1Cl",
    "Erlotinib": "COCCOc1cc2ncnc(Nc3cccc(C#C)c3)c2cc1OCCOC",
    "Fluorouracil": "O=c1[nH]cc(F)c(=O)[nH]1",
    "Fluoxetine": "CNCCC(Oc1ccc(cc1)C(F)(F)F)c1ccccc1",
    "Furosemide": "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",
    "Gefitinib": "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",
    "Haloperidol": "O=C(CCCN1CCC(O)(CC1)c1ccc(Cl)cc1)c1ccc(F)cc1",
    "Hydrochlorothiazide": "NS(=O)(=O)c1cc2c(cc1Cl)NCNS2(=O)=O",
    "Ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "Imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(n1)-c1cccnc1",
    "Lenalidomide": "Nc1cccc2C(=O)N(C3CCC(=O)NC3=O)Cc12",
    "Lidocaine": "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "Metformin": "CN(C)C(=N)N=C(N)N",
    "Methotrexate": "CN(Cc1cnc2nc(N)nc(N)c2n1)c1ccc(cc1)C(=O)NC(CCC(=O)O)C(=O)O",
    "Naproxen": "COc1ccc2cc(ccc2c1)C(C)C(=O)O",
    "Nicotine": "CN1CCCC1c1cccnc1",
    "Nifedipine": "COC(=O)C1=C(C)NC(C)=C(C1c1ccccc1[N+](=O)[O-])C(=O)OC",
    "Omeprazole": "COc1ccc2[nH]c(nc2c1)S(=O)Cc1ncc(C)c(OC)c1C",
    "Paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "Procaine": "CCN(CC)CCOC(=O)c1ccc(N)cc1",
    "Propranolol": "CC(C)NCC(O)COc1cccc2ccccc12",
    "Resveratrol": "Oc1ccc(C=Cc2cc(O)cc(O)c2)cc1",
    "Sertraline": "CNC1CCC(c2ccc(Cl)c(Cl)c2)c2ccccc21",
    "Sorafenib": "CNC(=O)c1cc(Oc2ccc(NC(=O)Nc3ccc(Cl)c(c3)C(F)(F)F)cc2)ccn1",
    "Sulfamethoxazole": "Cc1cc(NS(=O)(=O)c2ccc(N)cc2)no1",
    "Tamoxifen": "CCC(=C(c1ccccc1)c1ccc(OCCN(C)C)cc1)c1ccccc1",
    "Thalidomide": "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1",
    "Theophylline": "Cn1c(=O)c2[nH]cnc2n(C)c1=O",
    "Trimethoprim": "COc1cc(Cc2cnc(N)nc2N)cc(OC)c1OC",
    "Vorinostat": "ONC(=O)CCCCCCC(=O)Nc1ccccc1",
}


def main() -> None:
    """Write train_keys.csv, id_map.csv, cell_type_mean.csv, cell_type_std.csv and the folder small."""
    rng = generator(0, "perturbation test data")
    names = list(COMPOUNDS)
    others = [name for name in names if name not in CONTROLS]
    anchors = {*CONTROLS, *rng.choice(others, N_ANCHORS - len(CONTROLS), replace=False)}
    pairs = pd.DataFrame(
        [(cell_type, name) for name in names for cell_type in (*COMMON, *RARE)], columns=["cell_type", "sm_name"]
    )
    train = pairs["cell_type"].isin(COMMON) | pairs["sm_name"].isin(anchors)
    keys = pairs[train].assign(
        sm_lincs_id=lambda rows: [f"EX-{names.index(name) + 1:04d}" for name in rows["sm_name"]],
        SMILES=lambda rows: rows["sm_name"].map(COMPOUNDS),
        control=lambda rows: rows["sm_name"].isin(CONTROLS),
    )
    keys.to_csv(FOLDER / "train_keys.csv", index=False)
    test = pairs[~train].sort_values(["cell_type", "sm_name"])
    test.insert(0, "id", range(len(test)))
    test.to_csv(FOLDER / "id_map.csv", index=False)

    genes = pd.read_csv(FOLDER.parent / "bulk_expression.csv", nrows=0).columns[1:]
    shape, index = (len(COMMON + RARE), len(genes)), pd.Index([*COMMON, *RARE], name="cell_type")
    spread = np.exp(rng.normal(0.3, 0.6, len(genes)))
    moments = {"mean": rng.normal(0, 0.4, shape), "std": spread * rng.uniform(0.7, 1.4, shape)}
    for name, values in moments.items():
        pd.DataFrame(values.round(3), index, genes).to_csv(FOLDER / f"cell_type_{name}.csv")

    files = [FOLDER / name for name in ("train_keys.csv", "id_map.csv", "cell_type_mean.csv", "cell_type_std.csv")]
    source = reduce(read_source(*files), 80, 20, 0)
    write_simulated(source, *simulate(source, "linear", 0), "linear", 0, FOLDER / "small")


if __name__ == "__main__":
    main()
