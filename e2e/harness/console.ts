import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";

/** A bound for what never comes; half a minute, which is the usual one, is not enough on a busy machine. */
const HANGS_MS = 120_000;

/** A page of the console, with what its browser complained of: a violated policy among others. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: string[];
}

/** Chromium as Debian has it: without what only a screen needs, which takes half the CPU, or else all of it. */
const BROWSERS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"] as const;

/** Starts the machine's browser. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = BROWSERS.find((path) => existsSync(path)) ?? BROWSERS[1];
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A browser's profile, with the tests' patience. */
export async function openContext(browser: Browser, options: BrowserContextOptions): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(HANGS_MS);
  return context;
}

/** A browser's window as most have it. */
export function desktop(browser: Browser): Promise<BrowserContext> {
  return openContext(browser, { viewport: { width: 1280, height: 800 }, colorScheme: "light" });
}

const complaintsOf = new WeakMap<Page, string[]>();

/**
 * Opens a page of the console in the window of a profile, and waits until it stands. What was open there is left: a window
 * of its own for each page makes a process for each, which costs more than twice of what the page itself does.
 * @param url below `/console/`
 */
export async function openPage(context: BrowserContext, url: string, phase = "ready"): Promise<OpenPage> {
  const page = context.pages()[0] ?? (await openWindow(context));
  const complaints = complaintsOf.get(page) ?? [];
  complaints.length = 0;
  // As in a new one, whatever was tried in it before.
  await page.emulateMedia({ colorScheme: "light", reducedMotion: null });
  await page.goto(url);
  await page.waitForSelector(`html[data-console=${phase}] h1`);
  return { page, complaints };
}

async function openWindow(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  const complaints: string[] = [];
  complaintsOf.set(page, complaints);
  page.on("console", (message) => {
    // What the directory refuses the browser writes down by itself.
    if (/the server responded with a status of 4/.test(message.text())) return;
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", ({ message }) => complaints.push(message));
  return page;
}

/** A row of a table by its key. */
export const row = (page: Page | Locator, key: string): Locator =>
  page.locator(`[data-testid=row][data-key=${JSON.stringify(key)}]`);

/** A cell that says so. */
export const cell = (of: Locator, column: string, value: string | number): Locator =>
  of.locator(`[data-col=${column}][data-value=${JSON.stringify(String(value))}]`);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");

/** What depends on the width of the window, beside the colours. */
const BY_WIDTH = ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"];
const BY_THEME = ["color-contrast"];

/**
 * What axe-core finds on a page as it stands, at both widths and in both themes, and whether the page scrolls sideways
 * on a phone. All rules run once; again only those that the other theme or width can change.
 * @param within a selector; default: all of it
 */
export async function accessibilityFaults(page: Page, where: string, within = "html"): Promise<string[]> {
  const found: string[] = [];
  const runs: readonly (readonly [theme: "light" | "dark", width: number, rules: readonly string[] | null])[] = [
    ["light", 1280, null],
    ["dark", 360, BY_WIDTH],
    // A dialog has the same parts at both widths.
    ...(within === "html"
      ? ([
          ["dark", 1280, BY_THEME],
          ["light", 360, BY_THEME],
        ] as const)
      : []),
  ];
  await page.evaluate(AXE);
  for (const [theme, width, rules] of runs) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: 800 });
    await page.waitForSelector(`html[data-theme=${theme}]`);
    const which = rules === null ? { rules: { "target-size": { enabled: true } } } : { runOnly: rules };
    // Of what passes nobody asks for the places, which take it a fifth of its time to describe.
    const options = { ...which, resultTypes: ["violations"] };
    const violations = await page.evaluate<{ id: string; nodes: { target: string[] }[] }[]>(
      `axe.run(${JSON.stringify(within)}, ${JSON.stringify(options)}).then(({ violations }) => violations)`,
    );
    for (const { id, nodes } of violations)
      found.push(`${where}, ${theme}, ${width}: ${id} at ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
    const beyond = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    if (beyond !== 0) found.push(`${where}, ${width}: scrolls sideways by ${String(beyond)}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  return found;
}
