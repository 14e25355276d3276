"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const XLINK = "http://www.w3.org/1999/xlink";

  // -- the filter

  byId("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    document.querySelectorAll(".model").forEach((model) => {
      const whole = model.dataset.words || "";
      let any = false;
      model.querySelectorAll("li").forEach((row) => {
        row.hidden = !words.every((word) => whole.includes(word) || row.dataset.words.includes(word));
        any = any || !row.hidden;
        shown += row.hidden ? 0 : 1;
      });
      model.hidden = !any;
    });
    byId("matches").textContent = words.length ? `${shown} found` : "";
  });

  if (!byId("viewer")) return;

  // -- Graphviz, in a worker that is terminated if it takes too long

  const graphs = new Map(Object.entries(JSON.parse(byId("graphs").textContent)));
  const drawn = new Map();
  const mostSeconds = Number(byId("viewer").dataset.seconds);
  let worker = null;

  // A page opened from a file has no origin and can start only a classic worker, so the module's export becomes a constant.
  function engineText() {
    const text = byId("engine").textContent;
    const at = text.lastIndexOf("export{");
    const name = /([\w$]+) as Graphviz\b/.exec(text.slice(at))[1];
    return `${text.slice(0, at)}\nconst Engine = ${name};\n${byId("worker").textContent}`;
  }

  function layout(dot) {
    return new Promise((done, failed) => {
      if (worker === null) worker = new Worker(URL.createObjectURL(new Blob([engineText()], { type: "text/javascript" })));
      const mine = worker;
      const end = () => {
        mine.terminate();
        if (worker === mine) worker = null;
      };
      const late = setTimeout(() => {
        end();
        failed(new Error(`given up after ${mostSeconds} seconds: too large to draw`));
      }, mostSeconds * 1000);
      mine.onmessage = (event) => {
        clearTimeout(late);
        if (event.data.error === undefined) return done(event.data.svg);
        end();
        return failed(new Error(event.data.error));
      };
      mine.onerror = (event) => {
        clearTimeout(late);
        end();
        failed(new Error(event.message || "the worker ended"));
      };
      // Graphviz has no fonts here: it knows the widths of Courier and Arial, but not the generic names in our files.
      mine.postMessage(dot.replaceAll('fontname="monospace"', 'fontname="Courier"').replaceAll('fontname="sans-serif"', 'fontname="Arial"'));
    });
  }

  // -- copying Graphviz's SVG: only these elements, with only these attributes; links become groups

  const TAGS = new Set(["svg", "g", "title", "path", "polygon", "polyline", "ellipse", "circle", "rect", "line", "text", "tspan",
    "defs", "linearGradient", "radialGradient", "stop"]);
  const ATTRIBUTES = new Set(["id", "class", "width", "height", "viewBox", "transform", "fill", "fill-opacity", "stroke",
    "stroke-width", "stroke-dasharray", "stroke-opacity", "points", "d", "cx", "cy", "rx", "ry", "r", "x", "y", "x1", "y1", "x2",
    "y2", "text-anchor", "font-family", "font-size", "font-weight", "font-style", "text-decoration", "textLength", "offset",
    "stop-color", "gradientUnits", "gradientTransform", "opacity"]);

  function clean(node) {
    if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || node.namespaceURI !== SVG) return null;
    const tag = node.localName === "a" ? "g" : node.localName;
    if (!TAGS.has(tag)) return null;
    const made = document.createElementNS(SVG, tag);
    for (const { name, value } of node.attributes) {
      if (!ATTRIBUTES.has(name) || /url\s*\(\s*['"]?(?!#)/i.test(value)) continue;
      made.setAttribute(name, name === "id" ? `drawn-${value}` : value.replace(/url\(#/g, "url(#drawn-"));
    }
    const tip = node.localName === "a" ? node.getAttributeNS(XLINK, "title") : null;
    if (tip) made.dataset.tip = tip;
    for (const child of node.childNodes) {
      const inner = clean(child);
      if (inner) made.append(inner);
    }
    return made;
  }

  function picture(text) {
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    const root = parsed.documentElement;
    if (root.namespaceURI !== SVG || parsed.querySelector("parsererror")) throw new Error("Graphviz drew nothing");
    const made = clean(root);
    made.setAttribute("role", "img");
    const heading = [...made.querySelectorAll("title")].find((title) => title.parentNode.classList.contains("graph"));
    made.setAttribute("aria-label", `graph ${heading ? heading.textContent : ""}`);
    made.querySelectorAll("title").forEach((title) => title.remove());
    return made;
  }

  // -- showing one

  let current = null;
  let scale = 1;

  function say(text, bad) {
    byId("note").textContent = text;
    byId("note").className = bad ? "bad" : "";
    byId("note").hidden = !text;
  }

  function size(next) {
    const svg = byId("drawing").querySelector("svg");
    if (!svg) return;
    scale = Math.max(0.02, Math.min(6, next));
    svg.setAttribute("width", Math.round(svg.viewBox.baseVal.width * 4 / 3 * scale));
    svg.setAttribute("height", Math.round(svg.viewBox.baseVal.height * 4 / 3 * scale));
  }

  function fit() {
    const svg = byId("drawing").querySelector("svg");
    if (svg) size(Math.min(1, (byId("drawing").clientWidth - 52) / (svg.viewBox.baseVal.width * 4 / 3)));
  }

  async function show(name) {
    if (!graphs.has(name)) return;
    current = name;
    byId("viewer").hidden = false;
    byId("shown").textContent = name;
    byId("drawing").replaceChildren();
    byId("details").hidden = true;
    document.querySelectorAll("[data-graph]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.graph === name));
    });
    history.replaceState(null, "", `#graph=${encodeURIComponent(name)}`);
    byId("shown").focus({ preventScroll: true });
    if (!window.matchMedia("(min-width: 1001px)").matches) byId("viewer").scrollIntoView();
    if (!drawn.has(name)) {
      say("Drawing ...");
      try {
        drawn.set(name, picture(await layout(graphs.get(name))));
      } catch (error) {
        if (current === name) say(`Not drawn: ${error.message}`, true);
        return;
      }
    }
    if (current !== name) return;
    say("");
    byId("drawing").replaceChildren(drawn.get(name));
    fit();
  }

  function close() {
    current = null;
    byId("viewer").hidden = true;
    const pressed = document.querySelector("[data-graph][aria-pressed=true]");
    document.querySelectorAll("[data-graph]").forEach((button) => button.setAttribute("aria-pressed", "false"));
    history.replaceState(null, "", location.pathname + location.search);
    if (pressed) pressed.focus();
  }

  document.querySelectorAll("[data-graph]").forEach((button) => {
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => show(button.dataset.graph));
  });
  byId("in").addEventListener("click", () => size(scale * 1.25));
  byId("out").addEventListener("click", () => size(scale / 1.25));
  byId("fit").addEventListener("click", fit);
  byId("close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && current !== null) close();
  });
  byId("drawing").addEventListener("click", (event) => {
    const part = event.target.closest("[data-tip]");
    byId("drawing").querySelectorAll(".picked").forEach((element) => element.classList.remove("picked"));
    byId("details").hidden = !part;
    if (!part) return;
    part.classList.add("picked");
    byId("details").textContent = part.dataset.tip;
  });

  function fromHash() {
    const match = /^#graph=(.+)$/.exec(location.hash);
    if (!match) return;
    try {
      show(decodeURIComponent(match[1]));
    } catch {
      return;  // not an address of ours
    }
  }
  window.addEventListener("hashchange", fromHash);
  fromHash();
})();
