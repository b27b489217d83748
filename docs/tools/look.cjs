// Looks at pages of the site in Chromium, wide and narrow, light and dark, and says what it saw.
//
//   look.cjs --unpack                    unpack the browser, so that several can use it at once
//   look.cjs URL [URL …]                 a line of JSON for each page and look at it
//   look.cjs --choose URL                on a phone: a line of JSON for each answer of the chooser that asks no more
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
  // Its own settings look for fonts in folders of Lambda; without a font, it crashes.
  const fonts = path.join(process.env.TMPDIR, "fonts");
  process.env.FONTCONFIG_FILE = path.join(process.env.TMPDIR, "fonts.conf");
  const settings = `<fontconfig><dir>${fonts}</dir><cachedir>${fonts}/cache</cachedir></fontconfig>\n`;
  require("node:fs").writeFileSync(`${process.env.FONTCONFIG_FILE}.${process.pid}`, settings);
  require("node:fs").renameSync(`${process.env.FONTCONFIG_FILE}.${process.pid}`, process.env.FONTCONFIG_FILE);
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

// Clicks through to each last answer, and says after how many clicks what is to be read.
async function choose(page, url) {
  await page.setViewport({ width: WIDTHS[1], height: 900 });
  await page.goto(url, { waitUntil: "load" });
  const last = "article details:not(:has(details))";
  const count = (await page.$$(last)).length;
  for (let number = 0; number < count; number += 1) {
    await page.goto(url, { waitUntil: "load" });
    const end = (await page.$$(last))[number];
    const summaries = await end.evaluateHandle((element) => {
      const path = [];
      for (let each = element; each; each = each.parentElement.closest("details"))
        path.unshift(each.querySelector("summary"));
      return path;
    });
    const path = [...(await summaries.getProperties()).values()].map((each) => each.asElement());
    for (const summary of path) await summary.click();
    const facts = await end.evaluate((element) => {
      const said = element.querySelector("p");
      const leadsTo = said.querySelector("a")?.getAttribute("href") ?? null;
      return { said: said.checkVisibility() ? said.textContent : "", leadsTo };
    });
    process.stdout.write(`${JSON.stringify({ clicks: path.length, ...facts })}\n`);
  }
}

async function main(urls) {
  const found = await browser();
  if (urls[0] === "--unpack") return;
  // Chromium refuses to run as root with its sandbox. What it opens is this site and nothing else.
  const chromium = await modules("puppeteer-core").launch({ ...found, headless: "shell", args: ["--no-sandbox"] });
  try {
    const page = await chromium.newPage();
    if (urls[0] === "--choose") await choose(page, urls[1]);
    else for (const url of urls) await look(page, url);
  } finally {
    await chromium.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
