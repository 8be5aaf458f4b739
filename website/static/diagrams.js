// Draws the diagrams of a page, in the light theme: like figures, they have a ground of their own.
if (!window.diagramsDrawn) {
  window.diagramsDrawn = true;
  mermaid.initialize({ startOnLoad: false, theme: "default" });
  mermaid.run({ querySelector: "pre.mermaid" });
}
