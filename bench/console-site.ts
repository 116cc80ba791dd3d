/**
 * What Mission Control costs at a large site: 10,000 services with long names, 24,000 instances of which 50 change each
 * second, 200 callers with 10,000 calls, routes, rollouts, problems:
 *
 *     node bench/console-site.ts [--services 10000] [--seconds 10] [--tabs 10] [--part screens,dw,slow,killed,tabs]
 *
 * A real directory in a process of its own, Debian's chromium, and all clients in this process. Times are as long as a
 * clock says; of the directory and the page CPU is told, which other work beside them does not change.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
import { freePorts } from "@datawire/runtime/testing";
import { sleep } from "../e2e/harness/wait.ts";
import { buildConsole } from "../scripts/build-console.ts";
import { DirectoryProcess } from "./harness/directory-process.ts";
import { print, printLoad } from "./harness/print.ts";
import "./harness/no-remains.ts";
import { LARGE, serviceName, Site } from "./harness/site.ts";
import { tasksDuring } from "./harness/tasks.ts";

const { values } = parseArgs({
  options: {
    services: { type: "string", default: String(LARGE.services) },
    seconds: { type: "string", default: "10" },
    tabs: { type: "string", default: "10" },
    part: { type: "string", default: "screens,dw,slow,killed,tabs" },
  },
});
const seconds = Number(values.seconds);
const parts = values.part.split(",");
const SCREENS = ["", "services", "callers", "map", "map?tab=table", "agents", "history", "rollouts"];
const DW = [
  ["status"],
  ["service", "list"],
  ["service", "show", serviceName(1)],
  ["route", "list"],
  ["explain", "//*", serviceName(1)],
  ["top", "--once"],
];
/** As a mobile phone far out has it. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 125_000, uploadThroughput: 125_000 };
const SLOW_MS_MAX = 90_000;

await buildConsole();
const [port = 0] = await freePorts(1);
const base = `http://127.0.0.1:${port}/console/`;
const directory = await DirectoryProcess.create(port);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  await directory.start();
  const site = new Site(directory, { ...LARGE, services: Number(values.services) });
  await site.gather();
  print(
    "table",
    `${site.size.services} services, ${site.instances.length} instances; ${site.size.changes} change a second`,
  );
  site.live();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true });
  context.setDefaultTimeout(SLOW_MS_MAX);
  if (parts.includes("screens")) await screens(context);
  if (parts.includes("dw")) commands();
  if (parts.includes("slow")) await slowLink(context);
  if (parts.includes("killed")) await killed(context, site);
  if (parts.includes("tabs")) await tabs();
  printLoad();
  site.leave();
} finally {
  await browser.close();
  await directory.dispose();
}
process.exit(0);

/** A page that counts what it is sent. */
async function openPage(context: BrowserContext) {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  const counted = { bytes: 0 };
  await cdp.send("Network.enable");
  await cdp.send("Performance.enable");
  cdp.on("Network.dataReceived", ({ encodedDataLength }) => void (counted.bytes += encodedDataLength));
  return { page, cdp, counted };
}

async function shown(page: Page, screen: string): Promise<void> {
  await page.goto(`${base}${screen}`);
  await page.waitForSelector("html[data-console=ready] h1");
  await page.waitForFunction("document.querySelector('[data-testid=loading]') === null");
}

/** How long the page has computed, in seconds. */
async function pageCpu(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
}

function elements(page: Page): Promise<number> {
  return page.evaluate("document.querySelectorAll('*').length");
}

async function screens(context: BrowserContext): Promise<void> {
  const { page, cdp, counted } = await openPage(context);
  const idle = await directoryCpu();
  print("directory with nobody there", idle);
  for (const screen of SCREENS) {
    counted.bytes = 0;
    const startedMs = performance.now();
    await shown(page, screen);
    const shownMs = performance.now() - startedMs;
    const first = counted.bytes;
    await sleep(3_000);
    counted.bytes = 0;
    const before = await pageCpu(cdp);
    const cpu = await directoryCpu();
    const busy = (((await pageCpu(cdp)) - before) / seconds) * 100;
    const rate = counted.bytes / seconds / 1_000;
    await cdp.send("HeapProfiler.collectGarbage");
    const heap = (await cdp.send("Runtime.getHeapUsage")).usedSize / 1e6;
    print(
      screen === "" ? "overview" : screen,
      `shown after ${shownMs.toFixed(0)} ms and ${(first / 1_000).toFixed(0)} kB, then ${rate.toFixed(1)} kB/s; page ${busy.toFixed(1)}% of a core, ${heap.toFixed(1)} MB of heap, ${await elements(page)} elements; directory ${cpu}`,
    );
  }
  await shown(page, "services");
  print("services, looked on", await tasksDuring(browser, page, () => sleep(10_000)));
  const search = page.getByRole("searchbox", { name: "Search" });
  print(
    "typing and deleting",
    await tasksDuring(browser, page, async () => {
      await search.click();
      await page.keyboard.type("ledger 0004", { delay: 30 });
      for (let i = 0; i < 11; i++) await page.keyboard.press("Backspace");
    }),
  );
  print(
    "sorting",
    await tasksDuring(browser, page, async () => {
      for (const name of ["Rate", "p99", "Service", "Status"]) {
        await page.getByRole("button", { name, exact: true }).click();
        await sleep(500);
      }
    }),
  );
  await page.close();
}

/** CPU of the directory over some seconds. */
async function directoryCpu(): Promise<string> {
  const [before, startedMs] = [await directory.cpuMs(), performance.now()];
  await sleep(seconds * 1_000);
  return `${((((await directory.cpuMs()) - before) / (performance.now() - startedMs)) * 100).toFixed(1)}% of a core`;
}

function commands(): void {
  const dw = join(import.meta.dirname, "../node_modules/.bin/dw");
  for (const words of DW) {
    const startedMs = performance.now();
    const { stdout, status } = spawnSync(dw, ["-d", `//127.0.0.1:${port}`, ...words], {
      encoding: "utf8",
      maxBuffer: 100_000_000,
    });
    const ms = performance.now() - startedMs;
    print(
      `dw ${words.slice(0, 2).join(" ")}`,
      `${ms.toFixed(0)} ms, ${stdout.split("\n").length - 1} lines, ends with ${status}`,
    );
  }
}

async function slowLink(context: BrowserContext): Promise<void> {
  const { page, cdp } = await openPage(context);
  await shown(page, "history");
  await cdp.send("Network.emulateNetworkConditions", SLOW);
  const startedMs = performance.now();
  await page.getByRole("link", { name: "Services" }).first().click();
  const came = await page
    .getByTestId("row")
    .filter({ hasText: "worker-" })
    .first()
    .waitFor({ timeout: SLOW_MS_MAX })
    .then(() => `${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
    .catch(() => `nothing within ${SLOW_MS_MAX / 1_000} s`);
  print("services over 1 Mbit/s", came);
  await page.close();
}

async function killed(context: BrowserContext, site: Site): Promise<void> {
  const { page } = await openPage(context);
  await shown(page, "services?q=00007");
  site.stop();
  await directory.kill();
  await page.waitForSelector("html[data-console=offline]");
  const stays = await page.getByTestId("row").count();
  await directory.start();
  const startedMs = performance.now();
  await page.waitForSelector("html[data-console=ready]");
  const readyMs = performance.now() - startedMs;
  await site.join();
  site.live();
  await page.getByTestId("row").first().waitFor();
  print("killed and started again", `${stays} rows stay meanwhile; ready ${readyMs.toFixed(0)} ms after the directory`);
  await page.close();
}

/** As many people, each with a browser of their own; then all of them look elsewhere. */
async function tabs(): Promise<void> {
  const pages = await Promise.all(
    Array.from({ length: Number(values.tabs) }, async () => openPage(await browser.newContext({ bypassCSP: true }))),
  );
  const startedMs = performance.now();
  for (const { page } of pages) await shown(page, "");
  print(`${pages.length} consoles`, `all shown after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  await sleep(5_000);
  print("", `directory ${await directoryCpu()}, ${(await directory.memoryMb()).toFixed(0)} MB`);
  const hide = (isHidden: boolean) =>
    `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
     document.dispatchEvent(new Event("visibilitychange"))`;
  for (const { page } of pages) await page.evaluate(hide(true));
  await sleep(2_000);
  for (const each of pages) each.counted.bytes = 0;
  print("hidden", `directory ${await directoryCpu()}`);
  print("", `${pages.reduce((sum, { counted }) => sum + counted.bytes, 0)} bytes were sent to them`);
  for (const { page } of pages) await page.close();
}
