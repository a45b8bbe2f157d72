// Does a forge show what `istio-scrape explain -o markdown` prints? Renders it in Chromium: the tables by a renderer of
// GitHub Flavored Markdown, the pictures by Mermaid in the versions that forges use. Pictures of the pages are in
// target/browser/. What cannot be asked of a forge itself: what it makes links of; so everything that it might is code.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import markdownIt from "markdown-it";
import { chromium } from "playwright-core";
import { inputs } from "./inputs.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "../..");
const program = process.env.ISTIO_SCRAPE ?? join(repository, "target/release/istio-scrape");
const data = process.env.ISTIO_SCRAPE_DATA ?? join(repository, "../shared");
const out = process.env.ISTIO_SCRAPE_PICTURES ?? join(repository, "target/browser");
const browserProgram = process.env.CHROMIUM ?? "/usr/bin/chromium";

const COMMENT = 65536;
const RULES = /^https:\/\/[^/]+\/istio-scrape\/istio-scrape#rules$/;
const ELEMENTS = new Set("H3 P STRONG TABLE THEAD TBODY TR TH TD CODE BR A DETAILS SUMMARY PRE".split(" "));
const VERSIONS = ["mermaid-10", "mermaid-11", "mermaid-12"];
const SCREENSHOTS = VERSIONS.at(-1);

// Colours and measures of a comment on GitHub, roughly.
const STYLE = `
  body { margin: 0; padding: 16px; width: 780px; font: 14px/1.5 sans-serif; color: var(--text); background: var(--ground); }
  body.light { --text: #1f2328; --ground: #fff; --line: #d1d9e0; --code: #818b981f; --link: #0969da; }
  body.dark { --text: #f0f6fc; --ground: #0d1117; --line: #3d444d; --code: #656c7633; --link: #4493f8; }
  table { border-collapse: collapse; display: block; overflow: auto; margin-bottom: 16px; }
  th, td { border: 1px solid var(--line); padding: 6px 13px; text-align: left; vertical-align: top; }
  code { background: var(--code); padding: .2em .4em; border-radius: 6px; font-size: 85%; white-space: break-spaces; }
  a { color: var(--link); text-decoration: none; }
  .mermaid svg { display: block; margin: auto; }`;

const wrong = [];
const check = (name, is, what) => { if (!is) wrong.push(`${name}: ${what}`); };

function markdownOf(input) {
  const ended = spawnSync(program, ["explain", "-o", "markdown", ...(input.arguments ?? [])], {
    cwd: input.folder, input: input.stdin ?? "", encoding: "utf8", maxBuffer: 1 << 28,
  });
  if (ended.error) throw ended.error;
  check(input.name, ended.status === 0, `exit code ${ended.status}: ${ended.stderr}`);
  return ended.stdout;
}

// The text of a label as Mermaid writes it: entity codes for all that is no letter.
const plain = (label) => label.replaceAll("<br/>", "\n").replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

// What the source of a picture says, read without Mermaid.
function said(source) {
  const labels = [...source.matchAll(/^ {2}n\d+\["(.*)"\]$/gm)].map((found) => plain(found[1]));
  return { labels, edges: [...source.matchAll(/^ {2}n\d+ \S/gm)].length };
}

// In the page: the picture in the place of its source.
async function drawn(theme) {
  mermaid.initialize({ startOnLoad: false, theme: theme === "dark" ? "dark" : "default" });
  const source = document.querySelector("code.language-mermaid");
  if (!source) return undefined;
  const { svg } = await mermaid.render(`picture-${theme}`, source.textContent);
  const box = document.createElement("div");
  box.className = "mermaid";
  box.innerHTML = svg;
  source.parentElement.replaceWith(box);
  const of = (selector) => [...box.querySelectorAll(selector)];
  const size = box.querySelector("svg").getBoundingClientRect();
  return {
    labels: of("g.node").map((node) => node.textContent),
    edges: of("path.flowchart-link").length,
    strange: of("script, img, a, i, iframe, .katex, [onerror], [onclick]").map((one) => one.outerHTML.slice(0, 80)),
    size: [Math.round(size.width), Math.round(size.height)],
    natural: box.querySelector("svg").viewBox.baseVal.width,
  };
}

// In the page: what is there apart from the picture.
function shown() {
  const elements = [...document.body.querySelectorAll("*")];
  const words = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest("code, pre, a")) words.push(walker.currentNode.textContent);
  }
  const tables = [...document.querySelectorAll("table")].map((table) => [...table.rows].map((row) => row.cells.length));
  return {
    elements: elements.map((one) => one.tagName), words: words.join("\n"), tables,
    attributes: elements.flatMap((one) => [...one.attributes].map((a) => a.name)),
    links: elements.filter((one) => one.tagName === "A").map((one) => one.getAttribute("href")),
  };
}

const same = (a, b) => JSON.stringify([...a].map(squeezed).sort()) === JSON.stringify([...b].map(squeezed).sort());
// Line breaks of a label are no text in the picture, and word joiners are not seen.
const squeezed = (text) => text.replace(/[\s\u2060]+/g, "");

// All inputs with one version of Mermaid, in one theme.
async function rendered(browser, version, theme, given) {
  const page = await browser.newPage({ viewport: { width: 812, height: 600 } });
  let name;
  page.on("dialog", (dialog) => { check(name, false, `a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => check(name, false, `asks for ${request.url()}`));
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>${STYLE}</style><body class="${theme}">`);
  await page.addScriptTag({ path: join(here, "node_modules", version, "dist/mermaid.min.js") });
  for (const input of given) {
    name = `${input.name} (${version}, ${theme})`;
    await page.evaluate((html) => { document.body.innerHTML = html; }, input.html);
    const there = await page.evaluate(shown);
    check(name, there.elements.every((one) => ELEMENTS.has(one)), `elements ${[...new Set(there.elements)].filter((one) => !ELEMENTS.has(one))}`);
    check(name, there.attributes.every((one) => ["href", "class"].includes(one)), `attributes ${[...new Set(there.attributes)]}`);
    check(name, there.links.every((link) => RULES.test(link)), `links ${[...new Set(there.links)]}`);
    const acts = /@\w|#\d|\bGH-\d|https?:|www\.|[$~*_<>&|`]|:\w+:/.exec(there.words);
    check(name, !acts, `text that a forge may act on: ${acts?.[0]} in ${acts?.input.slice(Math.max(0, acts.index - 40), acts.index + 40)}`);
    for (const rows of there.tables) check(name, rows.every((cells) => cells === rows[0]), `a table with rows of ${[...new Set(rows)]} cells`);
    const source = /^```mermaid\n([^]*?)^```$/m.exec(input.markdown)?.[1];
    const picture = await page.evaluate(drawn, theme).catch((error) => { check(name, false, error.message.split("\n")[0]); });
    if (source && picture) {
      const { labels, edges } = said(source);
      check(name, picture.labels.length === labels.length, `${picture.labels.length} nodes instead of ${labels.length}`);
      check(name, picture.edges === edges, `${picture.edges} edges instead of ${edges}`);
      check(name, same(picture.labels, labels), `labels differ: ${JSON.stringify(picture.labels.map(squeezed).filter((one) => !labels.map(squeezed).includes(one)).slice(0, 3))}`);
      check(name, picture.strange.length === 0, `in the picture: ${picture.strange}`);
      input.figures = `${labels.length} nodes, ${edges} edges, ${picture.size.join("×")} of ${Math.round(picture.natural)} wide`;
    }
    if (version === SCREENSHOTS) await photographed(page, join(out, `${input.name}-${theme}`), picture);
  }
  await page.close();
}

async function photographed(page, file, picture) {
  const { width, height } = await page.evaluate(() => ({ width: innerWidth, height: document.documentElement.scrollHeight }));
  await page.screenshot({ path: `${file}.png`, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, 3000) } });
  if (picture) await page.locator(".mermaid").screenshot({ path: `${file}-picture.png` });
}

mkdirSync(out, { recursive: true });
// `html` as forges take it, `linkify` as they link addresses by themselves.
const renderer = markdownIt({ html: true, linkify: true });
const began = Date.now();
const browser = await chromium.launch({
  executablePath: browserProgram, chromiumSandbox: false,
  args: "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" "),
});
try {
  const all = inputs(repository, data);
  for (const { name, missing } of all.filter((input) => input.missing)) {
    const line = `did not run: tests/browser, ${name}: ${missing}\n`;
    if (process.env.ISTIO_SCRAPE_NOT_RUN) appendFileSync(process.env.ISTIO_SCRAPE_NOT_RUN, line);
    else process.stderr.write(line);
  }
  const given = all.filter((input) => !input.missing);
  for (const input of given) {
    input.markdown = markdownOf(input);
    input.html = renderer.render(input.markdown);
    writeFileSync(join(out, `${input.name}.md`), input.markdown);
    check(input.name, input.markdown.length <= COMMENT, `${input.markdown.length} characters`);
    check(input.name, input.markdown.startsWith("### istio-scrape: "), "no heading");
  }
  const light = VERSIONS.map((version) => rendered(browser, version, "light", given));
  await Promise.all([...light, rendered(browser, SCREENSHOTS, "dark", given)]);
  for (const { name, markdown, figures } of given) {
    console.log(`${name}: ${markdown.length} characters; ${figures ?? "no picture"}`);
  }
} finally {
  await browser.close();
}
console.log(`${VERSIONS.join(", ")}: ${((Date.now() - began) / 1000).toFixed(1)} s; pictures in ${out}`);
if (wrong.length) {
  console.error(wrong.join("\n"));
  process.exitCode = 1;
}
