"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent), { names, rows, other, doubt, otherDoubt } = data;
  const HEIGHT = 36, SPARE = 8, get = (id) => document.getElementById(id);
  const list = get("list"), space = get("space"), detail = get("detail"), controls = get("filters");
  // A filter's name in the address → its control. Classes are named, so that an address fits another page of the texts.
  const FIELDS = { show: "f-kind", label: "f-label", value: "f-value", from: "f-low", to: "f-high", text: "f-text",
    order: "f-order" };
  const SECTION = "texts";
  let found = [], chosen = -1, timer = 0, isTyping = false;
  const right = (row) => row[2] === row[1], failed = (row) => row[2] < 0, abstained = (row) => row[2] === doubt;
  const KINDS = {
    all: () => true,
    mistakes: (row) => !failed(row) && !right(row) && !abstained(row),
    right,
    failed,
    abstained,
    changed: (row) => row[6] !== row[2],
    worse: (row) => right(row) && row[6] !== row[1],
    better: (row) => !right(row) && row[6] === row[1],
  };
  const ORDERS = {
    row: (a, b) => a[0] - b[0],
    sure: (a, b) => (b[3] ?? -1) - (a[3] ?? -1) || a[0] - b[0],
    unsure: (a, b) => (a[3] ?? 2) - (b[3] ?? 2) || a[0] - b[0],
  };
  const CLASSES = { label: true, value: true }, CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g,
    FORMULA = /^[=+\-@\t\r＝＋－＠]/, NUMBER = /^[+-]?\d+([.,]\d+)?$/, SIGN = /^[=+\-@＝＋－＠]$/;
  const called = (place) => (place < 0 ? "–" : names[place]);
  const make = (tag, name, text) => {
    const made = document.createElement(tag);
    made.className = name;
    made.dir = "auto";
    made.textContent = text;
    return made;
  };

  /** Return the address's fragment for the filters and the chosen text: those alone that differ from a new page's. */
  function describe() {
    const params = new URLSearchParams();
    for (const [name, id] of Object.entries(FIELDS)) {
      const control = get(id), value = control?.value ?? "";
      if (value !== (control?.dataset.first ?? "")) params.set(name, name in CLASSES ? names[value] : value);
    }
    if (chosen >= 0) params.set("row", found[chosen][0]);
    return `#${SECTION}?${params}`;
  }

  /** Write the filters to the address: as a new entry of the history, or in place of the present one. */
  function keep(isEntry) {
    clearTimeout(timer);
    const fragment = describe();
    if (fragment !== location.hash) history[isEntry ? "pushState" : "replaceState"](null, "", fragment);
  }

  /** Set the filters as the address has them, and show the text that it names. The address of a section changes none. */
  function restore(isFirst) {
    clearTimeout(timer); // what was typed last belongs to the entry that was left
    const [section, search] = location.hash.slice(1).split("?"), isOurs = section === SECTION && search !== undefined;
    if (location.hash && !isOurs && !isFirst) return;
    const params = new URLSearchParams(isOurs ? search : "");
    for (const [name, id] of Object.entries(FIELDS)) {
      const control = get(id), given = params.get(name);
      if (!control) continue;
      control.value = given === null ? control.dataset.first ?? "" : name in CLASSES ? names.indexOf(given) : given;
      if (control.selectedIndex === -1) control.value = control.dataset.first; // a class that this page lacks
    }
    filter();
    choose(found.findIndex((row) => String(row[0]) === params.get("row")));
    const scroll = () => get(SECTION).scrollIntoView(); // at the start the page ends here: what follows is not read yet
    if (isOurs && document.readyState === "loading") addEventListener("DOMContentLoaded", scroll);
    else if (isOurs) scroll();
  }

  const judge = (row, value, none) =>
    (value < 0 ? "" : value === none ? "abstained" : value === row[1] ? "right" : "wrong");
  /** Return the listed texts as CSV, with the columns of `plexus evaluate --output`. */
  function format() {
    const isTexts = rows.some((row) => row[4] !== null), columns = ["row", "label", "value", "verdict", "confidence",
      "error", ...(other ? ["other value", "other verdict"] : []), ...(isTexts ? ["explanation", "text"] : [])];
    const lines = found.map((row) => {
      const none = (row[5] ?? "").startsWith("NotApplicable") ? "skipped" : "failed";
      return [row[0], names[row[1]], names[row[2]], judge(row, row[2], doubt) || none, row[3], failed(row) ? row[5] : "",
        ...(other ? [names[row[6]], judge(row, row[6], otherDoubt)] : []), ...(isTexts ? [failed(row) ? "" : row[5], row[4]] : [])];
    });
    return [columns, ...lines].map((line) => line.map(quote).join(",") + "\r\n").join("");
  }

  /** Return a cell: a text that begins like a formula gets an apostrophe, as in the files that the command writes. */
  function quote(value) {
    let cell = String(value ?? "").replace(CONTROL, "\ufffd");
    const bare = cell.replace(/^'+/, "");
    if (typeof value === "string" && FORMULA.test(bare) && !NUMBER.test(bare) && !SIGN.test(cell)) cell = `'${cell}`;
    return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([format()], { type: "text/csv" }));
    link.download = "texts.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000); // after the browser has read it
  }

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
    get("f-save").disabled = found.length === 0;
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
    if (!line) return;
    choose(+line.dataset.place);
    keep(false);
  });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / HEIGHT) - 1), end = found.length - 1;
    const step = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + page, PageUp: chosen - page,
      Home: 0, End: end }[event.key];
    if (step === undefined || end < 0) return;
    event.preventDefault();
    choose(Math.min(end, Math.max(0, step)));
    clearTimeout(timer); // browsers refuse hundreds of changes of the address in a few seconds
    timer = setTimeout(keep, 200, false);
  });
  controls.addEventListener("input", () => {
    filter();
    clearTimeout(timer);
    timer = setTimeout(() => {
      keep(!isTyping); // what is typed into one field is one entry
      isTyping = true;
    }, 200);
  });
  controls.addEventListener("change", () => { // of a select at once, of a field when it is left
    keep(!isTyping);
    isTyping = false;
  });
  get("f-save").addEventListener("click", save);
  get("f-reset").addEventListener("click", () => {
    reset();
    keep(true);
  });
  function reset() {
    for (const each of controls.querySelectorAll("select, input")) each.value = each.dataset.first ?? "";
    filter();
  }
  document.addEventListener("click", (event) => {
    const cell = event.target.closest("a[data-label]");
    if (!cell) return;
    event.preventDefault(); // following the link would take the focus away from the list
    reset();
    get("f-kind").value = "all";
    get("f-label").value = cell.dataset.label;
    get("f-value").value = cell.dataset.value;
    filter();
    keep(true);
    get(SECTION).scrollIntoView();
    list.focus({ preventScroll: true });
  });
  addEventListener("resize", draw);
  addEventListener("popstate", () => restore(false)); // back and forward, and an address that is typed
  get("explorer").hidden = false;
  restore(true);
})();
