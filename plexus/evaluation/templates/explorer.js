"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent), { names, rows, other } = data;
  const HEIGHT = 36, SPARE = 8, get = (id) => document.getElementById(id);
  const list = get("list"), space = get("space"), detail = get("detail"), controls = get("filters");
  let found = [], chosen = -1;
  const right = (row) => row[2] === row[1], failed = (row) => row[2] < 0;
  const KINDS = {
    all: () => true,
    mistakes: (row) => !failed(row) && !right(row),
    right,
    failed,
    changed: (row) => row[6] !== row[2],
    worse: (row) => right(row) && row[6] !== row[1],
    better: (row) => !right(row) && row[6] === row[1],
  };
  const ORDERS = {
    row: (a, b) => a[0] - b[0],
    sure: (a, b) => (b[3] ?? -1) - (a[3] ?? -1) || a[0] - b[0],
    unsure: (a, b) => (a[3] ?? 2) - (b[3] ?? 2) || a[0] - b[0],
  };
  const called = (place) => (place < 0 ? "–" : names[place]);
  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    made.className = name;
    made.dir = "auto";
    made.textContent = text;
    return made;
  };

  function filter() {
    const value = (id) => get(id).value, label = value("f-label"), given = value("f-value");
    const low = parseFloat(value("f-low")), high = parseFloat(value("f-high"));
    const words = get("f-text") ? value("f-text").toLowerCase() : "", kind = KINDS[value("f-kind")];
    const bounded = !Number.isNaN(low) || !Number.isNaN(high);
    found = rows.filter((row) => kind(row)
      && (label === "" || row[1] === +label) && (given === "" || row[2] === +given)
      && (!bounded || (row[3] !== null && !(row[3] < low) && !(row[3] > high)))
      && (!words || `${row[4]}\n${row[5] ?? ""}`.toLowerCase().includes(words)));
    found.sort(ORDERS[value("f-order")]);
    get("count").textContent = found.length ? `${found.length} of ${rows.length} texts`
      : `None of the ${rows.length} texts is like this. Reset shows the mistakes.`;
    space.style.height = `${found.length * HEIGHT}px`;
    list.classList.toggle("empty", found.length === 0);
    list.scrollTop = 0;
    choose(-1);
    draw();
  }

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(found.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + SPARE);
    const lines = [];
    for (let place = first; place < last; place++) {
      const row = found[place], line = make("div", `line ${failed(row) ? "bad" : right(row) ? "good" : "bad"}`, "");
      line.id = `option-${place}`;
      line.style.top = `${place * HEIGHT}px`;
      line.dataset.place = place;
      for (const [name, value] of [["role", "option"], ["aria-posinset", place + 1], ["aria-setsize", found.length],
        ["aria-selected", place === chosen]]) line.setAttribute(name, value);
      const values = right(row) ? called(row[1]) : `${called(row[1])} → ${failed(row) ? "failed" : called(row[2])}`;
      line.append(make("span", "n", row[0]), make("span", "values", values),
        make("span", "n", row[3] === null ? "" : row[3].toFixed(3)), make("span", "said", row[4] ?? row[5] ?? ""));
      lines.push(line);
    }
    space.replaceChildren(...lines);
  }

  function choose(place) {
    chosen = place;
    if (place < 0) {
      list.removeAttribute("aria-activedescendant");
      detail.hidden = true;
      return;
    }
    const row = found[place], top = place * HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
    draw();
    list.setAttribute("aria-activedescendant", `option-${place}`);
    const facts = [["row", row[0]], ["label", called(row[1])], ["value", failed(row) ? "failed" : called(row[2])],
      ["confidence", row[3] === null ? "–" : row[3].toFixed(3)]];
    if (other) facts.push([`value of ${other}`, called(row[6])]);
    const head = document.createElement("dl");
    for (const [name, value] of facts) head.append(make("dt", "", name), make("dd", "", value));
    const parts = [head];
    if (row[4]) parts.push(make("div", "whole", row[4]));
    if (row[5]) parts.push(make("div", "why", row[5]));
    detail.replaceChildren(...parts);
    detail.hidden = false;
  }

  list.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  list.addEventListener("click", (event) => {
    const line = event.target.closest(".line");
    if (line) choose(+line.dataset.place);
  });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / HEIGHT) - 1), end = found.length - 1;
    const step = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + page, PageUp: chosen - page,
      Home: 0, End: end }[event.key];
    if (step === undefined || end < 0) return;
    event.preventDefault();
    choose(Math.min(end, Math.max(0, step)));
  });
  controls.addEventListener("input", filter);
  get("f-reset").addEventListener("click", () => {
    for (const each of controls.querySelectorAll("select, input")) each.value = each.dataset.first ?? "";
    filter();
  });
  document.addEventListener("click", (event) => {
    const cell = event.target.closest("a[data-label]");
    if (!cell) return;
    event.preventDefault(); // following the link would take the focus away from the list
    get("f-reset").click();
    get("f-kind").value = "all";
    get("f-label").value = cell.dataset.label;
    get("f-value").value = cell.dataset.value;
    filter();
    get("texts").scrollIntoView();
    list.focus({ preventScroll: true });
  });
  addEventListener("resize", draw);
  get("explorer").hidden = false;
  filter();
})();
