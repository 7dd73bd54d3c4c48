"use strict";
// Fetches the page's fragments every few seconds and replaces those that changed; pauses while the tab is hidden.
(() => {
  const EVERY_MS = 3000, SLOWEST_MS = 15000, PATIENCE_MS = 12000;
  const byId = (id) => document.getElementById(id);
  const shown = new Map();
  let paused = false, failures = 0, timer = 0, asking = false;

  const say = (state, words) => { document.body.dataset.state = state; byId("state").textContent = words; };

  // Scroll position, open details and focus survive a replacement; a part with a text selection is not replaced.
  const swap = (id, html) => {
    const part = byId(id);
    if (!part || shown.get(id) === html) return;
    const selection = getSelection();
    if (selection && !selection.isCollapsed && part.contains(selection.anchorNode)) return;
    const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.id));
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const places = focused ? [...part.querySelectorAll("a, summary")] : [];
    const place = places.indexOf(focused);
    const [x, y] = [scrollX, scrollY];
    part.innerHTML = html;
    shown.set(id, html);
    for (const one of part.querySelectorAll("details")) one.open = open.has(one.id);
    if (place >= 0) [...part.querySelectorAll("a, summary")][place]?.focus({ preventScroll: true });
    if (scrollX !== x || scrollY !== y) scrollTo({ left: x, top: y, behavior: "instant" });
  };

  const show = (told) => {
    for (const [id, html] of Object.entries(told.parts)) swap(id, html);
    for (const [id, words] of Object.entries(told.times)) { const at = byId(id); if (at) at.textContent = words; }
    const updated = byId("updated");
    updated.textContent = told.updated;
    updated.dateTime = told.at;
    byId("stale").hidden = true;
    if (failures) failures = 0;
    say(paused ? "paused" : "live", paused ? "Paused at" : "Updated");
  };

  const complain = () => {
    failures += 1;
    say("stale", "No response since");
    const stale = byId("stale");
    const words = `No response since ${byId("updated").textContent}: the values below are old. Start it again: make dashboard`;
    if (stale.textContent !== words) stale.textContent = words;
    stale.hidden = false;
  };

  const plan = () => {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(ask, Math.min(EVERY_MS * (1 + failures), SLOWEST_MS));
  };

  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/panels", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      if (!paused) show(told);
    } catch {
      if (!paused) complain();
    } finally {
      asking = false;
      plan();
    }
  };

  byId("pause").addEventListener("click", (event) => {
    paused = !paused;
    event.currentTarget.setAttribute("aria-pressed", String(paused));
    if (paused) { clearTimeout(timer); say("paused", "Paused at"); } else ask();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else if (!paused) ask(); });
  plan();
})();
