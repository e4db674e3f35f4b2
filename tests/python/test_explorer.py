"""The explorer: what it holds, and that it works in a real browser."""

import base64
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from synthetic_panel import write_panel_folder
from synthetic_results import write_results

from pharmacell.cli.explorer import explorer
from pharmacell.report.explorer import CELLS_AT_MOST, packed_places, thinned
from pharmacell.report.page import place_explorers

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
CHECKS = Path(__file__).parent / "explorer_checks.js"
QUIET = (
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """The explorer of a sample with one drug of its own and a panel."""
    folder = tmp_path_factory.mktemp("explorer")
    files = write_results(folder, n_cells=60)
    panel = write_panel_folder(folder / "panel")
    arguments = [
        "--sample",
        "tumour",
        "--target",
        files["target"],
        "--panel",
        panel,
        "--outdir",
        folder,
        "--threads",
        "1",
    ]
    done = CliRunner().invoke(explorer, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder / "tumour.explorer/explorer_tumour.html"


def data_of(page: Path) -> dict:
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page.read_text(), re.DOTALL)[1])


def test_it_holds_predictions_the_panel_genes_groups_and_truth_in_8_bits(page):
    data = data_of(page)
    named = [(value["kind"], value["name"]) for value in data["values"]]
    assert named[0] == ("prediction", "cisplatin")
    assert [name for kind, name in named if kind == "drug"] == ["afatinib", "crizotinib", "erlotinib", "nutlin <3>"]
    assert sum(kind == "gene" for kind, _name in named) == 20
    assert [(each["name"], each["levels"]) for each in data["classes"]] == [
        ("group", ["parental", "treated"]),
        ("truth", ["resistant", "sensitive"]),
    ]
    erlotinib = next(value for value in data["values"] if value["name"] == "erlotinib")
    steps = np.frombuffer(base64.b64decode(erlotinib["data"]), np.uint8)
    cells = (
        pd.read_parquet(page.parents[1] / "panel/cells.parquet").set_index("cell_id").loc[data["cells"], "erlotinib"]
    )
    np.testing.assert_allclose(steps / 255, cells, atol=0.5 / 255 + 1e-6)
    assert not re.search(r'(src|href)="(https?:)?//', page.read_text())


def test_large_samples_are_thinned_where_the_map_is_dense():
    rng = np.random.default_rng(0)
    dense, sparse = rng.normal(0, 0.02, (60_000, 2)), rng.uniform(-5, 5, (4_000, 2))
    chosen = thinned(np.concatenate([dense, sparse]), seed=0)
    assert 0.8 * CELLS_AT_MOST < len(chosen) <= CELLS_AT_MOST or (chosen >= 60_000).sum() == 4_000
    assert (chosen >= 60_000).mean() > 4_000 / 64_000
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, thinned(np.concatenate([dense, sparse]), seed=0))
    np.testing.assert_array_equal(thinned(dense[:50], seed=0), np.arange(50))


def test_places_keep_their_shape_and_missing_ones_are_marked():
    packed = np.frombuffer(base64.b64decode(packed_places(np.array([[0, 0], [4, 2], [np.nan, 1]]))), "<u2").reshape(
        -1, 2
    )
    assert packed[0, 0] == 0
    assert packed[1, 0] == 65_534
    assert packed[1, 1] - packed[0, 1] == pytest.approx(32_767, abs=1)
    assert packed[2].tolist() == [65_535, 65_535]


def test_the_only_explorer_is_explorer_html_and_several_are_linked(page, tmp_path):
    assert place_explorers([page.parent], tmp_path / "one") == {"tumour": "explorer_tumour.html"}
    assert (tmp_path / "one/explorer.html").read_bytes() == page.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    shutil.copyfile(page, other / "explorer_b & c.html")
    place_explorers([page.parent, other], tmp_path / "two")
    index = (tmp_path / "two/explorer.html").read_text()
    assert 'href="explorer_b &amp; c.html"' in index
    assert 'href="explorer_tumour.html"' in index


def test_nothing_to_show_is_bad_input(tmp_path):
    done = CliRunner().invoke(explorer, ["--sample", "s", "--outdir", str(tmp_path)])
    assert done.exit_code != 0
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_it_works_in_a_browser(page, tmp_path):
    """Loads it, chooses a drug, draws a lasso, picks a group, searches: as explorer_checks.js does it."""
    driven = tmp_path / "driven.html"
    driven.write_text(page.read_text().replace("</body>", f"<script>{CHECKS.read_text()}</script></body>"))
    command = [BROWSER, "--headless", "--no-sandbox", *QUIET, f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--window-size=1300,1000", "--enable-logging=stderr", "--dump-dom", driven.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    seen = json.loads(html.unescape(re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)[1]))
    assert seen["errors"] == []
    assert not [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert seen["ready"] == "yes"
    assert seen["colours"][:3] == ["probability: cisplatin", "group", "truth"]
    assert seen["recoloured"]
    assert seen["legend"].startswith("afatinib")
    assert seen["stretched"]
    assert seen["lasso"] == "60 of 60 cells selected"
    assert 0 < seen["half"] < 60
    assert seen["picked"] == "30 of 60 cells selected"
    assert len(seen["drugs"]) == 5
    assert seen["genes"] == 15
    assert seen["csv"][0].startswith("cell,group,truth,probability cisplatin,")
    assert len(seen["csv"]) == 1 + 30
    assert "cell_0" in seen["found"]
    assert seen["moved"]
    assert seen["cleared"] == "No cell selected"


@pytest.fixture
def browser(tmp_path):
    """A headless Chromium that selenium drives."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if BROWSER is None or DRIVER is None:
        pytest.skip("no Chromium with its chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless", "--no-sandbox", *QUIET, "--window-size=1300,1000"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    opened = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield opened
    opened.quit()


def draw_lasso(browser, canvas, corners: list[tuple[float, float]]) -> None:
    """Drag the mouse over a canvas, from corner to corner, in shares of its half width and half height."""
    from selenium.webdriver import ActionChains

    half = canvas.size["width"] / 2, canvas.size["height"] / 2
    mouse = ActionChains(browser, duration=20)
    for number, (x, y) in enumerate(corners):
        mouse.move_to_element_with_offset(canvas, int(x * half[0]), int(y * half[1]))
        if number == 0:
            mouse.click_and_hold()
    mouse.release().perform()


def test_a_mouse_draws_a_lasso(page, browser):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    browser.get(page.as_uri())
    canvas = browser.find_element(By.ID, "canvas")
    before = canvas.screenshot_as_png
    Select(browser.find_element(By.ID, "colour")).select_by_visible_text("erlotinib")
    assert canvas.screenshot_as_png != before
    draw_lasso(browser, canvas, [(-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95)])
    selected = browser.find_element(By.ID, "selected")
    assert selected.text == "60 of 60 cells selected"
    draw_lasso(browser, canvas, [(-0.95, -0.95), (0, -0.95), (0, 0.95), (-0.95, 0.95)])
    some = int(re.fullmatch(r"(\d+) of 60 cells selected", selected.text)[1])
    assert 0 < some < 60
    drugs = browser.find_elements(By.CSS_SELECTOR, "#drugs tbody tr")
    assert len(drugs) == 5
    assert all(row.is_displayed() for row in drugs)
    browser.find_element(By.ID, "only").click()
    assert f"{some} cells," in browser.find_element(By.ID, "page").text
    assert browser.get_log("browser") == []
