"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const trace = JSON.parse(byId("data").textContent);
  const last = trace.steps.length;

  // Every text of the model goes into the page through here, as text.
  function make(tag, look, ...children) {
    const element = document.createElement(tag);
    if (look) element.className = look;
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

  function chip(thread, name) {
    if (thread === null || thread === undefined) return make("span", "chip none", name);
    const known = trace.threads[thread];
    return make("span", `chip c${thread % 8}`, `CPU${thread} ${known.name}${known.daemon ? " (daemon)" : ""}`);
  }

  function link(step, look, shown, title) {
    const element = make("a", look, shown);
    element.href = `#step=${step}`;
    element.title = title;
    return element;
  }

  // -- the states: values[n][cell], and the step that wrote the cell last

  const values = [trace.cells.map((cell) => cell.value)];
  const writers = [trace.cells.map(() => 0)];
  trace.steps.forEach((step, position) => {
    const state = values[position].slice();
    const wrote = writers[position].slice();
    for (const [cell, after] of step.changes) {
      state[cell] = after;
      wrote[cell] = position + 1;
    }
    values.push(state);
    writers.push(wrote);
  });

  // -- panels

  function showStep(number) {
    byId("step-head").textContent = number ? `Step ${number}` : "Start";
    const box = byId("step");
    const parts = [];
    if (number === 0) {
      const free = trace.cells.filter((cell) => cell.free).map((cell) => `${cell.name} = ${cell.value}`);
      parts.push(make("p", "quiet", "The initial state." + (free.length ? ` The model starts from any; here: ${free.join(", ")}.` : "")));
    } else {
      const step = trace.steps[number - 1];
      parts.push(chip(step.thread));
      if (step.calls.length) parts.push(make("div", "calls", step.calls.map((call) => `${call}()`).join(" \u203a ")));
      const choice = step.choice.length ? `  [choice ${step.choice.join(", ")}]` : "";
      parts.push(make("div", "statement", step.text + choice));
      parts.push(make("div", "anchor", [step.anchor, step.place].filter(Boolean).join("  \u00b7  ")));
      if (step.fault) parts.push(make("p", "fault", "\u2717 ", step.fault));
    }
    if (number === last && !(number && trace.steps[number - 1].fault)) {
      const sign = trace.witness ? "\u2713 " : "\u2717 ";
      if (trace.loop !== null) {
        const round = last - trace.loop + 1;
        parts.push(make("p", "again", `\u21ba ${round === 1 ? "This step repeats" : `The last ${round} steps repeat`} forever, from `,
          link(trace.loop, "", `step ${trace.loop}`, "where it begins again"), " on."));
      }
      parts.push(...(trace.failing.length ? trace.failing : [trace.end]).map((told) => make("p", trace.witness ? "finally reached" : "finally", sign, told)));
    }
    box.replaceChildren(...parts);
  }

  function stateRow(cell, position, number) {
    const value = values[number][position];
    const before = number ? values[number - 1][position] : value;
    const wrote = writers[number][position];
    const isWrong = cell.wrong && number === last;
    const row = make("tr", [value !== before ? "changed" : "", isWrong && !trace.witness ? "wrong" : ""].join(" ").trim());
    const name = make("th", "", cell.name, cell.ghost ? make("span", "ghost", " ghost") : "");
    name.scope = "row";
    const shown = make("td", "", value !== before ? make("span", "was", before) : "", value !== before ? ` \u2192 ${value}` : value,
      isWrong && !trace.witness ? " \u2717" : "");
    const by = make("td", "by", wrote ? link(wrote, "", `step ${wrote}`, "the step that wrote it last") : "");
    row.append(name, shown, by);
    return row;
  }

  function stateTable(number, wanted, whose) {
    const rows = trace.cells.map((cell, position) => [cell, position]).filter(([cell]) => wanted(cell));
    if (!rows.length) return make("p", "quiet", `No ${whose}.`);
    const heads = ["name", "value", "last written"].map((word) => {
      const head = make("th", "", word);
      head.scope = "col";
      return head;
    });
    const table = make("table", "", make("thead", "", make("tr", "", ...heads)),
      make("tbody", "", ...rows.map(([cell, position]) => stateRow(cell, position, number))));
    table.setAttribute("aria-label", whose);
    return table;
  }

  function showState(number) {
    const fault = number && trace.steps[number - 1].fault;
    byId("state-hint").textContent = fault ? "before the fault: a fault has no state after it"
      : number ? `after step ${number}` : "at the start";
    byId("state").replaceChildren(stateTable(number, (cell) => cell.role === "data", "shared data"));
    byId("locals").replaceChildren(
      stateTable(number, (cell) => cell.role !== "data" && cell.role !== "lock", "locals"),
      stateTable(number, (cell) => cell.role === "lock", "locks"));
  }

  function showLocks(number) {
    const held = trace.holds.filter((hold) => hold.start <= number && (hold.end === null || number < hold.end));
    const items = held.map((hold) => make("li", "", make("b", "", hold.lock), hold.mode ? ` (${hold.mode}) ` : " ", chip(hold.thread),
      hold.start ? " since " : " from the start", hold.start ? link(hold.start, "", `step ${hold.start}`, "the step that took it") : ""));
    byId("locks").replaceChildren(held.length ? make("ul", "list", ...items) : make("p", "quiet", "None."));
  }

  const HOPED = new Set(["reachable", "always_reachable", "progress"]);

  // A property's standing at a state: [look, sign, word].
  function standing(property, number) {
    if (property.unknown.includes(number)) return ["open", "?", "undecided"];
    const at = property.at.includes(number);
    if (HOPED.has(property.kind)) return at ? ["good", "\u2713", "reached"] : ["open", "\u00b7", "not here"];
    if (property.kind === "step" && number === 0) return ["open", "\u00b7", "speaks of steps"];
    if (number && trace.steps[number - 1].fault) return ["open", "\u00b7", "no state"];
    return at ? ["bad", "\u2717", "violated"] : ["good", "\u2713", "holds"];
  }

  // The first step at which an invariant was violated, up to this one; null where there is none.
  function violatedBefore(property, number) {
    if (HOPED.has(property.kind)) return null;
    const earlier = property.at.filter((at) => at < number);
    return earlier.length ? Math.min(...earlier) : null;
  }

  function showProperties(number) {
    const box = byId("properties");
    if (!trace.properties.length) {
      box.replaceChildren(make("p", "quiet", "Not recorded in this trace; check the model again to have them."));
      return;
    }
    box.replaceChildren(...trace.properties.map((property) => {
      const [now, , said] = standing(property, number);
      const first = now === "bad" ? null : violatedBefore(property, number);
      const look = first === null ? now : "bad";
      const word = first === null ? said : first ? `violated at step ${first}` : "violated at the start";
      const name = make("div", "name", make("b", "", property.name), make("span", `word ${look}`, word));
      if (property.doc) name.title = property.doc;
      const ticks = last > 150 ? [] : values.map((_, at) => {
        const [kind, sign, told] = standing(property, at);
        const tick = link(at, `tick ${kind}${at === number ? " here" : ""}`, sign, `${at ? `step ${at}` : "start"}: ${told}`);
        tick.tabIndex = -1;
        return tick;
      });
      const strip = make("div", "strip", ...ticks);
      strip.setAttribute("aria-hidden", "true");
      return make("div", `property${property.shown ? " shown" : ""}`, name, strip);
    }));
  }

  function showInstead(number) {
    const box = byId("instead");
    const waits = (list) => make("ul", "list", ...list.map((w) => make("li", "", chip(w.thread, w.name), ` ${w.text}`)));
    const atEnd = number === last;
    byId("instead-head").textContent = number ? "Instead of this step" : "Instead";
    if (!number) {
      const parts = [make("p", "quiet", "No step has been taken yet.")];
      if (!last && trace.blocked.length) parts.push(make("p", "sub", "Waiting"), waits(trace.blocked));
      box.replaceChildren(...parts);
      return;
    }
    const step = trace.steps[number - 1];
    const others = step.instead.map((other) => make("li", "", chip(other.thread, other.name), ` ${other.text}`,
      other.fault ? make("b", "", ` (fault: ${other.fault})`) : ""));
    const parts = [others.length ? make("ul", "list", ...others) : make("p", "quiet", "Nothing else could run.")];
    if (step.blocked.length) parts.push(make("p", "sub", "Waiting before it"), waits(step.blocked));
    if (atEnd && trace.blocked.length) parts.push(make("p", "sub", trace.deadlock ? "Nothing can run now; waiting" : "Waiting now"), waits(trace.blocked));
    box.replaceChildren(...parts);
  }

  function centre(box, line) {
    const above = line.getBoundingClientRect().top - box.getBoundingClientRect().top;
    box.scrollTop += above - (box.clientHeight - line.offsetHeight) / 2;
  }

  function showSource(number) {
    const at = number ? trace.steps[number - 1].at : null;
    document.querySelectorAll(".line.now").forEach((line) => line.classList.remove("now"));
    document.querySelectorAll(".source .dot").forEach((dot) => dot.classList.toggle("here", dot.hash === `#step=${number}`));
    document.querySelectorAll(".source").forEach((file, position) => { file.hidden = position !== (at ? at[0] : 0); });
    const file = byId(`file${at ? at[0] : 0}`);
    const line = file && file.querySelector(at ? `[data-line="${Number(at[1])}"]` : ".line:has(.marks)");
    if (!line) return;
    if (at) {
      line.classList.add("now");
      line.setAttribute("aria-current", "step");
    }
    centre(file.querySelector(".lines"), line);
  }

  // -- going from step to step

  let current = -1;

  function go(wanted, quietly) {
    const number = Math.max(0, Math.min(last, wanted));
    if (number === current) return;
    current = number;
    byId("number").textContent = number;
    byId("first").disabled = byId("back").disabled = number === 0;
    byId("last").disabled = byId("on").disabled = number === last;
    if (byId("slide")) byId("slide").value = number;
    document.querySelectorAll(".line[aria-current]").forEach((line) => line.removeAttribute("aria-current"));
    showStep(number);
    showState(number);
    showLocks(number);
    showProperties(number);
    showInstead(number);
    showSource(number);
    document.querySelectorAll(".dots .dot").forEach((dot, position) => {
      dot.classList.toggle("here", position === number);
      if (position === number) dot.setAttribute("aria-current", "step");
      else dot.removeAttribute("aria-current");
    });
    const here = document.querySelector(".dots .here");
    if (here) here.closest(".dots").scrollLeft = here.offsetLeft - here.closest(".dots").clientWidth / 2;
    showRow(number, quietly);
    history.replaceState(null, "", `#step=${number}`);
    const step = number ? trace.steps[number - 1] : null;
    byId("said").textContent = step ? `Step ${number} of ${last}, ${trace.threads[step.thread].name}: ${step.text}` : "Start";
  }

  function showRow(number, quietly) {
    document.querySelectorAll("svg.dm g.on").forEach((row) => row.classList.remove("on"));
    const row = document.querySelector(`svg.dm g[data-step="${number}"]`);
    if (!row) return;
    row.classList.add("on");
    const box = row.getBoundingClientRect();
    const wide = window.matchMedia("(min-width: 1001px)").matches;
    const bar = document.querySelector(".stepper").getBoundingClientRect().bottom;
    if (!quietly && wide && (box.top < bar || box.bottom > window.innerHeight)) row.scrollIntoView({ block: "center" });
  }

  function fromHash() {
    const match = /^#step=(\d{1,6})$/.exec(location.hash);
    return match ? Number(match[1]) : null;
  }

  const KEYS = {
    ArrowRight: () => current + 1, ArrowDown: () => current + 1, j: () => current + 1,
    ArrowLeft: () => current - 1, ArrowUp: () => current - 1, k: () => current - 1,
    Home: () => 0, End: () => last,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !(Object.hasOwn(KEYS, event.key))) return;
    const inside = event.target instanceof Element ? event.target : document.body;
    if (inside.closest("input, textarea, select")) return;
    if (event.key !== "j" && event.key !== "k" && inside.closest("[data-scrolls]")) return;
    event.preventDefault();
    go(KEYS[event.key]());
  });
  window.addEventListener("hashchange", () => {
    const wanted = fromHash();
    if (wanted !== null) go(wanted);
  });
  byId("first").addEventListener("click", () => go(0));
  byId("back").addEventListener("click", () => go(current - 1));
  byId("on").addEventListener("click", () => go(current + 1));
  byId("last").addEventListener("click", () => go(last));
  if (byId("slide")) byId("slide").addEventListener("input", (event) => go(Number(event.target.value)));
  document.querySelectorAll("svg.dm g[data-step]").forEach((row) => {
    row.addEventListener("click", () => go(Number(row.dataset.step), true));
  });

  // -- copying

  async function put(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea", "unseen");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }

  document.querySelectorAll("[data-copy]").forEach((button) => {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const done = await put(JSON.parse(byId("copies").textContent)[button.dataset.copy]);
      button.textContent = done ? "Copied" : "The browser refused";
      byId("said").textContent = button.textContent;
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  });

  // A picture a little too wide shrinks; one much too wide scrolls.
  const picture = document.querySelector("svg.dm");
  picture.style.minWidth = `${Math.round(0.8 * picture.viewBox.baseVal.width)}px`;

  const start = fromHash();
  go(start === null ? last : start, true);
})();
