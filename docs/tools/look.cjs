// Looks at pages of the site in Chromium, wide and narrow, light and dark, and says what it saw.
//
//   look.cjs --unpack                    unpack the browser, so that several can use it at once
//   look.cjs URL [URL …]                 a line of JSON for each page and look at it
//
// On Linux the browser is @sparticuz/chromium, which brings the libraries and fonts that it needs. It has no build for
// other systems or for ARM: there, Google Chrome has to be installed.

const path = require("node:path");

const HERE = path.resolve(__dirname, "../../.venv-site");
const modules = require("node:module").createRequire(path.join(HERE, "package.json"));
const WIDTHS = [1280, 390];
const THEMES = ["light", "dark"];

async function browser() {
  if (process.platform !== "linux" || process.arch !== "x64") return { channel: "chrome" };
  // It unpacks into the folder for temporary files, its libraries only where it takes this for Lambda.
  process.env.TMPDIR = path.join(HERE, "browser");
  process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs22.x";
  require("node:fs").mkdirSync(process.env.TMPDIR, { recursive: true });
  process.env.FONTCONFIG_PATH = path.join(process.env.TMPDIR, "fonts");
  const { default: chromium } = modules("@sparticuz/chromium");
  return { executablePath: await chromium.executablePath() };
}

// Runs in the page.
function seen() {
  // Furo's column scrolls as well: with it the text would move, so it does not count.
  const scrolls = (element) =>
    element &&
    !element.matches("article, body") &&
    (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  const name = (element) => `${element.tagName.toLowerCase()}: ${element.textContent.trim().slice(0, 60)}`;
  return {
    pictures: [...document.querySelectorAll(".picture")].map((picture) => {
      const drawn = picture.querySelector("svg");
      const box = drawn?.getBoundingClientRect();
      const shape = drawn?.querySelector(".node :is(rect, path, polygon, circle)");
      const label = drawn?.querySelector(".nodeLabel");
      return {
        width: box?.width ?? 0,
        height: box?.height ?? 0,
        fill: shape && getComputedStyle(shape).fill,
        letters: label && getComputedStyle(label).color,
        cutOff: picture.scrollWidth - picture.clientWidth,
        scale: drawn ? box.width / drawn.viewBox.baseVal.width : 0,
      };
    }),
    code: document.querySelectorAll("article .highlight pre").length,
    copyButtons: document.querySelectorAll("article .highlight button.copybtn").length,
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    tooWide: [...document.querySelectorAll("article *, footer *")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element.parentElement))
      .map(name),
    splitNames: [...document.querySelectorAll("article td a code .pre")]
      .filter((element) => element.getClientRects().length > 1)
      .map(name),
    excerpts: [...document.querySelectorAll("#search-results .context")].map((each) => each.textContent),
  };
}

async function look(page, url) {
  const errors = [];
  const elsewhere = [];
  page.removeAllListeners("request");
  page.removeAllListeners("pageerror");
  page.removeAllListeners("console");
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && host !== new URL(url).host) elsewhere.push(request.url());
  });
  await page.setViewport({ width: WIDTHS[0], height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: THEMES[0] }]);
  await page.goto(url, { waitUntil: "load" });
  if (new URL(url).search) await page.waitForNetworkIdle(); // excerpts are read from the pages found
  for (const theme of THEMES) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    await page
      .waitForFunction(
        (wanted) => [...document.querySelectorAll(".picture")].every((picture) => picture.dataset.drawn === wanted),
        { timeout: 10_000 },
        theme,
      )
      .catch(() => errors.push(`pictures not drawn for ${theme}`));
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: 900 });
      const facts = { url, theme, width, ...(await page.evaluate(seen)), errors, elsewhere };
      process.stdout.write(`${JSON.stringify(facts)}\n`);
    }
  }
}

async function main(urls) {
  const found = await browser();
  if (urls[0] === "--unpack") return;
  // Chromium refuses to run as root with its sandbox. What it opens is this site and nothing else.
  const chromium = await modules("puppeteer-core").launch({ ...found, headless: "shell", args: ["--no-sandbox"] });
  try {
    const page = await chromium.newPage();
    for (const url of urls) await look(page, url);
  } finally {
    await chromium.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
