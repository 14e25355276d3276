// Runs after the text of graphviz.js in a worker of its own, without any access to the page.
self.onmessage = async (event) => {
  try {
    const graphviz = await Engine.load();
    self.postMessage({ svg: graphviz.layout(event.data, "svg", "dot") });
  } catch (error) {
    self.postMessage({ error: String(error && error.message || error) });
  }
};
