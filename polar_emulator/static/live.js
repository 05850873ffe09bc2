// Keeps the events on the control page fresh. The server tells what happens (server-sent events);
// where that does not arrive it is asked instead. Without this script, "Look again" does.
const rows = document.querySelector("[data-live]");
const label = document.querySelector("[data-live-switch]");
const news = document.querySelector("[data-live-news]");
const follow = label.querySelector("input");
const SILENCE = 4000;
const ASK_EVERY = 1500;
let stream = null;
let asking = 0;
let waiting = null;
let last = null;
let shown = null;

function show(seen) {
  last = seen;
  // Not under the fingers of somebody who is about to open an event.
  if (rows.contains(document.activeElement) || seen.rows === shown) return;
  if (shown !== null) news.textContent = seen.newest ? `Newest event: ${seen.newest}` : "";
  shown = seen.rows;
  rows.innerHTML = shown;
}

async function ask() {
  const answer = await fetch(rows.dataset.live);
  if (answer.ok) show(await answer.json());
}

function open() {
  stream = new EventSource(rows.dataset.liveStream);
  // The first message comes at once, unless something between holds it back.
  waiting = setTimeout(fallBack, SILENCE);
  stream.onmessage = (message) => {
    clearTimeout(waiting);
    show(JSON.parse(message.data));
  };
  stream.onerror = () => {
    clearTimeout(waiting);
    // A browser comes back by itself, unless it has given up.
    if (stream && stream.readyState === EventSource.CLOSED) waiting = setTimeout(begin, ASK_EVERY);
  };
}

function fallBack() {
  end();
  asking = setInterval(() => ask().catch(() => {}), ASK_EVERY);
}

function end() {
  clearTimeout(waiting);
  clearInterval(asking);
  if (stream) stream.close();
  stream = null;
}

function begin() {
  end();
  // A page that nobody sees gives its connection back: browsers have six for each site.
  if (!follow.checked || document.hidden) return;
  if ("EventSource" in window) open();
  else fallBack();
}

label.hidden = false;
follow.addEventListener("change", begin);
document.addEventListener("visibilitychange", begin);
window.addEventListener("pagehide", end);
window.addEventListener("pageshow", begin);
rows.addEventListener("focusout", () => setTimeout(() => last && show(last)));
