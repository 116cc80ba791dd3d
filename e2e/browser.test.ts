import { spawn } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type * as declared from "../packages/microserver/browser/datawire.d.ts";
import { watchChild } from "./harness/child.ts";
import { launchBrowser, openContext } from "./harness/console.ts";
import { freePorts } from "@datawire/runtime/testing";
import { RouterProcess } from "./harness/router/router-process.ts";
import { Stack } from "./harness/stack.ts";

/** Pages in a real browser, over WebSocket, at a real router. */
const EXAMPLES = join(import.meta.dirname, "../examples");

/** A page that does what a test says. */
const SCRIPT = '<script type="module">import * as library from "/datawire.js"; globalThis.library = library;</script>';

let stack: Stack;
let router: RouterProcess;
let browser: Browser;
let base: string;

beforeAll(async () => {
  stack = new Stack();
  const services = join(stack.folder, "services");
  await mkdir(join(stack.folder, "blank/web"), { recursive: true });
  await mkdir(services);
  await writeFile(join(stack.folder, "blank/blank.yaml"), "service: //blank\nprotocol: amqp\n");
  await writeFile(
    join(stack.folder, "blank/web/index.html"),
    `<!doctype html><link rel="icon" href="data:," />${SCRIPT}`,
  );
  await symlink(join(stack.folder, "blank/blank.yaml"), join(services, "blank.yaml"));
  for (const name of ["microlog", "microchat"])
    await symlink(join(EXAMPLES, name, `${name}.yaml`), join(services, `${name}.yaml`));
  const [port] = await freePorts(1);
  [router, browser] = await Promise.all([
    RouterProcess.start(stack, { web: `127.0.0.1:${port}`, services_dir: services }),
    launchBrowser(),
  ]);
  base = `https://localhost:${port}`;
});

afterAll(async () => {
  await browser.close();
  await stack.dispose();
});

/** Opens a page that fails the test by what its console says: a violated policy among others. */
async function open(path: string): Promise<{ page: Page; complaints: string[] }> {
  const context = await openContext(browser, { ignoreHTTPSErrors: true, viewport: { width: 800, height: 700 } });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", ({ message }) => complaints.push(message));
  await page.goto(`${base}${path}`);
  return { page, complaints };
}

test("the library sends, asks, listens, pipes and reads topics in a browser", async () => {
  const { page, complaints } = await open("/blank/");
  await page.waitForFunction("globalThis.library");
  const seen = await page.evaluate(async () => {
    const { library } = globalThis as unknown as { library: typeof declared };
    const { connect, MicroserverError, Reject } = library;
    const microserver = await connect({ name: "page" });
    const made: unknown[] = [];
    await microserver.listen("prices", ({ body }) => {
      if (body === "none") throw new Reject("no such book");
      return { book: body, price: 12n, at: new Date(0), bytes: new Uint8Array([1, 2]) };
    });
    const answer = await microserver.request("prices", "Emma");
    made.push(answer.body);
    await microserver.pipeline("orders", "invoices", ({ body }) => ({ body: { invoiceOf: body } }));
    await microserver.send("orders", "x".repeat(300_000));
    for await (const { body } of microserver.subscribe("invoices")) {
      made.push(Object.values(body as { invoiceOf: string }).map((text) => text.length));
      break;
    }
    for (let i = 0; i < 30; i++) await microserver.send("topic/pages", i);
    const last: unknown[] = [];
    for await (const { body } of microserver.subscribe("topic/pages", { from: -25 })) {
      last.push(body);
      if (last.length === 25) break;
    }
    made.push([last[0], last.at(-1)]);
    await microserver.send("prices", "none");
    for await (const { body, annotations } of microserver.subscribe("dead/prices")) {
      made.push([body, annotations["x-opt-datawire-reason"]]);
      break;
    }
    try {
      await microserver.send("$no", 1);
    } catch (error) {
      made.push(error instanceof MicroserverError ? error.code : error);
    }
    made.push(microserver.status.state);
    await microserver.close();
    return made;
  });
  expect(seen).toEqual([
    { book: "Emma", price: 12n, at: new Date(0), bytes: expect.anything() },
    [300_000],
    [5, 29],
    ["none", "no such book"],
    "not_found",
    "connected",
  ]);
  expect(complaints).toEqual([]);
});

test("microchat shows what others say, and the last 25 to who comes later; a router that was killed loses nothing", async () => {
  const ann = await open("/microchat/");
  await ann.page.locator("[data-state=connected]").waitFor();
  const say = async (page: Page, who: string, text: string): Promise<void> => {
    await page.getByLabel("Your name").fill(who);
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };
  for (let i = 0; i < 30; i++) await say(ann.page, "Ann", `line ${i}`);
  const rows = (page: Page) => page.locator("#messages li");
  await rows(ann.page).getByText("line 29").waitFor();

  const bob = await open("/microchat/");
  await rows(bob.page).getByText("line 29").waitFor();
  expect(await rows(bob.page).count()).toBe(25);
  await say(bob.page, "Bob", "<b>hello</b>");
  await rows(ann.page).getByText("<b>hello</b>").waitFor();
  expect(await rows(ann.page).last().locator(".who").textContent()).toBe("Bob");

  await router.end("SIGKILL");
  await ann.page.locator("[data-state=connecting]").waitFor();
  await say(ann.page, "Ann", "while it was away");
  await router.start();
  await rows(bob.page).getByText("while it was away").waitFor();
  expect(await rows(bob.page).getByText("while it was away").count()).toBe(1);
  // What a browser itself says of a connection that it could not have.
  const isRefused = (text: string): boolean => text.includes("WebSocket connection to");
  expect([...ann.complaints, ...bob.complaints].filter((text) => !isRefused(text))).toEqual([]);
});

test("microlog prints what its page sends, publishes it, and the page shows it", async () => {
  const python = watchChild(
    spawn(join(EXAMPLES, "microlog/microlog.py"), [], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DATAWIRE_ROUTER: `localhost:${router.port}` },
    }),
    "microlog.py",
  );
  onTestFinished(async () => {
    python.kill("SIGKILL");
    await python.exited;
  });
  await python.line((line) => line.startsWith("microlog listens"));
  const { page, complaints } = await open("/microlog/");
  await page.locator("[data-state=connected]").waitFor();
  await page.getByLabel("Message", { exact: true }).fill("hello log");
  await page.keyboard.press("Enter");
  expect(await python.line((line) => line.includes("hello"))).toBe("hello log");
  await page.locator("#messages li").getByText("hello log").waitFor();
  expect(await page.locator("#messages li").count()).toBe(1);
  expect(complaints).toEqual([]);
  python.kill("SIGINT");
  expect(await python.exited).toEqual({ code: null, signal: "SIGINT" });
});

test("/ lists the pages of services, and plain HTTP leads there", async () => {
  const context = await openContext(browser, { ignoreHTTPSErrors: true });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(base.replace("https:", "http:"));
  expect(page.url()).toBe(`${base}/`);
  expect(await page.locator(".list a").allTextContents()).toEqual(["blank", "microchat", "microlog"]);
  await page.getByRole("link", { name: "microchat" }).click();
  await page.getByRole("heading", { level: 1, name: "microchat" }).waitFor();
});
