import { endpoints } from "@datawire/api";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { cell, desktop, launchBrowser, openPage, row } from "./harness/console.ts";
import { openRawLink, type RawLink } from "./harness/raw-link.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** More than any window shows, and few enough to be there at once. */
const SERVICES = 2_000;
/** Of what is shown of a table, whatever its size. */
const ELEMENTS_MAX = 3_000;

let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let directory: Child;
let watson: RawLink;
let base: string;

const nameOf = (i: number): string =>
  `payments.settlement-reconciliation-worker-${String(i).padStart(5, "0")}.eu-central`;

function instance(i: number, state: "live" | "down" = "live"): object {
  const url = `http://10.0.${Math.floor(i / 250)}.${1 + (i % 250)}:8000`;
  return { service: nameOf(i), name: `vm${i}`, version: "1", url, state, reason: state === "live" ? null : "503" };
}

beforeAll(async () => {
  stack = new Stack();
  [browser, directory] = await Promise.all([launchBrowser(), stack.startDirectory()]);
  const { directory: port } = await stack.ports();
  base = `http://127.0.0.1:${port}/console/`;
  watson = await openRawLink(port, { kind: "watson", name: "vm1", id: "identity-of-vm1" });
  const registered = watson.next(({ type }) => type === "registered");
  const instances = Array.from({ length: SERVICES }, (_, i) => instance(i, i === 1_234 ? "down" : "live"));
  watson.send({ type: "register", seq: 1, instances });
  await registered;
  context = await desktop(browser);
});

afterAll(async () => {
  await browser.close();
  await stack.dispose();
});

const elements = (page: Page): Promise<number> => page.evaluate("document.querySelectorAll('*').length");

test("of thousands of services few are drawn, they come once and packed, and what changes is there without a reload", async () => {
  const requests: Request[] = [];
  context.on("request", (request) => requests.push(request));
  const { page, complaints } = await openPage(context, `${base}services`);
  await row(page, nameOf(0)).waitFor();
  expect(await elements(page)).toBeLessThan(ELEMENTS_MAX);
  const paths = requests.map((request) => new URL(request.url()).pathname);
  expect(paths.filter((path) => path === "/v1/services")).toEqual([]);
  const streams = requests.filter((request) => new URL(request.url()).pathname === "/v1/stream");
  expect(streams).toHaveLength(1);
  const headers = await (await streams[0]?.response())?.allHeaders();
  expect(headers).toMatchObject({ "content-encoding": "gzip", "content-type": "text/event-stream" });
  watson.send({ type: "update", seq: 2, instances: [instance(0, "down")], gone: [] });
  await cell(row(page, nameOf(0)), "status", "down").waitFor();
  expect(complaints).toEqual([]);
});

test("the search and the filter find one of thousands", async () => {
  const { page } = await openPage(context, `${base}services`);
  await page.getByRole("searchbox", { name: "Search" }).fill("settlement 01999");
  await row(page, nameOf(1_999)).waitFor();
  await eventually(() => expect(page.getByTestId("row").count()).resolves.toBe(1));
  await page.getByRole("searchbox", { name: "Search" }).fill("");
  await page.getByRole("combobox", { name: "Status" }).selectOption("down");
  await row(page, nameOf(1_234)).waitFor();
});

test("a directory that was killed is followed again by what is open, with all that it has then", async () => {
  const { page } = await openPage(context, `${base}services?q=00007`);
  await row(page, nameOf(7)).waitFor();
  directory.kill("SIGKILL");
  await page.waitForSelector("html[data-console=offline]");
  await row(page, nameOf(7)).waitFor();
  await directory.exited;
  await stack.startDirectory();
  await page.waitForSelector("html[data-console=ready]");
  await stack.api.ask(endpoints.addService, { body: { service: "//later-00007" } });
  await row(page, "later-00007").waitFor();
  await row(page, nameOf(7)).waitFor();
});
