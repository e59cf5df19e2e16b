// Since when a link does not work, and what changed then: of each link one sentence, a timeline, and what is not known.
const tentacleHistory = (make, text) => (histories) => {
  const WORDS = { worked: "✓ worked", partly: "… in part", failed: "✕ failed", changed: "△ changed" };
  const STATES = { worked: "tt-o-passed", partly: "tt-sub", failed: "tt-o-failed", changed: "tt-o-unknown" };
  const row = ([when, kind, machine, words, source]) => {
    const word = text(kind);
    return make("tr", {},
      make("td", { class: "tt-mono" }, text(when)),
      make("td", { class: STATES[word] }, WORDS[word]),
      make("td", {}, text(machine)),
      make("td", {}, text(words), make("br", {}), make("small", { class: "tt-code" }, text(source))));
  };
  const one = ([tentacle, server, sentence, lines, notes]) => [
    make("h3", {}, `Since when, and what changed then: ${text(tentacle)} and ${text(server)}`),
    make("p", {}, text(sentence)),
    lines.length ? make("div", { class: "tt-scroll", role: "region", tabindex: "0", "aria-label": `History of ${text(tentacle)} and ${text(server)}` },
      make("table", { class: "tt-history" },
        make("caption", { class: "tt-hide" }, "What both ends and Octopus tell around the break, by time"),
        make("thead", {}, make("tr", {}, ["UTC", "What", "Where", "What happened, and where that is written"].map((name) => make("th", { scope: "col" }, name)))),
        make("tbody", {}, lines.map(row)))) : null,
    notes.length ? make("ul", { class: "tt-lanes" }, notes.map((note) => make("li", {}, `Not known: ${text(note)}`))) : null];
  return histories.map(one);
};
