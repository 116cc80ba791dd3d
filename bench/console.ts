/**
 * What Mission Control costs a browser, on a table of many services, while every row changes once a second:
 *
 *     node bench/console.ts [--services 1000] [--each 20] [--callers 200] [--rollouts 100] [--replayed 3600]
 *
 * A real directory in a process of its own, Debian's chromium, and all clients in this process. An hour is replayed by
 * giving the page the changes of as many seconds, one after the other.
 */
import "./harness/no-remains.ts";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import type { CDPSession, Page } from "playwright-core";
import { freePorts } from "@datawire/runtime/testing";
import { launchBrowser } from "../e2e/harness/console.ts";
import { sleep } from "../e2e/harness/wait.ts";
import { buildConsole } from "../scripts/build-console.ts";
import { Crowd } from "./harness/crowd.ts";
import { DirectoryProcess } from "./harness/directory-process.ts";
import { print, printLoad } from "./harness/print.ts";
import { tasksDuring } from "./harness/tasks.ts";
import { describe } from "./stats.ts";

const { values } = parseArgs({
  options: {
    services: { type: "string", default: "1000" },
    each: { type: "string", default: "20" },
    callers: { type: "string", default: "200" },
    rollouts: { type: "string", default: "100" },
    /** Seconds of changes that the page is given at once. */
    replayed: { type: "string", default: "3600" },
  },
});
const services = Number(values.services);
const callers = Number(values.callers);
const rollouts = Number(values.rollouts);
const replayed = Number(values.replayed);
const LOADS = 10;
const CHANGES = 100;
const ROUNDS = 10;

/** Runs in the page before its own script: notes when there are rows, slow interactions and streams. */
const WATCH = `
  window.bench = { usableMs: null, interactions: [], sources: [] };
  new PerformanceObserver((list) => bench.interactions.push(...list.getEntries()
    .filter(({ interactionId }) => interactionId > 0).map(({ duration }) => duration)))
    .observe({ type: "event", durationThreshold: 16, buffered: true });
  const looking = new MutationObserver(() => {
    if (document.querySelector("[data-testid=row]") === null) return;
    bench.usableMs = performance.now();
    looking.disconnect();
  });
  looking.observe(document, { childList: true, subtree: true });
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    constructor(...args) { super(...args); bench.sources.push(this); }
  };
  for (const name of Object.getOwnPropertyNames(Source)) if (!(name in window.EventSource)) window.EventSource[name] = Source[name];
`;

await buildConsole();
const [port = 0] = await freePorts(1);
const directory = await DirectoryProcess.create(port);
const browser = await launchBrowser();
try {
  await directory.start();
  const crowd = await Crowd.gather(directory, { services, each: Number(values.each), callers, rollouts });
  print("table", `${services} services, ${crowd.instances} instances, ${callers} callers, ${rollouts} past rollouts`);
  await run();
  crowd.stop();
} finally {
  await browser.close();
  await directory.dispose();
}
process.exit(0);

async function run(): Promise<void> {
  // What waits within the page is evaluated there, which the policy of the console forbids.
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true });
  const page = await context.newPage();
  await page.addInitScript(WATCH);
  const base = `http://127.0.0.1:${port}/console/`;
  await page.goto(`${base}services`);
  await page.getByTestId("row").first().waitFor();
  await measureSize(page);

  const [paints, usables]: [number[], number[]] = [[], []];
  for (let i = 0; i < LOADS; i++) {
    await page.reload();
    await page.getByTestId("row").first().waitFor();
    paints.push(await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime"));
    usables.push(await page.evaluate<number>("bench.usableMs"));
  }
  print("services, warm", describe("painted", paints, "ms"));
  print("", describe("usable", usables, "ms"));

  await page.locator("[data-testid=row] [data-col=rate][data-value]").first().waitFor();
  await quiet(page, `${services} rows change each second`);
  await interact(page);
  await page.goto(`${base}rollouts`);
  await page.getByTestId("row").first().waitFor();
  print("rollouts", `${rollouts} in the past: ${await elements(page)} elements`);
  await page.goto(`${base}callers`);
  await page.getByTestId("row").first().waitFor();
  print("callers", `${callers}: ${await elements(page)} elements`);
  await fromAnswerToScreen(page, `${base}services/service-1.internal`);
  await page.goto(`${base}services`);
  await page.getByTestId("row").first().waitFor();
  await replay(page, await context.newCDPSession(page));
  printLoad();
}

async function measureSize(page: Page): Promise<void> {
  const source = await page.locator("script[type=module]").getAttribute("src");
  const script = await (await fetch(`http://127.0.0.1:${port}/console/${source}`)).text();
  print("JavaScript", `${(gzipSync(script).length / 1_000).toFixed(0)} kB with gzip`);
}

function elements(page: Page): Promise<number> {
  return page.evaluate("document.querySelectorAll('*').length");
}

/** Looks on while rows change, and nobody does anything. */
async function quiet(page: Page, what: string): Promise<void> {
  const tasks = await tasksDuring(browser, page, () => sleep(20_000));
  print("20 s, looking on", `${what}: ${await elements(page)} elements`);
  print("", tasks);
}

/** Types, sorts, opens and goes back while rows change. */
async function interact(page: Page): Promise<void> {
  await page.evaluate("bench.interactions.length = 0");
  const tasks = await tasksDuring(browser, page, () => use(page));
  const slow = await page.evaluate<number[]>("bench.interactions");
  // Those under 16 ms are not told of.
  const count = ROUNDS * (1 + 2 * 9 + 1 + 1 + 1);
  const all = [...Array.from({ length: Math.max(0, count - slow.length) }, () => 8), ...slow];
  print("interactions, to the next paint", quantiles(all));
  print("", tasks);
}

async function use(page: Page): Promise<void> {
  const search = page.getByRole("searchbox", { name: "Search" });
  for (let i = 0; i < ROUNDS; i++) {
    await search.click();
    await page.keyboard.type("service-1", { delay: 30 });
    for (let j = 0; j < 9; j++) await page.keyboard.press("Backspace");
    await page.getByRole("button", { name: i % 2 === 0 ? "Rate" : "p99" }).click();
    await sleep(200);
    await page.getByTestId("row").nth(3).getByRole("link").click();
    await page.getByTestId("version").first().waitFor();
    await page.getByRole("link", { name: "Services" }).click();
    await page.getByTestId("row").first().waitFor();
  }
}

function quantiles(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms (n=${all.length}; 8 stands for less than 16)`;
}

/** From the answer to a change, as dw gets it, until its effect stands on an open screen. */
async function fromAnswerToScreen(page: Page, url: string): Promise<void> {
  await page.goto(url);
  const key = await page.getByTestId("row").first().getAttribute("data-key");
  await page.evaluate(`
    bench.states = [];
    const state = () => document.querySelector('[data-key="${key}"] [data-col=state]')?.dataset.value;
    let before = state();
    new MutationObserver(() => {
      const now = state();
      if (now === before) return;
      before = now;
      bench.states.push(Date.now());
    }).observe(document, { childList: true, subtree: true, attributes: true, characterData: true });`);
  const took: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    const seen = page.waitForFunction(`bench.states.length > ${i}`, null, { polling: 20 });
    await directory.post(`/v1/instances/${i % 2 === 0 ? "drain" : "resume"}`, { instance: key });
    const answeredMs = Date.now();
    await seen;
    took.push((await page.evaluate<number>(`bench.states[${i}]`)) - answeredMs);
  }
  print("from answer to screen", describe("drain and resume", took, "ms"));
}

/** Gives the page what came in a second again and again, as if an hour went by. */
async function replay(page: Page, cdp: CDPSession): Promise<void> {
  await page.evaluate(`
    bench.recorded = [];
    bench.source = bench.sources.at(-1);
    bench.source.addEventListener("services", ({ data }) => {
      if (bench.recorded.length < 10 && data.startsWith('{"changed"')) bench.recorded.push(data);
    });`);
  await page.waitForFunction("bench.recorded.length === 10", null, { timeout: 60_000 });
  const give = (count: number) =>
    page.evaluate<void>(`(async () => {
      for (let i = 0; i < ${count}; i++) {
        bench.source.dispatchEvent(new MessageEvent("services", { data: bench.recorded[i % 10] }));
        await new Promise(requestAnimationFrame);
      }
    })()`);
  const heap = async (): Promise<number> => {
    await cdp.send("HeapProfiler.collectGarbage");
    return (await cdp.send("Runtime.getHeapUsage")).usedSize / 1e6;
  };
  await give(60);
  const before = await heap();
  const startedMs = performance.now();
  const tasks = await tasksDuring(browser, page, () => give(replayed));
  const seconds = (performance.now() - startedMs) / 1_000;
  const after = await heap();
  const growth = ((after / before - 1) * 100).toFixed(1);
  print(
    `${replayed} s replayed in ${seconds.toFixed(0)} s`,
    `heap ${before.toFixed(1)} MB, then ${after.toFixed(1)} MB: ${growth}%`,
  );
  print("", tasks);
}
