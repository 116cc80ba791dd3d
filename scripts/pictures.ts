// Draws the pictures of the documentation from the running product:
//   node scripts/pictures.ts [--png FOLDER]
// A shop of a few services runs on this machine under load, a browser opens its console, and what stands there is written
// as SVG into docs/pictures; with --png, screenshots of the same beside it, to compare.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../e2e/harness/console.ts";
import { buildConsole } from "./build-console.ts";
import { PICTURES, type Picture } from "./pictures/list.ts";
import { Shop } from "./pictures/shop.ts";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, "docs/pictures");
const DRAW = readFileSync(join(import.meta.dirname, "pictures/draw.js"), "utf8");

const { png } = parseArgs({ options: { png: { type: "string" } } }).values;

await buildConsole();
mkdirSync(FOLDER, { recursive: true });
const shop = new Shop();
let browser: Browser | null = null;
try {
  await shop.start();
  const { directory } = await shop.stack.ports();
  const base = `http://127.0.0.1:${directory}/console/`;
  await shop.settled();
  browser = await launchBrowser();
  for (const picture of PICTURES) await take(browser, base, picture);
} finally {
  await browser?.close();
  await shop.stop();
}

async function take(
  browser: Browser,
  base: string,
  { name, path, theme, width, height, prepare }: Picture,
): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
  await page.goto(`${base}${typeof path === "string" ? path : await path(shop)}`);
  await page.locator("html[data-console=ready] h1").waitFor();
  await page.getByTestId("loading").waitFor({ state: "detached" });
  await prepare?.(page);
  await draw(page, name);
  await page.close();
}

async function draw(page: Page, name: string): Promise<void> {
  const svg = await page.evaluate<string>(DRAW);
  writeFileSync(join(FOLDER, `${name}.svg`), svg);
  console.log(`docs/pictures/${name}.svg: ${Math.ceil(svg.length / 1024)} kB`);
  if (png === undefined) return;
  mkdirSync(png, { recursive: true });
  await page.screenshot({ path: join(png, `${name}.png`) });
}
