// Draws the pictures of a page with Mermaid, in the page's colours, and again when the reader changes those.

(() => {
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
    const { svg } = await mermaid.render(id, picture.querySelector("script").textContent);
    const frame = picture.querySelector(".picture-drawn");
    frame.innerHTML = svg;
    // On a phone a picture scrolls inside its frame, rather than shrink until nobody can read it.
    const drawn = frame.querySelector("svg");
    drawn.style.minWidth = `${Math.min(drawn.viewBox.baseVal.width, 640)}px`;
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
