import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { endpoints } from "@datawire/api";
import type { Browser, BrowserContext, Request } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { accessibilityFaults, desktop, launchBrowser, openPage, row } from "./harness/console.ts";
import { CHECKED_SELDOM, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Each asks for something else. */
const SCREENS = "|services|services/barker|callers|map|logs|rollouts|history|agents|tokens|guard".split("|");

let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let base: string;

beforeAll(async () => {
  stack = new Stack();
  await stack.startDirectory();
  [browser] = await Promise.all([
    launchBrowser(),
    stack.startWatson(CHECKED_SELDOM),
    stack.startSherlock(),
    stack.startInstance({ service: "barker", name: "vm101" }),
    stack.startInstance({ service: "barker", name: "vm102", version: "2" }),
  ]);
  base = `http://127.0.0.1:${(await stack.ports()).directory}/console/`;
  await stack.lists("barker", { vm101: "live", vm102: "live" });
  context = await desktop(browser);
});

afterAll(async () => {
  await browser.close();
  await stack.dispose();
});

const open = (path: string) => openPage(context, `${base}${path}`);

test("services are listed with how they stand, on Overview and on Services, and on the page of each", async () => {
  const { page, complaints } = await open("");
  await eventually(() => expect(page.title()).resolves.toBe("Overview · Mission Control"));
  await row(page, "barker").locator("[data-col=status][data-value=live]").waitFor();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Services" }).click();
  await row(page, "barker").locator("[data-col=held][data-value='1']").waitFor();
  await row(page, "barker").getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: "barker" }).waitFor();
  await row(page, "//barker@vm102").locator("[data-col=role][data-value=held]").waitFor();
  await page.reload();
  await row(page, "//barker@vm101").locator("[data-col=share][data-value='100']").waitFor();
  expect(complaints).toEqual([]);
});

test("a share is edited after its preview, seen by dw, and undone from the notice", async () => {
  const { page, complaints } = await open("services/barker?tab=shares");
  await page.getByRole("button", { name: "Edit shares" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit shares" });
  await dialog.getByRole("combobox", { name: "Add target" }).selectOption("//barker(2)");
  await dialog.getByRole("spinbutton", { name: "//barker(2)" }).fill("25");
  const previewed = dialog.getByTestId("preview").locator('[data-key="//barker(2)"] [data-col=share]');
  await previewed.and(page.locator("[data-value='25']")).waitFor();
  await eventually(() =>
    expect(dialog.getByTestId("command").textContent()).resolves.toBe("dw route set //barker '//barker(2)=25%'"),
  );
  await dialog.getByRole("button", { name: "Set shares" }).click();
  const shown = page.locator('[data-testid=shares][data-key="*"] [data-key="//barker(2)"] [data-col=share]');
  await shown.and(page.locator("[data-value='25']")).waitFor();
  const { stdout } = await stack.dw("route", "list");
  expect(stdout).toMatch(/barker\(2\)\s+25%/);

  await page.getByTestId("notice").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("dialog", { name: "Undo" }).getByRole("button", { name: "Undo" }).click();
  await shown.waitFor({ state: "detached" });
  expect(await stack.read("/v1/routes")).toMatchObject({ routes: [] });
  expect(complaints).toEqual([]);
});

test("what dw changes is on an open screen, without a reload", async () => {
  const { page } = await open("services/barker");
  await stack.dw("instance", "drain", "//barker@vm102");
  await row(page, "//barker@vm102").locator("[data-col=state][data-value=draining]").waitFor();
  await stack.dw("instance", "resume", "//barker@vm102");
  await row(page, "//barker@vm102").locator("[data-col=state][data-value=live]").waitFor();
});

test("a screen whose answers are still on their way says so once", async () => {
  const { page } = await open("");
  await page.route(
    (url) => url.pathname.startsWith("/v1/") && url.pathname !== "/v1/session",
    () => {
      // Neither answered nor refused.
    },
  );
  for (const path of SCREENS) {
    await page.goto(`${base}${path}`);
    await page.getByTestId("loading").waitFor();
    expect([path, await page.getByTestId("loading").count()]).toEqual([path, 1]);
  }
  await page.unrouteAll();
});

test("a directory that is away is said so, its last data stays with its age, changes wait, and it comes back by itself", async () => {
  const { page } = await open("services/barker");
  await row(page, "//barker@vm101").waitFor();
  await context.setOffline(true);
  await page.waitForSelector("html[data-console=offline]");
  await row(page, "//barker@vm101").waitFor();
  await page.getByText("What is shown is of").locator("time[datetime]").waitFor();
  const button = page.getByRole("button", { name: "Edit shares" });
  await eventually(() => expect(button.getAttribute("aria-disabled")).resolves.toBe("true"));
  expect(await accessibilityFaults(page, "offline")).toEqual([]);
  await context.setOffline(false);
  await page.waitForSelector("html[data-console=ready]");
  await eventually(() => expect(button.getAttribute("aria-disabled")).resolves.toBeNull());
});

test("a hidden page lets its stream go, and has caught up once it is shown", async () => {
  const streams = new Set<Request>();
  context.on("request", (request) => {
    if (request.url().includes("/v1/stream")) streams.add(request);
  });
  context.on("requestfailed", (request) => streams.delete(request));
  const { page } = await open("services/barker");
  await row(page, "//barker@vm102").waitFor();
  await eventually(() => expect(streams.size).toBe(1));
  const show = (isHidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
       document.dispatchEvent(new Event("visibilitychange"))`,
    );
  await show(true);
  await eventually(() => expect(streams.size).toBe(0));
  await stack.api.ask(endpoints.drainInstance, { body: { instance: "//barker@vm102" } });
  await show(false);
  await eventually(() => expect(streams.size).toBe(1));
  await row(page, "//barker@vm102").locator("[data-col=state][data-value=draining]").waitFor();
  await stack.api.ask(endpoints.resumeInstance, { body: { instance: "//barker@vm102" } });
  await row(page, "//barker@vm102").locator("[data-col=state][data-value=live]").waitFor();
});

test("where tokens are asked for one signs in, and a viewer sees what they may not do, and who may", async () => {
  const guarded = new Stack();
  try {
    const { directory } = await guarded.ports();
    const settings = { listen: `127.0.0.1:${directory}`, auth: { mode: "token" }, tls: "off" };
    const file = join(guarded.folder, "init.yaml");
    writeFileSync(file, stringify({ ...settings, data_dir: join(guarded.folder, "directory") }));
    const init = guarded.start("directory", ["init", "-c", file]);
    await init.exited;
    guarded.token = init.lines.find((line) => line.startsWith("admin "))?.split(" ")[1] ?? null;
    await guarded.startDirectory([], settings);
    const viewer = await guarded.api.ask(endpoints.createToken, { body: { role: "viewer" } });
    await guarded.api.ask(endpoints.addService, { body: { service: "//barker" } });
    const url = `http://127.0.0.1:${directory}/console/services/barker`;
    const { page, complaints } = await openPage(context, url, "signed-out");
    expect(await accessibilityFaults(page, "sign-in")).toEqual([]);
    await page.getByRole("textbox", { name: "Token" }).fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByRole("textbox", { name: "Token" }).fill(viewer.token ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByTestId("role").and(page.getByText("viewer")).waitFor();
    const button = page.getByRole("button", { name: "Edit shares" });
    await eventually(() => expect(button.getAttribute("aria-disabled")).resolves.toBe("true"));
    await expect(button.getAttribute("title")).resolves.toContain("operator");
    await page.goto(`http://127.0.0.1:${directory}/console/services`);
    await row(page, "barker").waitFor();
    // Another tab signs in as somebody of another table: this one shows nothing of the first any more, and its session is over.
    const [before] = await context.cookies();
    const other = await guarded.dwJson<{ token: string }>("token", "create", "--role", "viewer", "--tenant", "acme");
    const follows = page.waitForRequest((request) => request.url().includes("/v1/stream"));
    const signed = await context.request.post(`http://127.0.0.1:${directory}/v1/session`, {
      data: { token: other.token },
    });
    expect(signed.status()).toBe(200);
    await row(page, "barker").waitFor({ state: "detached" });
    await page.getByText("acme").waitFor();
    await follows;
    const headers = { cookie: `dw_session=${before?.value}` };
    expect((await fetch(`http://127.0.0.1:${directory}/v1/services`, { headers })).status).toBe(401);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForSelector("html[data-console=signed-out]");
    await eventually(async () => expect(await context.cookies()).toEqual([]));
    expect(complaints).toEqual([]);
  } finally {
    await guarded.dispose();
  }
});
