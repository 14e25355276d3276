"use strict";
// Runs of a page: the trace itself, and others that leave it at a step and continue with steps that the page contains.
const Runs = (() => {
  function withStates(trace, run) {
    run.last = run.steps.length;
    run.values = [trace.cells.map((cell) => cell.value)];
    run.writers = [trace.cells.map(() => 0)];
    run.steps.forEach((step, position) => {
      const state = run.values[position].slice();
      const wrote = run.writers[position].slice();
      for (const [cell, after] of step.changes) {
        state[cell] = after;
        wrote[cell] = position + 1;
      }
      run.values.push(state);
      run.writers.push(wrote);
    });
    return run;
  }

  // `own`: the numbers of the options taken since step `from`; `positions`: those of `trace.ways`, by state.
  function ofTrace(trace) {
    return withStates(trace, {
      steps: trace.steps, from: trace.steps.length, own: [], properties: trace.properties, blocked: trace.blocked,
      positions: trace.ways ? trace.ways.along : [],
    });
  }

  function optionsAt(trace, position) {
    return position === null || position === undefined ? null : trace.ways.positions[position][0];
  }

  function step(trace, position, index) {
    const [options, waiting] = trace.ways.positions[position];
    const [statement, , changes, , fault, , choice] = options[index];
    const [thread, text, calls, anchor, place, at] = trace.ways.statements[statement];
    const instead = options.filter((_, other) => other !== index).map((other) => {
      const [whose, what] = trace.ways.statements[other[0]];
      return { thread: whose, name: "", text: what, fault: other[4] };
    });
    const blocked = waiting.map(([whose, what]) => ({ thread: whose, name: "", text: what }));
    return { thread, text, calls, anchor, place, at, changes, instead, blocked, fault, choice };
  }

  // The run that takes the first `from` steps of the trace and then these options; null if the page has no such run.
  function leaving(trace, from, own) {
    if (!trace.ways || from > trace.steps.length || from >= trace.ways.along.length || !own.length) return null;
    const steps = trace.steps.slice(0, from);
    const positions = trace.ways.along.slice(0, from + 1);
    const properties = trace.properties.map((property) => ({
      ...property, at: property.at.filter((n) => n <= from), unknown: property.unknown.filter((n) => n <= from),
    }));
    for (const index of own) {
      const here = positions.at(-1);
      const options = optionsAt(trace, here);
      if (!options || !options[index]) return null;
      const [, , , target, , ofStep] = options[index];
      steps.push(step(trace, here, index));
      positions.push(target);
      const [, , at, unknown] = target === null ? [null, null, [], []] : trace.ways.positions[target];
      for (const n of [...at, ...ofStep]) properties[n].at.push(steps.length);
      for (const n of unknown) properties[n].unknown.push(steps.length);
    }
    const end = positions.at(-1);
    const waiting = end === null ? [] : trace.ways.positions[end][1];
    const blocked = waiting.map(([thread, text]) => ({ thread, name: "", text }));
    return withStates(trace, { steps, from, own, properties, blocked, positions });
  }

  // The option that a run takes in its state `number`; null if it ends there.
  function taken(trace, run, number) {
    if (number >= run.last) return null;
    return number < run.from ? trace.ways.taken[number] : run.own[number - run.from];
  }

  // The run that takes option `index` in state `number` of this run.
  function taking(trace, run, number, index) {
    if (taken(trace, run, number) === index) return run;
    const from = Math.min(number, run.from);
    return leaving(trace, from, [...run.own.slice(0, Math.max(0, number - run.from)), index]);
  }

  // The schedule of the first `number` steps, as `dio-mc step` reads it.
  function schedule(trace, run, number) {
    const parts = [];
    for (let n = 0; n < number; n++) {
      const segment = optionsAt(trace, run.positions[n])[taken(trace, run, n)][1];
      const before = parts.at(-1);
      if (before && before.segment === segment && !segment.includes(":")) before.count++;
      else parts.push({ segment, count: 1 });
    }
    return parts.map(({ segment, count }) => (count > 1 ? `${segment} ${count}` : segment)).join("; ");
  }

  return { ofTrace, leaving, taken, taking, optionsAt, schedule };
})();

// The status of properties at a state of a run.
const Standing = (() => {
  const HOPED = new Set(["reachable", "always_reachable", "progress"]);

  // A property's status at a state: [look, sign, word].
  function at(run, property, number) {
    if (property.unknown.includes(number)) return ["open", "?", "undecided"];
    const isAt = property.at.includes(number);
    if (HOPED.has(property.kind)) return isAt ? ["good", "\u2713", "reached"] : ["open", "\u00b7", "not here"];
    if (property.kind === "step" && number === 0) return ["open", "\u00b7", "speaks of steps"];
    if (number && run.steps[number - 1].fault) return ["open", "\u00b7", "no state"];
    return isAt ? ["bad", "\u2717", "violated"] : ["good", "\u2713", "holds"];
  }

  // The first step at which an invariant was violated, up to this one; null if there is none.
  function violatedBefore(property, number) {
    if (HOPED.has(property.kind)) return null;
    const earlier = property.at.filter((at) => at < number);
    return earlier.length ? Math.min(...earlier) : null;
  }

  // Whether a property forbids something; others require that something can happen.
  function isRule(property) {
    return !HOPED.has(property.kind);
  }

  // A remark on the result of taking an option, shown before it is taken.
  function outlook(trace, option) {
    const [, , , target, fault, ofStep] = option;
    if (fault) return `fault ${fault}`;
    const [, , at, , , dead] = trace.ways.positions[target];
    const wrong = [...ofStep, ...at].map((n) => trace.properties[n]).filter((property) => isRule(property));
    return [...(dead ? ["deadlock"] : []), ...wrong.map((property) => `violates ${property.name}`)].join(", ");
  }

  return { at, isRule, outlook, violatedBefore };
})();
