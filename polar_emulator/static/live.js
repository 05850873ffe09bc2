// Keeps the events on the control page fresh. Without this script, "Look again" does.
const rows = document.querySelector("[data-live]");
const label = document.querySelector("[data-live-switch]");
const follow = label.querySelector("input");
let shown = "";

async function look() {
  if (!follow.checked || document.hidden || rows.contains(document.activeElement)) return;
  const answer = await fetch(rows.dataset.live);
  if (!answer.ok) return;
  const fresh = await answer.text();
  if (fresh !== shown) rows.innerHTML = fresh;
  shown = fresh;
}

label.hidden = false;
setInterval(() => look().catch(() => {}), 1500);
