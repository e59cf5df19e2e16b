(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  document.documentElement.lang = "en";
  const data = JSON.parse(byId("tt-data").textContent);
  const text = (position) => data.s[position];
  const GLYPH = { passed: "✓", failed: "✕", unknown: "?", blocked: "⊘", waived: "≈", noted: "◦" };
  const STEP_ROWS = 120;
  const PRINT_OPEN = 25;

  const { make, draw } = tentacleElements;
  const { link, drawing, isBroken } = tentaclePictures(make, draw, data, text);

  const machines = data.m.map((row, index) => ({
    index,
    name: text(row[0]),
    role: text(row[1]),
    outcome: data.o[row[2]],
    summary: text(row[3]),
    cells: data.c[row[5]],
    causes: row[9],
    row,
    haystack: null,
  }));
  const WORST_FIRST = ["failed", "unknown", "blocked", "noted", "waived", "passed"];
  machines.sort((one, other) => WORST_FIRST.indexOf(one.outcome) - WORST_FIRST.indexOf(other.outcome));
  const byName = new Map(machines.map((machine) => [machine.name, machine]));

  function haystack(machine) {
    if (machine.haystack === null) {
      const words = [machine.name, machine.summary];
      for (const fact of machine.row[4]) words.push(...data.f[fact].map(text));
      for (const [, problems, reason, , , , waived] of machine.row[6]) {
        words.push(text(reason), ...waived.map((each) => text(each[5])));
        for (const [code, title, , actual] of [...problems, ...waived]) words.push(text(code), text(title), text(actual));
      }
      for (const cause of machine.causes) words.push(data.causes[cause][0], data.causes[cause][1]);
      machine.haystack = words.join("\n").toLowerCase();
    }
    return machine.haystack;
  }

  // ---- what is shown ----
  const form = byId("tt-filter");
  const search = byId("tt-search");
  const fold = byId("tt-fold");
  const state = { cause: null, limit: STEP_ROWS, closed: new Set() };
  if (data.steps.length > 8) byId("tt-scroll").classList.add("tt-many");

  function shown() {
    const outcomes = new Set([...form.querySelectorAll("[name=outcome]:checked")].map((box) => box.value));
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return machines.filter((machine) =>
      (state.cause === null ? outcomes.has(machine.outcome) : machine.causes.includes(state.cause)) &&
      words.every((word) => haystack(machine).includes(word)));
  }

  function groups(list) {
    if (!fold.checked) return [{ title: null, key: "all", list }];
    const found = new Map();
    for (const machine of list) {
      const key = machine.causes.length ? machine.causes[0] : machine.outcome;
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(machine);
    }
    const rank = (key) => (typeof key === "number" ? key : 1e6 + WORST_FIRST.indexOf(key));
    return [...found].sort((one, other) => rank(one[0]) - rank(other[0]))
      .map(([key, members]) => ({ title: typeof key === "number" ? data.causes[key].slice(0, 2).join(" · ") : key, key, list: members }));
  }

  function codesAt(machine, step) {
    const detail = machine.row[6].find((entry) => entry[0] === step);
    return detail ? detail[1].map((problem) => text(problem[0])) : [];
  }

  function cell(machine, outcome, step) {
    if (outcome < 0) return make("td", { class: "tt-cell" }, make("span", { class: "tt-hide" }, "not applicable"), make("span", { "aria-hidden": "true" }, "·"));
    const word = data.o[outcome];
    const codes = word === "failed" ? codesAt(machine, step) : [];
    const few = data.steps.length <= 8;
    return make("td", { class: `tt-cell tt-o-${word}`, title: `${data.steps[step][1]}: ${[word, ...codes].join(" ")}` },
      make("span", { "aria-hidden": "true" }, GLYPH[word]),
      make("span", { class: "tt-hide" }, word),
      few && codes.length ? make("small", {}, ` ${codes[0]}${codes.length > 1 ? ` +${codes.length - 1}` : ""}`) : null);
  }

  function row(machine) {
    return make("tr", {},
      make("td", {}, make("a", { href: anchor(machine) }, machine.name), machine.role === "server" ? make("span", { class: "tt-tag" }, "server") : null),
      machine.cells.map((outcome, step) => cell(machine, outcome, step)),
      make("td", { class: "tt-why" }, wrong(machine)));
  }

  // A fold's heading names the first cause already.
  function wrong(machine) {
    if (!machine.causes.length) return machine.summary;
    const left = fold.checked ? machine.causes.slice(1) : machine.causes;
    return left.map((cause, position) => [position ? "; " : "", make("a", { href: causeAnchor(cause) }, data.causes[cause][0])]);
  }
  const causeAnchor = (cause) => `#${data.causes[cause][2]}`;

  const anchor = (machine) => `#machine=${encodeURIComponent(machine.name)}`;

  function refresh() {
    const list = shown();
    const rows = document.createDocumentFragment();
    const details = document.createDocumentFragment();
    let left = state.limit;
    for (const group of groups(list)) {
      const open = !state.closed.has(group.key);
      if (group.title !== null) {
        const button = make("button", { type: "button", "aria-expanded": String(open) }, `${open ? "▾" : "▸"} ${group.list.length.toLocaleString("en")} × ${group.title}`);
        button.addEventListener("click", () => {
          if (open) state.closed.add(group.key); else state.closed.delete(group.key);
          refresh();
          document.querySelector(`[data-group="${CSS.escape(String(group.key))}"] button`).focus();
        });
        rows.append(make("tr", { class: "tt-group", "data-group": String(group.key) }, make("th", { scope: "rowgroup", colspan: data.steps.length + 2 }, button)));
      }
      if (!open) continue;
      for (const machine of group.list.slice(0, left)) {
        rows.append(row(machine));
        details.append(section(machine));
      }
      left = Math.max(0, left - group.list.length);
    }
    byId("tt-rows").replaceChildren(rows);
    byId("tt-details").replaceChildren(details);
    const only = state.cause === null ? "" : `, only with “${data.causes[state.cause][0]}”`;
    byId("tt-status").textContent = `${list.length.toLocaleString("en")} of ${machines.length.toLocaleString("en")} machines${only}`;
    byId("tt-clear").hidden = state.cause === null;
    const next = byId("tt-next");
    next.hidden = list.length <= state.limit;
    next.textContent = `Show ${STEP_ROWS} more (${Math.max(0, list.length - state.limit).toLocaleString("en")} left)`;
  }

  // ---- one machine ----
  const sections = new Map();
  function section(machine) {
    if (sections.has(machine.index)) return sections.get(machine.index);
    const details = make("details", { class: "tt-machine", id: `tt-m-${machine.index}` },
      make("summary", {},
        make("span", { class: `tt-word tt-o-${machine.outcome}` }, make("span", { "aria-hidden": "true" }, GLYPH[machine.outcome] + " "), machine.outcome),
        make("b", {}, machine.name), make("span", { class: "tt-sub" }, machine.summary)));
    details.addEventListener("toggle", () => open(machine, details));
    sections.set(machine.index, details);
    return details;
  }

  function open(machine, details) {
    if (!details.open || details.querySelector(".tt-inside")) return;
    const [, , , , facts, , results, links, certificates, , noise, histories] = machine.row;
    const bad = results.filter((entry) => !isWell(machine, entry));
    details.append(make("div", { class: "tt-inside" },
      machine.causes.map((cause) => mine(cause)),
      bad.filter((entry) => !isBlocked(machine, entry)).map((entry) => result(machine, entry)),
      blockedOnce(bad.filter((entry) => isBlocked(machine, entry))),
      tentacleHistory(make, text)(histories),
      links.map(link),
      certificates.length ? [make("h3", {}, "Certificates that were presented"), certificates.map(certificate)] : null,
      make("h3", {}, "Facts"),
      pairs(facts.map((fact) => data.f[fact].map(text))),
      well(machine, results),
      text(noise) ? [make("h3", {}, "What the machine printed besides the answer"), make("pre", {}, make("code", {}, text(noise)))] : null));
  }

  // A machine's section begins with what is to be done: taken from the cause above, so that it stands in the page once.
  function mine(cause) {
    const [title, code, anchor, count] = data.causes[cause];
    const body = document.getElementById(anchor);
    const copy = (what) => [...body.querySelectorAll(what)].map((part) => part.cloneNode(true));
    const others = count === 1 ? "no other machine has it" : `${(count - 1).toLocaleString("en")} other ${count === 2 ? "machine has" : "machines have"} it, too`;
    return make("section", { class: "tt-mine" },
      make("h3", {}, title, " ", copy("summary .tt-code")),
      copy(".tt-sentence"), copy(".tt-remedies"), copy(".tt-unsure"),
      make("p", {}, make("a", { href: `#${anchor}` }, `Back to the cause ${code}`), ` (${others})`));
  }

  const isBlocked = (machine, entry) => data.o[machine.cells[entry[0]]] === "blocked";

  // Steps that one failure blocks are one line.
  function blockedOnce(entries) {
    const found = new Map();
    for (const [step, , reason, , by] of entries) {
      const key = by.length ? `${text(by[0])} on ${text(by[1])}` : text(reason);
      if (!found.has(key)) found.set(key, { steps: [], reasons: new Set(), by });
      found.get(key).steps.push(data.steps[step][1]);
      found.get(key).reasons.add(text(reason));
    }
    return [...found].map(([key, { steps, reasons, by }]) => make("p", { class: "tt-blocked" },
      make("span", { class: "tt-o-blocked" }, make("span", { "aria-hidden": "true" }, `${GLYPH.blocked} `), `${steps.length} ${steps.length === 1 ? "step" : "steps"} blocked`),
      by.length ? ` by ${key}` : "", `: ${steps.join(", ")}.`,
      [...reasons].filter((reason) => reason && reason !== key && !by.length).map((reason) => ` ${reason}`)));
  }

  function pairs(list) {
    return make("dl", { class: "tt-facts" }, list.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  }

  const isWell = (machine, entry) => data.o[machine.cells[entry[0]]] === "passed";

  function result(machine, [step, problems, reason, advice, , looked, waived]) {
    const word = data.o[machine.cells[step]];
    const parts = [...problems, ...waived].map((each) => problem(each, word));
    if (text(reason)) parts.push(make("p", {}, make("span", { class: "tt-label" }, "Why"), text(reason)));
    if (text(advice)) parts.push(make("p", {}, make("span", { class: "tt-label" }, "What to do"), text(advice)));
    if (looked.length) parts.push(make("ul", { class: "tt-lanes" }, looked.map((line) => make("li", {}, text(line)))));
    const [, title, address] = data.steps[step];
    return [make("h3", {}, make("span", { class: `tt-o-${word}` }, make("span", { "aria-hidden": "true" }, `${GLYPH[word]} `), word), ` ${title} `, guide(address)), parts];
  }

  function well(machine, results) {
    const entries = results.filter((entry) => isWell(machine, entry));
    if (!entries.length) return null;
    return [make("h3", {}, make("span", { class: "tt-o-passed" }, make("span", { "aria-hidden": "true" }, "✓ "), "passed"), " What was checked"),
      make("dl", { class: "tt-evidence" }, entries.map(([step, , , , , looked]) =>
        make("div", {}, make("dt", {}, data.steps[step][1]), make("dd", {}, looked.map(text).join("\n")))))];
  }

  function guide(address) {
    return address.startsWith("https://") ? make("a", { href: address, rel: "noreferrer", class: "tt-code" }, "guide") : null;
  }

  // A waived problem has the reason why it is accepted as its last part.
  function problem([code, title, expected, actual, evidence, severity, accepted], outcome) {
    const word = accepted !== undefined ? "waived" : outcome === "failed" ? "failed" : "noted";
    const [wanted, seen] = difference(text(expected), text(actual));
    return make("div", { class: "tt-problem" },
      make("h4", {}, make("span", { class: `tt-o-${word}` }, make("span", { "aria-hidden": "true" }, `${GLYPH[word]} `), text(code)), ` ${text(title)} `, make("span", { class: "tt-code" }, text(severity))),
      accepted === undefined ? null : make("p", { class: "tt-o-waived" }, text(accepted)),
      make("dl", { class: "tt-compare" }, make("dt", {}, "expected"), make("dd", {}, wanted), make("dt", {}, "actual"), make("dd", {}, seen)),
      evidence.length ? make("dl", { class: "tt-evidence" }, evidence.map(([source, words]) =>
        make("div", {}, make("dt", {}, text(source)), make("dd", {}, text(words))))) : null);
  }

  // Marks what differs between the common beginning and the common end; two sentences that share little stay unmarked.
  function difference(expected, actual) {
    const one = Array.from(expected);
    const other = Array.from(actual);
    const shorter = Math.min(one.length, other.length);
    let start = 0;
    while (start < shorter && one[start] === other[start]) start += 1;
    let end = 0;
    while (end < shorter - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
    const common = start + end;
    const alike = (common >= 3 && common * 3 >= shorter) || (!/\s/.test(expected) && !/\s/.test(actual));
    if (!alike || expected === actual) return [[expected], [actual]];
    return [one, other].map((letters) => {
      const middle = letters.slice(start, letters.length - end).join("");
      return [letters.slice(0, start).join(""), middle ? make("mark", {}, middle) : null, letters.slice(letters.length - end).join("")];
    });
  }

  function certificate([whose, from, thumbprint, subject, issuer, since, until, key, signature, error]) {
    const both = text(subject) === text(issuer) && text(subject) ? " (self-signed)" : "";
    return pairs([["Presented at", `${text(whose)}, seen from ${text(from)}`], ["Subject", text(subject) + both], ["Issuer", text(issuer)],
      ["Valid", text(since) ? `${text(since)} to ${text(until)}` : ""], ["Key", text(key)], ["Signature", text(signature)],
      ["SHA-1 thumbprint", text(thumbprint)], ["Fault", text(error)]].filter(([, value]) => value));
  }

  // The broken link of a cause's first machine that has one: where it breaks says more than a sentence.
  function showBroken(details) {
    const place = details.querySelector(".tt-broken");
    if (!details.open || place.firstChild) return;
    const cause = Number(details.dataset.cause);
    for (const machine of machines.filter((one) => one.causes.includes(cause))) {
      const broken = machine.row[7].find(isBroken);
      if (!broken) continue;
      place.append(drawing(broken));
      place.hidden = false;
      return;
    }
  }

  // ---- what a reader does ----
  function later(task) {
    let timer = 0;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(task, 90);
    };
  }
  function again() {
    state.limit = STEP_ROWS;
    refresh();
  }
  form.addEventListener("change", (event) => { if (event.target !== search) { if (event.target.name) state.cause = null; again(); } });
  search.addEventListener("input", later(again));
  byId("tt-next").addEventListener("click", () => { state.limit += STEP_ROWS; refresh(); });
  byId("tt-clear").addEventListener("click", () => { state.cause = null; again(); search.focus(); });
  for (const button of document.querySelectorAll(".tt-only")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      state.cause = Number(button.dataset.cause);
      again();
      byId("tt-machines").scrollIntoView();
      byId("tt-clear").focus({ preventScroll: true });
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(input|textarea|select)$/i.test(event.target.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
  // Machines' sections bring copies of these buttons, so the page listens and not each button.
  for (const button of document.querySelectorAll(".tt-copy, .tt-copy-link, .tt-ticket")) button.hidden = false;
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest(".tt-copy, .tt-copy-link, .tt-ticket");
    if (!button) return;
    const cause = button.closest(".tt-cause");
    if (button.classList.contains("tt-copy")) put(button, button.parentElement.querySelector("code").textContent);
    else if (button.classList.contains("tt-ticket")) put(button, ticket(cause));
    else put(button, `${location.href.split("#")[0]}#${cause.id}`);
  });

  async function put(button, words) {
    const label = button.dataset.label || button.textContent;
    button.dataset.label = label;
    let done = true;
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      const place = make("textarea", { class: "tt-hide" });
      place.value = words;
      button.after(place);
      place.select();
      done = document.execCommand("copy");
      place.remove();
      button.focus();
    }
    button.textContent = done ? "copied" : "cannot copy";
    setTimeout(() => { button.textContent = label; }, 1600);
  }

  // A cause in plain Markdown; what machines sent stands in code, as it does in the Markdown report.
  function ticket(details) {
    const cause = Number(details.dataset.cause);
    const [title, code] = data.causes[cause];
    const quoted = (words) => `\`${words.replace(/`/g, "'")}\``;
    const names = machines.filter((machine) => machine.causes.includes(cause)).map((machine) => quoted(machine.name));
    const lines = [`## ${title} (${code})`, "", details.querySelector(".tt-sentence").textContent, "", `Machines: ${names.join(", ")}`];
    for (const remedy of details.querySelectorAll(".tt-remedy")) {
      lines.push("", `### ${remedy.querySelector("h4").textContent}`);
      for (const part of remedy.querySelectorAll(":scope > p, :scope > .tt-command")) {
        const command = part.querySelector("code");
        lines.push("", command && part.matches(".tt-command") ? `    ${command.textContent}` : part.textContent);
        const consequence = part.querySelector(".tt-consequence");
        if (consequence) lines.push("", `(changes: ${consequence.textContent})`);
      }
    }
    const seen = details.querySelector(".tt-seen");
    if (seen) lines.push("", `Seen: ${quoted(seen.textContent.replace(/^\s*Seen\s*/, ""))}`);
    return `${lines.join("\n")}\n`;
  }

  function follow() {
    const aimed = location.hash.length > 1 && byId(location.hash.slice(1));
    if (aimed && aimed.matches(".tt-cause")) {
      aimed.open = true;
      aimed.scrollIntoView({ block: "start" });
      aimed.querySelector("summary").focus({ preventScroll: true });
      return;
    }
    const match = /^#machine=(.*)$/.exec(location.hash);
    let name = "";
    try {
      name = match ? decodeURIComponent(match[1]) : "";
    } catch {
      return;
    }
    const machine = byName.get(name);
    if (!machine) return;
    const details = section(machine);
    if (!details.isConnected) byId("tt-details").prepend(details);
    details.open = true;
    open(machine, details);
    details.scrollIntoView({ block: "start" });
    details.querySelector("summary").focus({ preventScroll: true });
  }
  window.addEventListener("hashchange", follow);
  window.addEventListener("load", () => setTimeout(follow));  // after the browser went to the place itself
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest && event.target.closest("a[href^='#']");
    if (chosen && chosen.getAttribute("href") === location.hash) follow();
  });

  let opened = [];
  window.addEventListener("beforeprint", () => {
    const unwell = machines.filter((machine) => machine.outcome !== "passed");
    for (const machine of unwell.length > PRINT_OPEN ? [] : unwell) {
      const details = section(machine);
      if (!details.isConnected) byId("tt-details").append(details);
      if (!details.open) {
        details.open = true;
        open(machine, details);
        opened.push(details);
      }
    }
    for (const details of document.querySelectorAll(".tt-cause:not([open]), .tt-actions > .tt-more:not([open])")) {
      details.open = true;
      opened.push(details);
    }
    if (!document.querySelector(".tt-many-causes")) document.querySelectorAll(".tt-cause").forEach(showBroken);
  });
  window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    opened = [];
  });

  // pytest-html's own checkboxes have no label.
  function label() {
    for (const box of document.querySelectorAll("input.filter[data-test-result]")) {
      const words = box.nextElementSibling;
      if (words) box.setAttribute("aria-label", `Show ${words.textContent.trim().replace(/,$/, "")}`);
    }
  }

  form.hidden = false;
  if (byId("tt-unshown")) byId("tt-unshown").remove();
  refresh();
  follow();
  for (const details of document.querySelectorAll(".tt-cause")) {
    details.addEventListener("toggle", () => showBroken(details));
    showBroken(details);
  }
  document.addEventListener("DOMContentLoaded", label);
})();
