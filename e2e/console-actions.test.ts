import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { endpoints } from "@datawire/api";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { accessibilityFaults, cell, desktop, launchBrowser, openPage, row } from "./harness/console.ts";
import { CHECKED_SELDOM, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** Every change of the console: its dialog, the directory's preview, the command that does the same, and its undo. */
let stack: Stack;
let browser: Browser;
let context: BrowserContext;
let base: string;
let watson: Child;

beforeAll(async () => {
  stack = new Stack();
  await stack.startDirectory([], { lease: "5s", guard: { share: "10%", minimum: 1 } });
  [browser, watson] = await Promise.all([
    launchBrowser(),
    stack.startWatson(CHECKED_SELDOM),
    stack.startInstance({ service: "barker", name: "vm101" }),
    stack.startInstance({ service: "barker", name: "vm102", version: "2" }),
    stack.startInstance({ service: "barker", name: "vm103", version: "2" }),
  ]);
  base = `http://127.0.0.1:${(await stack.ports()).directory}/console/`;
  await stack.lists("barker", { vm101: "live", vm102: "live", vm103: "live" });
  context = await desktop(browser);
});

afterAll(async () => {
  await browser.close();
  await stack.dispose();
});

interface Walk {
  readonly button: Locator;
  readonly title: string;
  readonly confirm: string;
  readonly isAlert?: boolean;
  /** Fills its fields in. */
  readonly fill?: (dialog: Locator) => Promise<void>;
  readonly command: string;
  /** What the preview says. */
  readonly preview: (preview: Locator) => Locator;
}

/** Goes through one dialog: opened, left by Esc, opened again, previewed, looked at by axe-core, and confirmed. Returns once its notice is there. */
async function walk(page: Page, steps: Walk): Promise<void> {
  const { button, title, confirm, isAlert = false, fill, command, preview } = steps;
  const role = isAlert ? "alertdialog" : "dialog";
  const dialog = page.getByRole(role, { name: title, exact: true });
  await button.click();
  await dialog.waitFor();
  if (isAlert)
    await eventually(() => expect(page.evaluate("document.activeElement.textContent")).resolves.toBe("Cancel"));
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await eventually(() =>
    expect(button.evaluate((element) => element === element.ownerDocument.activeElement)).resolves.toBe(true),
  );
  await button.click();
  await fill?.(dialog);
  await preview(dialog.getByTestId("preview")).waitFor();
  await eventually(() => expect(dialog.getByTestId("command").textContent()).resolves.toBe(command));
  await run(command, "--dry-run");
  await expect(accessibilityFaults(page, title, "dialog")).resolves.toEqual([]);
  const [last] = (await dialog.getByRole("button").all()).slice(-1);
  await expect(last?.textContent()).resolves.toBe(confirm);
  await last?.click();
  await dialog.waitFor({ state: "detached" });
  await page.getByTestId("notice").first().waitFor();
  await page.getByRole("button", { name: "Dismiss" }).first().click();
}

/** Runs the command of a dialog as a shell reads it. */
async function run(command: string, ...more: readonly string[]): Promise<void> {
  const dw = join(stack.folder, "dw.mjs");
  // Of the shell, the words alone: the command itself is run as the tests run it.
  writeFileSync(dw, "process.stdout.write(JSON.stringify(process.argv.slice(2)))");
  const script = command.replace(/^dw /, `"${process.execPath}" "${dw}" `);
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", script]);
  const words = JSON.parse(stdout) as string[];
  const { code, stderr } = await stack.dw(...words, ...more);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
}

const shares = (preview: Locator, target: string, percent: number): Locator =>
  preview.locator(`[data-key="${target}"] [data-col=share][data-value="${percent}"]`);

test("shares are set for those that a condition names, and the route is removed", async () => {
  const { page, complaints } = await openPage(context, `${base}services/barker`);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  await walk(page, {
    button: button("Edit shares"),
    title: "Edit shares",
    confirm: "Set shares",
    async fill(dialog) {
      await dialog.getByRole("combobox", { name: "Add target" }).selectOption("//barker(2)");
      await dialog.getByRole("spinbutton", { name: "//barker(2)" }).fill("20");
      await dialog.getByRole("textbox", { name: "Condition" }).fill("header:X-Beta=1");
      await dialog.getByRole("textbox", { name: "Ends after" }).fill("2h");
    },
    command: "dw route add //barker '//barker(2)' 20% --when header:X-Beta=1 --for 2h",
    preview: (preview) => preview.getByText("//barker(2)").first(),
  });
  await page.getByRole("tab", { name: "Shares" }).click();
  await walk(page, {
    button: button("Remove route"),
    title: "Remove route",
    confirm: "Remove",
    isAlert: true,
    command: "dw route remove //barker '//barker(2)'",
    preview: (preview) => shares(preview, "//barker", 100),
  });
  await eventually(async () => expect(await stack.read("/v1/routes")).toMatchObject({ routes: [] }));
  expect(complaints).toEqual([]);
});

test("an instance is drained and resumed", async () => {
  const { page, complaints } = await openPage(context, `${base}services/barker`);
  const drained = row(page, "//barker@vm102");
  for (const [verb, state] of [
    ["Drain", "draining"],
    ["Resume", "live"],
  ] as const) {
    await walk(page, {
      button: drained.getByRole("button", { name: verb }),
      title: verb,
      confirm: verb,
      command: `dw instance ${verb.toLowerCase()} //barker@vm102`,
      preview: (preview) => shares(preview, "//barker", 100),
    });
    await cell(drained, "state", state).waitFor();
  }
  expect(complaints).toEqual([]);
});

test("a balance policy is set, as dw would", async () => {
  const { page, complaints } = await openPage(context, `${base}services/barker`);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  await walk(page, {
    button: button("Set balance"),
    title: "Set balance",
    confirm: "Set balance",
    fill: async (dialog) => void (await dialog.getByRole("combobox", { name: "Balance" }).selectOption("random")),
    command: "dw service set //barker --balance random",
    preview: (preview) => preview.getByText("random"),
  });
  await page.getByText("balance random").waitFor();
  const { history } = await stack.read<{ history: unknown }>("/v1/routes/history");
  await run("dw service set //barker --balance random");
  // All was so already.
  expect(await stack.read("/v1/routes/history")).toMatchObject({ history });
  expect(complaints).toEqual([]);
});

test("a version is promoted, and that is undone from the history", async () => {
  const { page, complaints } = await openPage(context, `${base}services/barker`);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  await walk(page, {
    button: button("Promote"),
    title: "Promote",
    confirm: "Promote",
    fill: async (dialog) => void (await dialog.getByRole("combobox", { name: "Version" }).selectOption("2")),
    command: "dw service promote '//barker(2)'",
    preview: (preview) => preview.getByText("the primary, version 2"),
  });
  await cell(row(page, "//barker@vm102"), "role", "primary").waitFor();
  await page.getByRole("link", { name: "History" }).click();
  await walk(page, {
    button: button("Undo"),
    title: "Undo",
    confirm: "Undo",
    command: "dw route undo",
    preview: (preview) => preview.getByText("the primary, version 1"),
  });
  await page.locator("[data-testid=row] [data-col=undone][data-value='1']").waitFor();
  expect(complaints).toEqual([]);
});

test("a rollout is started with all that it can be told, paused, resumed, taken a step on, and aborted", async () => {
  const { page, complaints } = await openPage(context, `${base}services/barker`);
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  await walk(page, {
    button: button("Start rollout"),
    title: "Start rollout",
    confirm: "Start",
    async fill(dialog) {
      await dialog.getByRole("combobox", { name: "Target" }).selectOption("//barker(2)");
      await dialog.getByRole("textbox", { name: "Steps" }).fill("1%:5m,10%:5m,50%:5m");
      await dialog.getByRole("textbox", { name: "Checks" }).fill("error-rate <= 1%, p99 <= 300ms");
      await dialog.getByRole("combobox", { name: "No data" }).selectOption("pause");
      await dialog.getByRole("combobox", { name: "Undecided" }).selectOption("fail");
      await dialog.getByRole("textbox", { name: "Minimum" }).fill("50");
      await dialog.getByRole("textbox", { name: "Step time-out" }).fill("30m");
      await dialog.getByRole("textbox", { name: "Confidence" }).fill("99.9%");
      await dialog.getByRole("textbox", { name: "Sticky" }).fill("header:X-User");
      await dialog.getByRole("combobox", { name: "Finish" }).selectOption("keep");
    },
    command:
      "dw rollout start '//barker(2)' --steps 1%:5m,10%:5m,50%:5m --check 'error-rate <= 1%' 'p99 <= 300ms' --no-data pause " +
      "--undecided fail --minimum 50 --step-timeout 30m --confidence 99.9% --sticky header:X-User --finish keep",
    preview: (preview) => shares(preview, "//barker(2)", 1),
  });
  await page.getByRole("link", { name: "Rollouts" }).click();
  const { rollouts } = await stack.read<{ rollouts: { id: string }[] }>("/v1/rollouts");
  const id = rollouts[0]?.id ?? "";
  await cell(row(page, id), "state", "running").waitFor();
  await row(page, id).getByRole("link", { name: "//barker(2)" }).click();
  await page.getByRole("heading", { level: 1, name: "Rollout of //barker(2)" }).waitFor();
  const state = (value: string) => page.locator(`[data-testid=rollout-state][data-value=${value}]`);
  const step = (index: number, value: string) =>
    page.locator(`[data-testid=step][data-key="${index}"][data-state=${value}]`);
  await state("running").waitFor();
  await step(0, "running").locator("[data-testid=check]").first().waitFor();
  const because = async (dialog: Locator) => dialog.getByRole("textbox", { name: "Reason" }).fill("it's late");
  for (const [verb, after] of [
    ["Pause", "paused"],
    ["Resume", "running"],
  ] as const) {
    await walk(page, {
      button: button(verb),
      title: verb,
      confirm: verb,
      fill: because,
      command: `dw rollout ${verb.toLowerCase()} ${id} --reason 'it'\\''s late'`,
      preview: (preview) => shares(preview, "//barker(2)", 1),
    });
    await state(after).waitFor();
  }
  await walk(page, {
    button: button("Promote"),
    title: "Promote",
    confirm: "Promote",
    fill: async (dialog) => void (await dialog.getByRole("combobox", { name: "How far" }).selectOption("step")),
    command: `dw rollout promote ${id} --step`,
    preview: (preview) => shares(preview, "//barker(2)", 10),
  });
  await step(1, "running").waitFor();
  await walk(page, {
    button: button("Abort"),
    title: "Abort",
    confirm: "Abort",
    isAlert: true,
    command: `dw rollout abort ${id}`,
    preview: (preview) => shares(preview, "//barker", 100),
  });
  await state("aborted").waitFor();
  await page.getByText("it's late").first().waitFor();
  expect(complaints).toEqual([]);
});

test("where somebody was faster, the change is refused in its dialog, previewed anew, and made by a second confirmation", async () => {
  const { page, complaints } = await openPage(context, `${base}services/barker?tab=shares`);
  await page.getByRole("button", { name: "Edit shares" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit shares" });
  await dialog.getByRole("combobox", { name: "Add target" }).selectOption("//barker(2)");
  await dialog.getByRole("spinbutton", { name: "//barker(2)" }).fill("25");
  await shares(dialog.getByTestId("preview"), "//barker(2)", 25).waitFor();
  await stack.addRoute("//barker", "//barker@vm103", "40%");
  await dialog.getByRole("button", { name: "Set shares" }).click();
  await dialog.getByRole("alert").getByText("have changed since").waitFor();
  // What the other one did is part of the new preview.
  await shares(dialog.getByTestId("preview"), "//barker@vm103", 40).waitFor();
  await shares(dialog.getByTestId("preview"), "//barker(2)", 25).waitFor();
  const { routes } = await stack.read<{ routes: { target: string }[] }>("/v1/routes");
  expect(routes.map(({ target }) => target)).toEqual(["//barker@vm103"]);
  await dialog.getByRole("button", { name: "Set shares" }).click();
  await dialog.waitFor({ state: "detached" });
  await cell(page.locator('[data-testid=shares][data-key="*"] [data-key="//barker(2)"]'), "share", 25).waitFor();
  for (let i = 0; i < 2; i++) await stack.api.ask(endpoints.undo);
  expect(complaints).toEqual([]);
});

test("a refusal stays in its dialog, with what was typed", async () => {
  const { page } = await openPage(context, `${base}services/barker`);
  await page.getByRole("button", { name: "Start rollout" }).click();
  const dialog = page.getByRole("dialog", { name: "Start rollout" });
  await dialog.getByRole("textbox", { name: "Steps" }).fill("all of it");
  await dialog.getByRole("alert").getByText("all of it").waitFor();
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await dialog.getByRole("alert").getByText("all of it").waitFor();
  await expect(dialog.getByRole("textbox", { name: "Steps" }).inputValue()).resolves.toBe("all of it");
});

test("a token is created, shown once, and revoked", async () => {
  const { page, complaints } = await openPage(context, `${base}tokens`);
  await walk(page, {
    button: page.getByRole("button", { name: "Create token" }),
    title: "Create token",
    confirm: "Create",
    async fill(dialog) {
      await dialog.getByRole("combobox", { name: "Role" }).selectOption("operator");
      await dialog.getByRole("textbox", { name: "Ends after" }).fill("90d");
    },
    command: "dw token create --role operator --expires 90d",
    preview: (preview) => preview.getByText("of the role operator"),
  });
  await expect(page.getByTestId("token-secret").textContent()).resolves.toMatch(/^dw1_[\w-]{43}$/);
  await page.getByRole("button", { name: "Copy token" }).waitFor();
  const { tokens } = await stack.read<{ tokens: { id: string }[] }>("/v1/tokens");
  const id = tokens[0]?.id ?? "";
  await cell(row(page, id), "role", "operator").waitFor();
  await walk(page, {
    button: row(page, id).getByRole("button", { name: "Revoke" }),
    title: "Revoke",
    confirm: "Revoke",
    isAlert: true,
    command: `dw token revoke ${id}`,
    preview: (preview) => preview.getByText("of the role operator"),
  });
  await row(page, id).waitFor({ state: "detached" });
  expect(complaints).toEqual([]);
});

test("what the guard holds is released, after the console has said what ends with it", async () => {
  const { page, complaints } = await openPage(context, `${base}guard`);
  await page.getByTestId("empty").waitFor();
  watson.kill("SIGKILL");
  const release = page.getByRole("button", { name: "Release guard" });
  await release.waitFor();
  await walk(page, {
    button: release,
    title: "Release guard",
    confirm: "Release",
    isAlert: true,
    command: "dw guard release",
    preview: (preview) => preview.getByText("barker loses 3 instances; none is left."),
  });
  await page.getByTestId("empty").waitFor();
  expect(complaints).toEqual([]);
});
