"use strict";
// Creating elements, and copying to the clipboard.
const Page = (() => {
  const byId = (id) => document.getElementById(id);

  // Every text of the model goes into the page through here, as text.
  function make(tag, look, ...children) {
    const element = document.createElement(tag);
    if (look) element.className = look;
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

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

  function copies(button, text) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const done = await put(text());
      button.textContent = done ? "Copied" : "The browser refused";
      byId("said").textContent = button.textContent;
      setTimeout(() => { button.textContent = label; }, 1500);
    });
    return button;
  }

  function copyButton(label, text) {
    const button = make("button", "copy", label);
    button.type = "button";
    return copies(button, text);
  }

  return { byId, make, copies, copyButton };
})();
