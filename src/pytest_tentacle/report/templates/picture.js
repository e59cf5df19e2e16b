// Links as pictures: a lane for each look, a node for each stage, and in words what each came to.
const tentaclePictures = (make, draw, data, text) => {
  const STATE_GLYPH = { ok: "✓", failed: "✕", slow: "!", unreached: "", unasked: "–", unjudged: "?" };
  const STATE_WORD = { ok: "ok", failed: "failed", slow: "slow", unreached: "not reached", unasked: "not asked", unjudged: "not judged" };

  function link(entry) {
    return [drawing(entry), make("ul", { class: "tt-lanes" }, entry[4].map((lane) => make("li", {}, ...tell(lane))))];
  }

  function drawing([source, target, port, mode, lanes]) {
    const from = text(source);
    const to = text(target);
    const wording = { listening: "The server connects to the Tentacle", polling: "The Tentacle connects to the server", local: "The machine's own port" };
    return make("div", { class: "tt-link" },
      make("h3", {}, `${wording[text(mode)]}: ${from === to ? from : `${from} → ${to}`}, port ${port}`),
      picture(from, to, port, lanes));
  }

  const isBroken = ([, , , , lanes]) => lanes.some((lane) => lane[5].some(([position]) => data.t[position] === "failed"));

  function naming(lane) {
    const by = text(lane[1]);
    const address = text(lane[4]);
    const where = `${text(lane[2])}:${lane[3]}`;
    return `from ${text(lane[0])} ${by === "local" ? "itself" : `by ${by === "address" ? "IP" : "name"}`}, ${where}${address && address !== text(lane[2]) ? ` (${address})` : ""}`;
  }

  function tell(lane) {
    if (text(lane[6])) return [naming(lane), ": ", make("b", {}, "not checked"), ` – ${text(lane[6])}`];
    const states = lane[5].map(([position]) => data.t[position]);
    const failed = states.indexOf("failed");
    if (failed < 0) return [naming(lane), ": ", make("span", { class: "tt-o-passed" }, "all stages passed")];
    const [, , error, detail] = lane[5][failed];
    return [naming(lane), ": ", make("b", { class: "tt-o-failed" }, `${data.g[failed]} failed: ${text(error)}`), text(detail) ? ` – ${text(detail)}` : ""];
  }

  function picture(from, to, port, lanes) {
    const narrow = window.innerWidth < 640;
    const width = narrow ? 350 : 820;
    const side = narrow ? 0 : 118;
    const top = narrow ? 18 : 22;
    const first = side + (narrow ? 26 : 52);
    const gap = (width - 2 * first) / (data.g.length - 1);
    const at = (position) => first + gap * position;
    const size = { first, side, width, narrow };
    const notes = lanes.map((lane) => notesOf(lane, at, size));
    const tops = [top];
    notes.forEach((list) => tops.push(tops.at(-1) + 58 + 12 * Math.max(0, ...list.map((note) => note.line))));
    const height = tops.at(-1) + 4;
    const labels = data.g.map((name, position) => draw("text", { x: at(position), y: 12, "text-anchor": "middle", "font-size": narrow ? 10 : 12, class: "tt-t-quiet" }, narrow && name === "certificate" ? "cert." : name));
    const box = (x, name) => [draw("rect", { x, y: top, width: side - 8, height: height - top - 4, rx: 4, class: "tt-box" }),
      draw("text", { x: x + (side - 8) / 2, y: (height + top) / 2, "text-anchor": "middle", "font-size": 12 }, name.length > 16 ? `${name.slice(0, 15)}…` : name)];
    const ends = narrow ? [] : [box(1, from), box(width - side + 7, from === to ? `port ${port}` : to)].flat();
    const spoken = lanes.map((lane) => `${naming(lane)}: ${text(lane[6]) ? "not checked" : lane[5].map(([state], stage) => `${data.g[stage]} ${STATE_WORD[data.t[state]]}`).join(", ")}`).join(". ");
    return draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${from} to ${to}. ${spoken}` },
      labels, ends, lanes.map((lane, index) => drawLane(lane, tops[index], at, size, notes[index])));
  }

  // What stands below each stage, on the first line on which it touches no other: neighbours may fail with long words.
  function notesOf(lane, at, size) {
    const ends = [];
    return lane[5].map(([position, ms, error], stage) => {
      const failed = ["failed", "slow"].includes(data.t[position]);
      const words = failed ? shorten(text(error), size.narrow ? 22 : 34) : ms >= 0 && !size.narrow ? `${ms} ms` : "";
      const half = Math.max(words.length * 3.1, 1);
      const low = size.narrow ? 2 : size.side + 2;
      const middle = Math.min(Math.max(at(stage), low + half), size.width - low - half);
      let line = 0;
      if (words) {
        while (ends[line] !== undefined && ends[line] > middle - half - 6) line += 1;
        ends[line] = middle + half;
      }
      return { words, middle, line, failed };
    });
  }

  function drawLane(lane, y, at, size, notes) {
    const line = y + 33;
    const title = draw("text", { x: size.narrow ? 2 : size.first - 44, y: y + 12, "font-size": 11.5, class: "tt-t-quiet" }, shorten(naming(lane), size.narrow ? 56 : 100));
    if (!lane[5].length) return draw("g", {}, title, draw("line", { class: "tt-w tt-w-unreached", x1: size.side, x2: size.width - size.side, y1: line, y2: line }));
    const states = lane[5].map(([position]) => data.t[position]);
    const broken = states.indexOf("failed");
    const furthest = broken < 0 ? states.length : states.findLastIndex((word) => ["ok", "failed", "slow", "unjudged"].includes(word));
    const wires = states.map((_, stage) => {
      const reached = stage <= furthest;
      return draw("line", { class: `tt-w ${reached ? "tt-w-ok" : "tt-w-unreached"}`, x1: stage ? at(stage - 1) : size.side, x2: at(stage), y1: line, y2: line });
    });
    const last = draw("line", { class: `tt-w ${broken < 0 ? "tt-w-ok" : "tt-w-unreached"}`, x1: at(states.length - 1), x2: size.width - size.side, y1: line, y2: line });
    const nodes = states.map((word, stage) => {
      const { words, middle, line: below, failed } = notes[stage];
      return draw("g", { class: `tt-n tt-n-${word}` },
        draw("circle", { cx: at(stage), cy: line, r: 8.5 }),
        draw("text", { class: "tt-g", x: at(stage), y: line + 4, "text-anchor": "middle", "font-size": 11, "font-weight": 700 }, STATE_GLYPH[word]),
        words ? draw("text", { class: failed ? "tt-t-failed" : "tt-t-quiet", x: middle, y: line + 19 + 12 * below, "text-anchor": "middle", "font-size": 10 }, words) : null);
    });
    return draw("g", {}, title, wires, last, nodes);
  }

  const shorten = (words, most) => (words.length > most ? `${words.slice(0, most - 1)}…` : words);

  return { link, drawing, isBroken };
};
