"use strict";
(() => {
  const { byId, make, copies, copyButton } = Page;
  const trace = JSON.parse(byId("data").textContent);
  let run = Runs.ofTrace(trace);

  function chip(thread, name) {
    if (thread === null || thread === undefined) return make("span", "chip none", name);
    const known = trace.threads[thread];
    return make("span", `chip c${thread % 8}`, `CPU${thread} ${known.name}${known.daemon ? " (daemon)" : ""}`);
  }

  function link(step, look, shown, title) {
    const element = make("a", look, shown);
    element.href = address(step);
    element.title = title;
    return element;
  }

  // Whether the state after step `number` belongs to the trace, and not to steps that the reader took.
  function isOfTrace(number) {
    return number <= run.from;
  }

  // The address of a step of this run.
  function address(number) {
    return run.own.length ? `#step=${number}&way=${[run.from, ...run.own].join(".")}` : `#step=${number}`;
  }

  // -- panels

  function showStep(number) {
    byId("step-head").textContent = number ? `Step ${number}` : "Start";
    const box = byId("step");
    const parts = [];
    if (number === 0) {
      const free = trace.cells.filter((cell) => cell.free).map((cell) => `${cell.name} = ${cell.value}`);
      parts.push(make("p", "quiet", "The initial state." + (free.length ? ` The model starts from any; here: ${free.join(", ")}.` : "")));
    } else {
      const step = run.steps[number - 1];
      parts.push(chip(step.thread));
      if (step.calls.length) parts.push(make("div", "calls", step.calls.map((call) => `${call}()`).join(" \u203a ")));
      const choice = step.choice.length ? `  [choice ${step.choice.join(", ")}]` : "";
      parts.push(make("div", "statement", step.text + choice));
      parts.push(make("div", "anchor", [step.anchor, step.place].filter(Boolean).join("  \u00b7  ")));
      if (step.fault) parts.push(make("p", "fault", "\u2717 ", step.fault));
    }
    if (number === run.last && (!isOfTrace(number) || (trace.live && !trace.live.origin))) parts.push(...endOfWay(number));
    else if (number === trace.steps.length && isOfTrace(number) && !(number && run.steps[number - 1].fault)) {
      const sign = trace.witness ? "\u2713 " : "\u2717 ";
      if (trace.loop !== null) {
        const round = trace.steps.length - trace.loop + 1;
        parts.push(make("p", "again", `\u21ba ${round === 1 ? "This step repeats" : `The last ${round} steps repeat`} forever, from `,
          link(trace.loop, "", `step ${trace.loop}`, "where it begins again"), " on."));
      }
      parts.push(...(trace.failing.length ? trace.failing : [trace.end]).map((told) => make("p", trace.witness ? "finally reached" : "finally", sign, told)));
    }
    box.replaceChildren(...parts);
  }

  // What is wrong at the end of the steps that the reader took.
  function endOfWay(number) {
    const position = run.positions[number] ?? null;
    const dead = position !== null && trace.ways.positions[position][5];
    const wrong = run.properties.filter((property) => Standing.isRule(property) && property.at.includes(number));
    const told = [...(dead ? ["deadlock: nobody can run"] : []), ...wrong.map((property) => `${property.name} is violated`)];
    return told.map((text) => make("p", "finally", "\u2717 ", text));
  }

  function stateRow(cell, position, number) {
    const value = run.values[number][position];
    const before = number ? run.values[number - 1][position] : value;
    const wrote = run.writers[number][position];
    const isWrong = cell.wrong && isOfTrace(number) && number === trace.steps.length;
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
    const fault = number && run.steps[number - 1].fault;
    byId("state-hint").textContent = fault ? "before the fault: a fault has no state after it"
      : number ? `after step ${number}` : "at the start";
    byId("state").replaceChildren(stateTable(number, (cell) => cell.role === "data", "shared data"));
    byId("locals").replaceChildren(
      stateTable(number, (cell) => cell.role !== "data" && cell.role !== "lock", "locals"),
      stateTable(number, (cell) => cell.role === "lock", "locks"));
  }

  function heldOnTheWay(number) {
    const position = run.positions[number];
    const held = position === null ? [] : trace.ways.positions[position][4];
    return held.map(([lock, thread, mode]) => make("li", "", make("b", "", lock), mode ? ` (${mode}) ` : " ", chip(thread)));
  }

  function showLocks(number) {
    if (!isOfTrace(number)) {
      const items = heldOnTheWay(number);
      byId("locks").replaceChildren(items.length ? make("ul", "list", ...items) : make("p", "quiet", "None."));
      return;
    }
    const held = trace.holds.filter((hold) => hold.start <= number && (hold.end === null || number < hold.end));
    const items = held.map((hold) => make("li", "", make("b", "", hold.lock), hold.mode ? ` (${hold.mode}) ` : " ", chip(hold.thread),
      hold.start ? " since " : " from the start", hold.start ? link(hold.start, "", `step ${hold.start}`, "the step that took it") : ""));
    byId("locks").replaceChildren(held.length ? make("ul", "list", ...items) : make("p", "quiet", "None."));
  }

  function showProperties(number) {
    const box = byId("properties");
    if (!run.properties.length) {
      box.replaceChildren(make("p", "quiet", "None: the model has no properties, or this trace does not record them."));
      return;
    }
    box.replaceChildren(...run.properties.map((property) => {
      const [now, , said] = Standing.at(run, property, number);
      const first = now === "bad" ? null : Standing.violatedBefore(property, number);
      const look = first === null ? now : "bad";
      const word = first === null ? said : first ? `violated at step ${first}` : "violated at the start";
      const name = make("div", "name", make("b", "", property.name), make("span", `word ${look}`, word));
      if (property.doc) name.title = property.doc;
      const ticks = run.last > 150 ? [] : run.values.map((_, at) => {
        const [kind, sign, told] = Standing.at(run, property, at);
        const tick = link(at, `tick ${kind}${at === number ? " here" : ""}`, sign, `${at ? `step ${at}` : "start"}: ${told}`);
        tick.tabIndex = -1;
        return tick;
      });
      const strip = make("div", "strip", ...ticks);
      strip.setAttribute("aria-hidden", "true");
      return make("div", `property${property.shown ? " shown" : ""}`, name, strip);
    }));
  }

  function waits(list) {
    return make("ul", "list", ...list.map((w) => make("li", "", chip(w.thread, w.name), ` ${w.text}`)));
  }

  function showInstead(number) {
    const box = byId("instead");
    byId("instead-head").textContent = number ? "Instead of this step" : "Instead";
    if (!number) {
      const parts = [make("p", "quiet", "No step has been taken yet.")];
      if (!run.last && run.blocked.length) parts.push(make("p", "sub", "Waiting"), waits(run.blocked));
      box.replaceChildren(...parts);
      return;
    }
    const step = run.steps[number - 1];
    const options = trace.ways ? Runs.optionsAt(trace, run.positions[number - 1]) : null;
    const went = options ? Runs.taken(trace, run, number - 1) : null;
    const others = options ? options.map((_, index) => index).filter((index) => index !== went).map((index) => optionItem(number - 1, index))
      : step.instead.map((other) => make("li", "", chip(other.thread, other.name), ` ${other.text}`,
        other.fault ? make("b", "", ` (fault: ${other.fault})`) : ""));
    const parts = [others.length ? make("ul", "list", ...others) : make("p", "quiet", "Nothing else could run.")];
    if (step.blocked.length) parts.push(make("p", "sub", "Waiting before it"), waits(step.blocked));
    if (number === run.last && run.blocked.length && !trace.ways) parts.push(make("p", "sub", trace.deadlock ? "Nothing can run now; waiting" : "Waiting now"), waits(run.blocked));
    box.replaceChildren(...parts);
  }

  // -- ways: steps that can run, each of which the reader can take

  // In a live page an option is the address of the run that takes it.
  function liveAddress(number, segment) {
    const { to, own } = trace.live;
    const asked = new URLSearchParams(location.search);
    asked.delete("rest");
    asked.set("to", Math.min(number, to));
    asked.set("then", [...own.slice(0, Math.max(0, number - to)), segment].join(";"));
    return `?${asked}`;
  }

  function optionItem(number, index) {
    const option = Runs.optionsAt(trace, run.positions[number])[index];
    const [thread, text] = trace.ways.statements[option[0]];
    const isNext = Runs.taken(trace, run, number) === index;
    const choice = option[6].length ? `  [choice ${option[6].join(", ")}]` : "";
    const ahead = Standing.outlook(trace, option);
    const parts = [chip(thread), ` ${text}${choice}`, ahead ? make("b", "ahead", ` ${ahead}`) : "", isNext ? make("span", "next", " next in this run") : ""];
    const item = make(trace.live ? "a" : "button", "take", ...parts);
    if (!trace.live) {
      item.type = "button";
      item.addEventListener("click", () => take(number, index));
    } else {
      item.href = isNext ? address(number + 1) : liveAddress(number, option[1]);
    }
    return make("li", "", item);
  }

  function take(number, index) {
    const next = Runs.taking(trace, run, number, index);
    if (next === null) return;
    follow(next, number + 1);
  }

  function follow(next, number) {
    run = next;
    current = -1;
    go(number);
  }

  function undo() {
    if (!run.own.length) return;
    const own = run.own.slice(0, -1);
    follow(own.length ? Runs.leaving(trace, run.from, own) : Runs.ofTrace(trace), run.from + own.length);
  }

  function noFurther(number) {
    const bound = trace.ways.cut ? "; a bound on its size left some of these out" : "";
    const parts = [make("p", "quiet", `This page knows at most ${trace.ways.depth} steps beside the trace${bound}. dio-mc step goes on from here.`)];
    if (trace.ways.command) parts.push(copyButton("Copy the command", () => command(number)));
    return parts;
  }

  function command(number) {
    return `${trace.ways.command} "${Runs.schedule(trace, run, number)}"`;
  }

  function showOnward(number) {
    byId("onward-card").hidden = !trace.ways;
    if (!trace.ways) return;
    const position = run.positions[number];
    const box = byId("onward");
    if (position === null || position === undefined) {
      box.replaceChildren(make("p", "quiet", "Nothing follows a fault."));
      return;
    }
    const [options, waiting, , , , dead] = trace.ways.positions[position];
    const parts = [];
    if (options === null) parts.push(...noFurther(number));
    else if (options.length) parts.push(make("ul", "list", ...options.map((_, index) => optionItem(number, index))));
    else parts.push(make("p", "quiet", dead ? "None: this is a deadlock." : "None: every thread has ended or waits for ever."));
    if (waiting.length) parts.push(make("p", "sub", "Waiting"), waits(waiting.map(([thread, text]) => ({ thread, name: "", text }))));
    box.replaceChildren(...parts);
  }

  function showDetour(number) {
    const box = byId("detour");
    box.hidden = !run.own.length;
    if (!run.own.length) return box.replaceChildren();
    const steps = run.steps.slice(run.from).map((step, position) => {
      const at = run.from + position + 1;
      const dot = link(at, `dot c${step.thread % 8}${at === number ? " here" : ""}`, String(at), `${trace.threads[step.thread].name}: ${step.text}`);
      if (at === number) dot.setAttribute("aria-current", "step");
      return dot;
    });
    const button = (shown, act) => {
      const made = make("button", "", shown);
      made.type = "button";
      made.addEventListener("click", act);
      return made;
    };
    const back = button("Back to the trace", () => follow(Runs.ofTrace(trace), run.from));
    const copy = trace.ways.command ? [copyButton("Copy for dio-mc step", () => command(run.last))] : [];
    return box.replaceChildren(make("b", "", run.from ? `Another way after step ${run.from}` : "Another way from the start"),
      ...steps, button("Undo", undo), back, ...copy);
  }

  function showWatches(number) {
    if (!trace.live) return;
    const rows = trace.live.watches.map((watch) => {
      const rest = new URLSearchParams(location.search);
      const others = rest.getAll("watch").filter((text) => text !== watch.text);
      rest.delete("watch");
      others.forEach((text) => rest.append("watch", text));
      const away = make("a", "away", "remove");
      away.href = `?${rest}`;
      const value = watch.problem ? make("span", "ahead", watch.problem) : make("b", "", watch.values[Math.min(number, watch.values.length - 1)]);
      return make("li", "", `${watch.text}${watch.problem ? ": " : " = "}`, value, " ", away);
    });
    byId("watches").replaceChildren(rows.length ? make("ul", "list", ...rows) : make("p", "quiet", "None yet. Each has its value at every step."));
  }

  function centre(box, line) {
    const above = line.getBoundingClientRect().top - box.getBoundingClientRect().top;
    box.scrollTop += above - (box.clientHeight - line.offsetHeight) / 2;
  }

  function showSource(number) {
    const at = number ? run.steps[number - 1].at : null;
    document.querySelectorAll(".line.now").forEach((line) => line.classList.remove("now"));
    document.querySelectorAll(".source .dot").forEach((dot) => dot.classList.toggle("here", isOfTrace(number) && dot.hash === `#step=${number}`));
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
    const number = Math.max(0, Math.min(run.last, wanted));
    if (number === current) return;
    current = number;
    byId("number").textContent = number;
    byId("of").textContent = run.last;
    byId("first").disabled = byId("back").disabled = number === 0;
    byId("last").disabled = byId("on").disabled = number === run.last;
    if (byId("slide")) byId("slide").value = number;
    document.querySelectorAll(".line[aria-current]").forEach((line) => line.removeAttribute("aria-current"));
    showStep(number);
    showState(number);
    showLocks(number);
    showProperties(number);
    showInstead(number);
    showOnward(number);
    showDetour(number);
    showWatches(number);
    showSource(number);
    document.querySelectorAll(".dots .dot").forEach((dot, position) => {
      const isHere = position === number && isOfTrace(number);
      dot.classList.toggle("here", isHere);
      dot.classList.toggle("left", position > run.from);
      if (isHere) dot.setAttribute("aria-current", "step");
      else dot.removeAttribute("aria-current");
    });
    const here = document.querySelector(".dots .here");
    if (here) here.closest(".dots").scrollLeft = here.offsetLeft - here.closest(".dots").clientWidth / 2;
    showRow(number, quietly);
    history.replaceState(null, "", address(number));
    const step = number ? run.steps[number - 1] : null;
    byId("said").textContent = step ? `Step ${number} of ${run.last}, ${trace.threads[step.thread].name}: ${step.text}` : "Start";
  }

  function showRow(number, quietly) {
    document.querySelectorAll("svg.dm g[data-step]").forEach((row) => {
      row.classList.remove("on");
      row.classList.toggle("left", Number(row.dataset.step) > run.from);
    });
    const row = document.querySelector(`svg.dm g[data-step="${number}"]`);
    if (!row || !isOfTrace(number)) return;
    row.classList.add("on");
    const box = row.getBoundingClientRect();
    const wide = window.matchMedia("(min-width: 1001px)").matches;
    const bar = document.querySelector(".stepper").getBoundingClientRect().bottom;
    if (!quietly && wide && (box.top < bar || box.bottom > window.innerHeight)) row.scrollIntoView({ block: "center" });
  }

  function fromHash() {
    const match = /^#step=(\d{1,6})(?:&way=(\d{1,6}(?:\.\d{1,6}){1,100}))?$/.exec(location.hash);
    if (!match) return null;
    const [from, ...own] = match[2] ? match[2].split(".").map(Number) : [0];
    return { number: Number(match[1]), run: (match[2] && Runs.leaving(trace, from, own)) || Runs.ofTrace(trace) };
  }

  // Whether the run of an address is the one that is shown.
  function isShown(other) {
    return other.from === run.from && other.own.join() === run.own.join();
  }

  const KEYS = {
    ArrowRight: () => current + 1, ArrowDown: () => current + 1, j: () => current + 1,
    ArrowLeft: () => current - 1, ArrowUp: () => current - 1, k: () => current - 1,
    Home: () => 0, End: () => run.last,
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
    if (wanted === null) return;
    if (isShown(wanted.run)) go(wanted.number);
    else follow(wanted.run, wanted.number);
  });
  document.addEventListener("keydown", (event) => {
    const inside = event.target instanceof Element ? event.target : document.body;
    if (event.key === "u" && !event.ctrlKey && !event.metaKey && !event.altKey && !inside.closest("input, textarea, select")) undo();
  });
  byId("first").addEventListener("click", () => go(0));
  byId("back").addEventListener("click", () => go(current - 1));
  byId("on").addEventListener("click", () => go(current + 1));
  byId("last").addEventListener("click", () => go(run.last));
  if (byId("slide")) byId("slide").addEventListener("input", (event) => go(Number(event.target.value)));
  document.querySelectorAll("svg.dm g[data-step]").forEach((row) => {
    row.addEventListener("click", () => {
      if (run.own.length) follow(Runs.ofTrace(trace), Number(row.dataset.step));
      else go(Number(row.dataset.step), true);
    });
  });

  // -- copying

  document.querySelectorAll("[data-copy]").forEach((button) => {
    copies(button, () => JSON.parse(byId("copies").textContent)[button.dataset.copy]);
  });

  // A picture a little too wide shrinks; one much too wide scrolls.
  const picture = document.querySelector("svg.dm");
  picture.style.minWidth = `${Math.round(0.8 * picture.viewBox.baseVal.width)}px`;

  const start = fromHash();
  if (start !== null) run = start.run;
  go(start === null ? run.last : start.number, true);
})();
