// Copy buttons. Without this file every command can still be selected and copied by hand.
"use strict";
function dress(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const said = document.getElementById("said");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = said.textContent = "Copied";
  } catch {
    button.textContent = said.textContent = "Not copied";
  }
  setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 2000);
});
document.addEventListener("htmx:afterSwap", (event) => dress(event.target));
document.addEventListener("DOMContentLoaded", () => dress(document));
