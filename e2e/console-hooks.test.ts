import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessibilityFaults, desktop, launchBrowser, openPage, row } from "./harness/console.ts";
import { RouterProcess } from "./harness/router/router-process.ts";
import { CHECKED_SELDOM, Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** The names, roles and hooks that scripts find the console's parts by, screen by screen; and what axe-core says of each. */
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let base: string;
let directory: string;
/** What is shown of traffic is of the last seconds, so that there has to be some all the time. */
let load: Promise<void> = Promise.resolve();
const ended = new AbortController();

beforeAll(async () => {
  stack = new Stack();
  await stack.startDirectory();
  const { directory: port } = await stack.ports();
  directory = `http://127.0.0.1:${port}`;
  base = `${directory}/console/`;
  [browser] = await Promise.all([
    launchBrowser(),
    stack.startWatson(CHECKED_SELDOM),
    stack.startSherlock([], { percentiles: "on" }),
    stack.startInstance({ service: "barker", name: "vm101" }),
    stack.startInstance({ service: "barker", name: "vm102", version: "2" }),
    sendTelemetry(),
  ]);
  await stack.lists("barker", { vm101: "live", vm102: "live" });
  // A problem, a rollout with its history, a token, and requests that somebody counts.
  stack.writeServiceFile("broken", "service: [");
  await post("/v1/rollouts", { target: "//barker(2)", steps: "50%:10m" });
  await post("/v1/tokens", { role: "viewer" });
  await stack.reaches("barker", ["vm101", "vm102"]);
  load = call(await stack.url("/barker/"));
  await eventually(async () => {
    const { edges } = await stack.read<{ edges: { p99: number | null }[] }>("/v1/map?seconds=10");
    if ((edges[0]?.p99 ?? 0) <= 0) throw new Error("wanted latencies on the map");
  });
  context = await desktop(browser);
});

afterAll(async () => {
  ended.abort();
  await load;
  await browser.close();
  await stack.dispose();
});

async function call(url: string): Promise<void> {
  while (!ended.signal.aborted) {
    // That none is lost others see to.
    await fetch(url).then(
      (response) => response.arrayBuffer(),
      () => {},
    );
    await sleep(400);
  }
}

async function post(path: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${directory}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** One request to a service that logs. */
async function logAs(service: string): Promise<void> {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: service } }] };
  const nanos = `${Date.now()}000000`;
  const ids = { traceId: "c".repeat(32), spanId: "00000000000000c1" };
  const span = { ...ids, name: service, kind: 2, startTimeUnixNano: nanos, endTimeUnixNano: nanos };
  await post("/v1/traces", { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
  const record = { ...ids, timeUnixNano: nanos, severityNumber: 9, body: { stringValue: service.repeat(3) } };
  await post("/v1/logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] });
}

/** One request through two services, which fails in the second, with what they logged. */
async function sendTelemetry(): Promise<void> {
  const at = Date.now() - 1_000;
  const nanos = (ms: number): string => `${ms}000000`;
  const resource = (service: string) => ({
    attributes: [
      { key: "service.name", value: { stringValue: service } },
      { key: "service.instance.id", value: { stringValue: "vm101" } },
    ],
  });
  const times = { startTimeUnixNano: nanos(at), endTimeUnixNano: nanos(at + 25) };
  // As a Sherlock tells of a request that it led somewhere.
  const attributes = [
    { key: "datawire.caller", value: { stringValue: "monolith" } },
    { key: "url.path", value: { stringValue: "/barker/loud" } },
  ];
  const span = (spanId: string, parentSpanId: string, name: string, code: number) => {
    const ids = { traceId: TRACE, spanId, parentSpanId };
    return { ...ids, ...times, name, kind: 2, status: { code }, attributes: parentSpanId === "" ? [] : attributes };
  };
  await post("/v1/traces", {
    resourceSpans: [
      { resource: resource("web"), scopeSpans: [{ spans: [span("00000000000000a1", "", "GET /", 0)] }] },
      {
        resource: resource("barker"),
        scopeSpans: [{ spans: [span("00000000000000b1", "00000000000000a1", "bark", 2)] }],
      },
    ],
  });
  const logRecords = [
    { traceId: TRACE, timeUnixNano: nanos(at + 5), severityNumber: 17, body: { stringValue: "no voice" } },
  ];
  await post("/v1/logs", { resourceLogs: [{ resource: resource("barker"), scopeLogs: [{ logRecords }] }] });
}

interface Screen {
  readonly path: string;
  readonly title: string;
  /** Keys of rows, each with its columns; a number sign before those of numbers. */
  readonly rows?: Readonly<Record<string, string>>;
  /** Other hooks, as CSS. */
  readonly hooks?: readonly string[];
}

const SERVICE = "service status primary #live #held #rate #errors #p99";

const SCREENS: readonly Screen[] = [
  {
    path: "",
    title: "Overview",
    rows: { barker: SERVICE },
    hooks: ["[data-testid=problem][data-severity=warning]", "[data-testid=convergence]"],
  },
  { path: "services", title: "Services", rows: { barker: SERVICE } },
  {
    path: "services/barker",
    title: "barker",
    rows: { "//barker@vm101": "instance version state role #share #rate #errors #p99" },
    hooks: ['[data-testid=version][data-key="1"]', '[data-testid=version][data-key="2"]'],
  },
  {
    path: "services/barker?tab=shares",
    title: "barker",
    hooks: [
      '[data-testid=shares][data-key="*"] [data-key="//barker(2)"] [data-col=target][data-value="//barker(2)"]',
      '[data-testid=shares][data-key="*"] [data-key="//barker(2)"] [data-col=share][data-value="50"]',
    ],
  },
  {
    path: "services/barker?tab=traffic",
    title: "barker",
    hooks: ["rate", "errors", "latency"].map((key) => `[data-testid=chart][data-key=${key}][data-series="2"]`),
  },
  { path: "services/barker?tab=settings", title: "barker" },
  { path: "callers", title: "Callers", rows: { monolith: "name kind version #revision #lag #rate" } },
  { path: "map", title: "Map" },
  { path: "map?tab=table", title: "Map", rows: { "monolith>barker": "caller service #rate #errors #p99" } },
  {
    path: "logs",
    title: "Logs & Traces",
    rows: { [TRACE]: "#time service name #spans #errors #duration" },
    hooks: ["[data-testid=dropped]", `[data-key="${TRACE}"] button[aria-expanded=false]`, "button[aria-pressed=true]"],
  },
  {
    path: "logs?tab=messages",
    title: "Logs & Traces",
    hooks: ["time", "level", "service", "text"].map((column) => `[data-testid=row] [data-col=${column}][data-value]`),
  },
  {
    path: `traces/${TRACE}`,
    title: `Trace ${TRACE}`,
    rows: {
      "00000000000000a1": "service name #start #duration status instance",
      "00000000000000b1": "service name #start #duration status instance",
    },
    hooks: ["[data-testid=waterfall][role=treegrid]"],
  },
  { path: "rollouts", title: "Rollouts", rows: { "1": "service target state #step #share" } },
  {
    path: "rollouts/1",
    title: "Rollout of //barker(2)",
    hooks: [
      "[data-testid=rollout-state]",
      '[data-testid=step][data-key="0"][data-state=running]',
      '[data-testid=check][data-key="error-rate <= primary + 1%"][data-state]',
      '[data-testid=chart][data-key=rate][data-series="2"]',
    ],
  },
  {
    path: "history",
    title: "History",
    hooks: ["at", "who", "what", "undone"].map((column) => `[data-testid=row] [data-col=${column}][data-value]`),
  },
  {
    path: "agents",
    title: "Agents",
    rows: {
      "sherlock:monolith": "state version #revision #lag #problems",
    },
    hooks: [
      '[data-testid=row][data-key^="directory:"] [data-col=revision][data-value]',
      '[data-testid=row][data-key^="watson:"] [data-col=state][data-value=connected]',
      "[data-testid=convergence]",
    ],
  },
  {
    path: "tokens",
    title: "Tokens",
    hooks: ["id", "role", "created"].map((column) => `[data-testid=row] [data-col=${column}][data-value]`),
  },
  { path: "guard", title: "Guard", hooks: ["[data-testid=empty]"] },
  { path: "nowhere", title: "Not found", hooks: ["[data-testid=empty]"] },
];

test.each(SCREENS)("$path: its name, rows and hooks, and nothing for axe-core to find", async (screen) => {
  const { path, title, rows = {}, hooks = [] } = screen;
  const { page, complaints } = await openPage(context, `${base}${path}`);
  await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  await eventually(() => expect(page.title()).resolves.toBe(`${title} · Mission Control`));
  await expect(page.locator("h1").count()).resolves.toBe(1);
  for (const [key, columns] of Object.entries(rows)) {
    for (const name of columns.split(" ")) {
      const at = row(page, key)
        .locator(`[data-col=${name.replace("#", "")}][data-value]`)
        .first();
      await at.waitFor();
      if (name.startsWith("#"))
        expect([key, name, Number(await at.getAttribute("data-value"))]).not.toContain(Number.NaN);
    }
  }
  for (const hook of hooks) await page.locator(hook).first().waitFor();
  await page.getByTestId("loading").waitFor({ state: "detached" });
  await expect(accessibilityFaults(page, path)).resolves.toEqual([]);
  expect(complaints).toEqual([]);
});

test("what stands around every screen has its names: navigation, connection, role, theme, menu", async () => {
  // A browser of its own, as it keeps the theme.
  const own = await desktop(browser);
  const { page } = await openPage(own, base);
  const links = page.getByRole("navigation", { name: "Main" }).getByRole("link");
  await expect(links.allTextContents()).resolves.toEqual(
    "Overview|Services|Callers|Map|Logs & Traces|Rollouts|History|Agents|Tokens|Guard".split("|"),
  );
  await page.locator("[data-testid=connection][data-value=ready]").waitFor();
  await expect(page.getByTestId("role").textContent()).resolves.toBe("admin");
  // Chosen is kept, whatever the system says.
  await page.waitForSelector("html[data-theme=light]");
  await page.getByRole("button", { name: "Theme" }).click();
  await page.waitForSelector("html[data-theme=dark]");
  await page.reload();
  await page.waitForSelector("html[data-theme=dark]");
  await page.setViewportSize({ width: 360, height: 800 });
  const menu = page.getByRole("button", { name: "Menu" });
  await menu.click();
  await page.getByRole("link", { name: "Callers" }).click();
  await page.getByRole("heading", { level: 1, name: "Callers" }).waitFor();
  await eventually(() => expect(menu.getAttribute("aria-expanded")).resolves.toBe("false"));
  await own.close();
});

const focused = (page: Page): Promise<string> => page.evaluate("document.activeElement.textContent");

test("all goes by keyboard: screens, search, rows, dialogs; and nothing moves where motion is unwanted", async () => {
  const { page } = await openPage(context, `${base}guard`);
  await page.keyboard.press("Tab");
  await expect(focused(page)).resolves.toBe("Skip to content");
  await page.keyboard.press("Enter");
  await eventually(() => expect(page.evaluate("document.activeElement.id")).resolves.toBe("main"));
  expect(page.url()).toBe(`${base}guard`);
  for (const [key, title] of Object.entries({
    c: "Callers",
    m: "Map",
    l: "Logs & Traces",
    r: "Rollouts",
    h: "History",
    a: "Agents",
    o: "Overview",
    s: "Services",
  })) {
    // Two keys with more than a moment between them, as a busy machine has it, are two keys.
    await eventually(async () => {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor({ timeout: 2_000 });
    });
  }
  await row(page, "barker").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("bark");
  await page.waitForURL("**/services?q=bark");
  await page.keyboard.press("ArrowDown");
  await eventually(() => expect(focused(page)).resolves.toBe("barker"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "barker" }).waitFor();
  await row(page, "//barker@vm101").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  expect(await accessibilityFaults(page, "Keys", "dialog")).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const tab = page.getByRole("tab", { name: "Instances" });
  await tab.focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForURL("**/services/barker?tab=shares");
  await eventually(() => expect(focused(page)).resolves.toBe("Shares"));
  // Back is where one was, with what was searched for.
  await page.goBack();
  await page.goBack();
  await eventually(() => expect(page.getByRole("searchbox", { name: "Search" }).inputValue()).resolves.toBe("bark"));
  await page.emulateMedia({ reducedMotion: "reduce" });
  await eventually(() => expect(page.evaluate("document.getAnimations().length")).resolves.toBe(0));
});

test("charts and the map are tables too, and traces unfold to their messages", async () => {
  const { page, complaints } = await openPage(context, `${base}services/barker?tab=traffic`);
  const chart = page.locator("[data-testid=chart][data-key=rate]");
  await chart.getByRole("button", { name: "Show as table" }).click();
  await chart.getByRole("columnheader", { name: "2" }).waitFor();
  await eventually(() => expect(chart.getByRole("row").count()).resolves.toBeGreaterThan(2));
  await page.goto(`${base}logs?q=nothing-has-this&level=ERROR`);
  await page.getByTestId("empty").getByText("Nothing matches").waitFor();
  await page.getByRole("button", { name: "Show all that is kept" }).click();
  await row(page, TRACE).waitFor();
  expect(new URL(page.url()).search).toBe("");
  await page.goto(`${base}logs?service=barker&level=ERROR`);
  await row(page, TRACE).getByRole("button").click();
  await row(page, TRACE).locator("button[aria-expanded=true]").waitFor();
  await page.locator("[data-testid=row] [data-col=text]").getByText("no voice").waitFor();
  await row(page, TRACE).getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: `Trace ${TRACE}` }).waitFor();
  await page.getByTestId("waterfall").waitFor();
  await page.getByRole("button", { name: "Next error" }).click();
  await eventually(() => expect(focused(page)).resolves.toContain("bark"));
  await page.getByRole("button", { name: "Explain" }).click();
  const dialog = page.getByRole("dialog", { name: "Explain" });
  await dialog.getByText("monolith asked for barker/loud, and vm101 took it").waitFor();
  // The rollout began after it.
  await dialog.getByText("change of barker since: it may have met other routes").waitFor();
  await dialog.locator('[data-key="//barker(2)"] [data-col=share][data-value="50"]').waitFor();
  await expect(dialog.getByTestId("command").textContent()).resolves.toBe("dw explain //monolith //barker /loud");
  expect(await accessibilityFaults(page, "Explain", "dialog")).toEqual([]);
  expect(complaints).toEqual([]);
});

const HEAD_OF: Readonly<Record<string, string>> = {
  waterfall: "[data-testid=waterfall] thead",
  messages: "[aria-label='Messages of this trace'] thead",
};

/** Whether a head stands right below the header of the page, above all else. */
const headIsShown = (selector = ""): string => `(() => {
  const head = document.querySelector("${selector}").getBoundingClientRect();
  const top = document.querySelector(".header").getBoundingClientRect().bottom;
  const there = document.elementFromPoint(innerWidth / 2, head.top + head.height / 2);
  return Math.abs(head.top - top) <= 2 && there?.closest("${selector}") !== null;
})()`;

test("of a long trace what is in view is drawn, and Next error goes to what is not", async () => {
  const traceId = "a".repeat(32);
  const at = Date.now() - 1_000;
  const many = Array.from({ length: 300 }, (_, i) => ({ i, time: `${at + i}000000`, isLast: i === 299 }));
  const spans = many.map(({ i, time, isLast }) => ({
    traceId,
    spanId: String(i + 1).padStart(16, "0"),
    ...(i > 0 && { parentSpanId: "1".padStart(16, "0") }),
    name: `span ${i}`,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    status: { code: isLast ? 2 : 1 },
  }));
  const logRecords = many.map(({ i, time, isLast }) => ({
    traceId,
    timeUnixNano: time,
    severityNumber: isLast ? 17 : 9,
    body: { stringValue: `long message ${i}` },
  }));
  await post("/v1/traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] });
  await post("/v1/logs", { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  const { page, complaints } = await openPage(context, `${base}traces/${traceId}`);
  await page.getByText("300 spans").waitFor();
  expect(await page.getByTestId("row").count()).toBeLessThan(200);
  for (const [width, colorScheme, dir] of [
    [1280, "light", "ltr"],
    [390, "dark", "ltr"],
    [390, "light", "rtl"],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(`document.documentElement.dir = "${dir}"`);
    for (const table of ["waterfall", "messages"]) {
      await page.evaluate(`document.querySelector("${HEAD_OF[table]}").closest(".table-frame").scrollIntoView()`);
      await page.evaluate("window.scrollBy(0, 3_000)");
      // The head of the table is what is there below the header, and not a row.
      await eventually(async () =>
        expect([width, dir, table, await page.evaluate(headIsShown(HEAD_OF[table]))]).toEqual([
          width,
          dir,
          table,
          true,
        ]),
      );
    }
  }
  await page.evaluate("document.documentElement.removeAttribute('dir'); window.scrollTo(0, 0)");
  await page.setViewportSize({ width: 1280, height: 800 });
  const next = page.getByRole("button", { name: "Next error" });
  for (const last of ["span 299", "long message 299"]) {
    await next.click();
    await eventually(() => expect(focused(page)).resolves.toContain(last));
  }
  expect(complaints).toEqual([]);
  await page.close();
});

/**
 * Has time go by for a page whose clock is installed. What it asks meanwhile is answered: many seconds at once would be
 * a directory that says nothing for so long.
 */
function passing(page: Page): (ms: number) => Promise<void> {
  const unanswered = new Set<Request>();
  page.on("request", (request) => {
    // A stream has no end.
    if (!request.url().includes("/v1/stream?")) unanswered.add(request);
  });
  page.on("requestfinished", (request) => unanswered.delete(request));
  page.on("requestfailed", (request) => unanswered.delete(request));
  return async (ms) => {
    for (let leftMs = ms; leftMs > 0; leftMs -= 5_000) {
      await page.clock.runFor(Math.min(leftMs, 5_000));
      await eventually(() => expect(unanswered.size).toBe(0));
    }
  };
}

test("an open trace is asked for again while it may grow, and is sent again only where it has", async () => {
  const page = await context.newPage();
  const asked: number[] = [];
  const sendSpan = (traceId: string, spanId: string, atMs: number) => {
    const time = `${atMs}000000`;
    const span = { traceId, spanId, name: spanId, startTimeUnixNano: time, endTimeUnixNano: time };
    return post("/v1/traces", { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  };
  const [young, old] = ["d".repeat(32), "e".repeat(32)];
  const pass = passing(page);
  page.on("response", (response) => {
    if (response.url().includes("/v1/traces/")) asked.push(response.status());
  });
  await sendSpan(young, "1".repeat(16), Date.now());
  await page.goto(`${base}traces/${young}`);
  await page.getByText("1 span", { exact: true }).waitFor();
  await eventually(() => expect(asked).toEqual([200, 304, 304]));
  await sendSpan(young, "2".repeat(16), Date.now());
  await page.getByText("2 spans", { exact: true }).waitFor();

  await page.clock.install();
  // A minute without anything new: the last answer says so, and none follows.
  await pass(70_000);
  await eventually(() => expect(asked.at(-1)).toBe(304));
  const quiet = asked.length;
  await pass(30_000);
  expect(asked.length).toBeLessThanOrEqual(quiet + 1);

  await sendSpan(old, "1".repeat(16), Date.now() - 7_200_000);
  asked.length = 0;
  await page.goto(`${base}traces/${old}`);
  await page.getByText("1 span", { exact: true }).waitFor();
  await pass(30_000);
  expect(asked).toEqual([200]);
  await sendSpan(old, "2".repeat(16), Date.now() - 7_200_000);
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("2 spans", { exact: true }).waitFor();
  expect(asked.filter((status) => status === 200)).toHaveLength(2);
  await page.close();
});

test("live, what is sent is on the screen by the stream, in its place; the rest is read on as one scrolls", async () => {
  const { page, complaints } = await openPage(context, `${base}logs?tab=messages&q=counted`);
  await page.getByTestId("empty").waitFor();
  const at = Date.now() - 60_000;
  const records = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      timeUnixNano: `${at + from + i}000000`,
      severityNumber: 9,
      body: { stringValue: `counted ${from + i}` },
    }));
  const send = (from: number, count: number) =>
    post("/v1/logs", { resourceLogs: [{ resource: {}, scopeLogs: [{ logRecords: records(from, count) }] }] });
  await send(0, 450);
  await page.getByText("counted 449", { exact: true }).waitFor();
  await send(450, 1);
  await page.getByText("counted 450", { exact: true }).waitFor();
  const texts = () => page.locator("[data-testid=row] [data-col=text]").allTextContents();
  await eventually(async () =>
    expect((await texts()).slice(0, 2).map((text) => text.trim())).toEqual(["counted 450", "counted 449"]),
  );
  await eventually(async () => {
    await page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)");
    expect((await texts()).at(-1)?.trim()).toBe("counted 0");
  });
  // Of hundreds of rows those in view alone are drawn.
  expect(await page.getByTestId("row").count()).toBeLessThan(120);
  await page.getByRole("button", { name: "Live" }).click();
  await page.waitForURL("**live=off**");
  expect(complaints).toEqual([]);
});

test("where a router is connected, Messaging shows its addresses, what does not move there, and why", async () => {
  const { page, complaints } = await openPage(context, base);
  const link = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Messaging" });
  await expect(link.count()).resolves.toBe(0);
  const router = await RouterProcess.start(stack, { directories: [await stack.directoryAddress()] });
  await link.click();
  await page.getByRole("heading", { level: 1, name: "Messaging" }).waitFor();
  const sent = await stack.dw("send", "//orders", "nobody reads this", "--router", `127.0.0.1:${router.port}`);
  expect(sent).toMatchObject({ code: 0 });
  const orders = page.locator("[data-testid=row]:has([data-col=address][data-value=orders])");
  await orders.locator("[data-col=state][data-value=stalled]").getByText("nobody receives").waitFor();
  await orders.locator("[data-col=messages][data-value='1']").waitFor();
  expect(await accessibilityFaults(page, "messaging")).toEqual([]);
  await page.goto(`${base}agents`);
  await row(page, "router:localhost").waitFor();
  expect(complaints).toEqual([]);
});

/** How many pixels the page, and a table in it, is wider than there is room. */
const BEYOND = `(() => {
  const beyond = (one) => one.scrollWidth - one.clientWidth;
  const frames = [...document.querySelectorAll("main .table-frame:not(.graph-frame)")];
  return { page: beyond(document.documentElement), tables: Math.max(0, ...frames.map(beyond)) };
})()`;

test("names as long as they may be scroll no screen sideways at 360 px, and take no column out of sight at 1280", async () => {
  const [name, version] = ["n".repeat(100), `2.${"7".repeat(98)}`];
  const { url } = await stack.startInstance({ service: "long", name: "long" });
  for (const [i, each] of ["1", version].entries())
    stack.writeServiceFile(`long-${i}`, {
      service: `//${name}`,
      version: each,
      instance: `${i}${"i".repeat(99)}`,
      url,
    });
  await stack.lists(name, { [`0${"i".repeat(99)}`]: "live", [`1${"i".repeat(99)}`]: "live" });
  await post("/v1/rollouts", { target: `//${name}(2)`, from: `//${"c".repeat(100)}`, steps: "50%:10m" });
  await logAs(name);
  const { rollouts } = await stack.read<{ rollouts: { id: string; service: string }[] }>("/v1/rollouts");
  const id = rollouts.find(({ service }) => service === name)?.id ?? "";
  const paths = SCREENS.map(({ path }) => path.replace("services/barker", `services/${name}`))
    .map((path) => path.replace("rollouts/1", `rollouts/${id}`))
    .concat(`traces/${"c".repeat(32)}`);
  const found: string[] = [];
  for (const width of [360, 1280]) {
    for (const path of paths) {
      const { page } = await openPage(context, `${base}${path}`);
      await page.setViewportSize({ width, height: 800 });
      await page.getByTestId("loading").waitFor({ state: "detached" });
      const over = await page.evaluate<{ page: number; tables: number }>(BEYOND);
      if (over.page > 0) found.push(`${path} at ${width}: ${over.page}`);
      if (width === 1280 && over.tables > 0) found.push(`a table of ${path}: ${over.tables}`);
    }
  }
  expect(found).toEqual([]);
});
