"use strict";
(() => {
  const { card, key } = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id), editor = get("card"), LINT_MS = 400;
  let timer = 0, asked = 0;
  // The key stays in memory: not in the history, and not in a bookmark.
  history.replaceState(null, "", "/");

  const make = (tag, name, ...content) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...content);
    return element;
  };

  async function post(path, content) {
    const headers = { "Content-Type": "application/json", "X-Plexus-Key": key };
    let answer;
    try {
      answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(content) });
    } catch {
      return { errors: ["the server does not answer. next: plexus serve CARD.yaml"] };
    }
    return answer.ok ? answer.json() : { errors: [`${answer.status}: ${(await answer.text()).trim()}`] };
  }

  async function lint() {
    const turn = ++asked, { problems = [], errors = [] } = await post("/lint", { card: editor.value });
    if (turn !== asked) return; // an older answer
    const errorCount = problems.filter((problem) => problem.severity === "error").length;
    get("count").textContent = errors[0] ?? (problems.length ? `${errorCount} errors, ${problems.length - errorCount} warnings` : "no problems");
    get("problems").replaceChildren(...problems.map((problem) => {
      const button = make("button", problem.severity, `${problem.line}:${problem.column} ${problem.message} [${problem.rule}]`);
      button.type = "button";
      button.addEventListener("click", () => go(problem));
      return make("li", "", button);
    }));
  }

  function go({ line, column }) {
    const lines = editor.value.split("\n"), start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const end = start + (lines[line - 1] ?? "").length;
    editor.focus();
    editor.setSelectionRange(Math.min(start + column - 1, end), end);
    editor.scrollTop = (line - 5) * (editor.scrollHeight / Math.max(1, lines.length));
  }

  function marked(text, spans) {
    const line = make("div", "read"), letters = [...text]; // places count characters, not UTF-16 units
    line.dir = "auto";
    let last = 0;
    for (const [begin, end] of spans) {
      if (begin < last) continue;
      line.append(letters.slice(last, begin).join(""), make("mark", "", letters.slice(begin, end).join("")));
      last = end;
    }
    line.append(letters.slice(last).join(""));
    return line;
  }

  const foldable = (title, ...content) => make("details", "", make("summary", "", title), ...content);
  const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

  function node(entry, path, traces) {
    const turns = path.flatMap((name, place) => (name === entry.name ? [place + 1] : []));
    const item = make("li", turns.length ? "passed" : "", make("b", "", turns.length ? `${turns.join(", ")}. ${entry.name}` : entry.name), ` ${entry.class}`);
    if (!turns.length) item.append(make("span", "soft", " – not reached"));
    const next = turns.map((turn) => path[turn] ?? "END");
    for (const edge of entry.edges) {
      item.append(make("span", `edge${next.includes(edge.to) ? " taken" : ""}`, `→ ${edge.to}${edge.when ? ` if ${edge.when}` : ""}`));
    }
    const { exchanges = [], ...fields } = traces[entry.name] ?? {};
    const list = make("dl", "");
    for (const [name, value] of Object.entries(fields)) list.append(make("dt", "", name), make("dd", "", shown(value)));
    if (list.children.length) item.append(list);
    exchanges.forEach(({ messages, reply }) => item.append(foldable("prompt and reply",
      ...messages.map(([role, content]) => make("pre", "", `${role}: ${content}`)), make("pre", "", `reply: ${reply ?? "none"}`))));
    return item;
  }

  function result(score) {
    const article = make("article", "card", make("h3", "", score.name, " ", make("span", "soft", score.class)));
    article.append(score.error === undefined ? make("b", "value", score.value) : make("p", score.error === "NotApplicable" ? "soft" : "error", `${score.error}: ${score.message}`));
    const facts = [];
    if (score.confidence != null) facts.push(`confidence ${score.confidence.toFixed(3)}`);
    if (score.usage?.calls) facts.push(`${score.usage.calls} ${score.usage.calls === 1 ? "call" : "calls"}, ${score.usage.input_tokens} tokens in, ${score.usage.output_tokens} out, ${score.cost === null ? "cost unknown" : `${score.cost} USD`}`);
    if (score.explanation) article.append(make("div", "", score.explanation));
    if (facts.length) article.append(make("div", "soft", facts.join("; ")));
    const { path, nodes, matches, ...rest } = score.trace;
    const isOther = score.processed_text !== null && score.processed_text !== get("text").value;
    if (score.processed_text !== null && (matches?.length || isOther)) article.append(marked(score.processed_text, matches ?? []));
    if (isOther) article.append(make("span", "soft", "the text as its processors left it"));
    if (score.graph && path) article.append(make("ol", "path", ...score.graph.map((entry) => node(entry, path, nodes))));
    if (Object.keys(rest).length) article.append(foldable("trace", make("pre", "", JSON.stringify(rest, null, 1))));
    return article;
  }

  async function score() {
    get("score").disabled = true;
    get("status").textContent = "scoring …";
    const began = performance.now(), content = { card: editor.value, text: get("text").value, metadata: get("metadata").value };
    const { scores = [], errors = [] } = await post("/score", content);
    get("results").replaceChildren(...errors.map((line) => make("p", "error", line)), ...scores.map(result));
    get("status").textContent = errors.length ? "not scored" : `${Math.round(performance.now() - began)} ms`;
    get("score").disabled = false;
  }

  editor.value = card;
  editor.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(lint, LINT_MS); });
  get("score").addEventListener("click", score);
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !get("score").disabled) score(); });
  get("copy").addEventListener("click", () => { editor.select(); document.execCommand("copy"); });
  get("reset").addEventListener("click", () => { editor.value = card; lint(); });
  lint();
})();
