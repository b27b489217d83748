// Draws the pictures of a page with Mermaid, in the page's colours, and again when the reader changes those.

(() => {
  // A picture wider than its frame shrinks while letters can be read, from 16 px to about 10, and scrolls from there on.
  const SMALLEST = 0.65;
  const COLUMN = 736; // px: Furo's 46em
  const system = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    const chosen = document.body.dataset.theme; // Furo's: light, dark or auto
    return chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
  };

  async function draw(picture, id) {
    const wanted = theme();
    if (picture.dataset.drawn === wanted) return;
    mermaid.initialize({
      startOnLoad: false,
      theme: wanted === "dark" ? "dark" : "default",
      fontFamily: "sans-serif",
      flowchart: { useMaxWidth: true },
    });
    const frame = picture.querySelector(".picture-drawn");
    const drawFrom = async (source) => {
      frame.innerHTML = (await mermaid.render(id, source)).svg;
      return frame.querySelector("svg");
    };
    const source = picture.querySelector("script").textContent;
    let drawn = await drawFrom(source);
    // What would be cut off even in the column of a wide page runs from top to bottom instead.
    if (drawn.viewBox.baseVal.width * SMALLEST > COLUMN) drawn = await drawFrom(source.replace("flowchart LR", "flowchart TD"));
    drawn.style.minWidth = `${drawn.viewBox.baseVal.width * SMALLEST}px`;
    picture.dataset.drawn = wanted;
  }

  let last = Promise.resolve();
  function drawAll() {
    document.querySelectorAll(".picture").forEach((picture, index) => {
      last = last.then(() => draw(picture, `picture-${index}`)).catch(console.error);
    });
  }

  drawAll();
  system.addEventListener("change", drawAll);
  new MutationObserver(drawAll).observe(document.body, { attributeFilter: ["data-theme"] });
})();
