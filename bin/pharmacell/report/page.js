"use strict";
// Opens what a link points into, and filters the rows of the first table.
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const own = target.tagName === "ARTICLE" || target.classList.contains("chapter") ? target.querySelector("details") : null;
  for (let fold = own || target; fold; fold = fold.parentElement) if (fold.tagName === "DETAILS") fold.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
const filter = document.getElementById("filter");
if (filter) {
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const row of document.querySelectorAll("#answers tbody tr")) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    document.getElementById("count").textContent = `${shown} rows`;
  });
}
