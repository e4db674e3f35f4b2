// Runs inside the explorer, as a user would: chooses a drug, draws a lasso, picks a group, searches. Writes what it saw into the page.
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
console.error = (...words) => errors.push(words.join(" "));
const seen = { errors };
const picture = () => {
  draw();
  const found = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let i = 0; i < found.length; i += 4) sum = (sum * 31 + found[i] + 7 * found[i + 1] + 13 * found[i + 2]) % 2147483647;
  return sum;
};
const choose = (id, value) => { $(id).value = value; $(id).dispatchEvent(new Event("change")); };
const pointer = (type, x, y) => {
  const box = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new PointerEvent(type, { clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true, pointerId: 1 }));
};
const key = (name) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
try {
  seen.ready = document.documentElement.dataset.ready;
  seen.colours = [...$("colour").options].map((option) => option.textContent);
  const before = picture();
  choose("colour", seen.colours.length - 1 ? String(colours.findIndex((each) => each.value && each.value.kind === "drug")) : "0");
  seen.recoloured = picture() !== before;
  seen.legend = $("legend").textContent;
  const even = picture();
  $("stretch").checked = true;
  $("stretch").dispatchEvent(new Event("change"));
  seen.stretched = picture() !== even && $("legend").textContent !== seen.legend;
  const start = performance.now();
  draw();
  seen.milliseconds = performance.now() - start;
  pointer("pointerdown", 0.02, 0.02);
  for (const [x, y] of [[0.98, 0.02], [0.98, 0.98], [0.02, 0.98]]) pointer("pointermove", x, y);
  pointer("pointerup", 0.02, 0.98);
  seen.lasso = $("selected").textContent;
  pointer("pointerdown", 0, 0);
  for (const [x, y] of [[0.5, 0], [0.5, 1], [0, 1]]) pointer("pointermove", x, y);
  pointer("pointerup", 0, 1);
  seen.half = state.count;
  choose("pick", "0");
  seen.picked = $("selected").textContent;
  seen.drugs = [...document.querySelectorAll("#drugs tbody tr")].map((row) => row.textContent);
  seen.genes = document.querySelectorAll("#genes tbody tr").length;
  $("only").checked = true;
  $("only").dispatchEvent(new Event("change"));
  seen.csv = csv().trim().split("\n");
  $("search").value = data.cells[0];
  $("only").checked = false;
  $("search").dispatchEvent(new Event("input"));
  seen.found = [...document.querySelectorAll("#table tbody tr")].map((row) => row.firstChild.textContent);
  const still = picture();
  key("+");
  key("ArrowLeft");
  seen.moved = picture() !== still;
  key("0");
  key("Escape");
  seen.cleared = $("selected").textContent;
  choose("map", String(data.maps.length - 1));
  seen.maps = [...$("map").options].map((option) => option.textContent);
} catch (error) {
  errors.push(String(error));
}
const result = document.createElement("pre");
result.id = "seen";
result.textContent = JSON.stringify(seen);
document.body.appendChild(result);
