import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endpoints } from "@datawire/api";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Child } from "./harness/child.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

type Role = "admin" | "operator" | "sherlock" | "watson";
interface ToCreate {
  readonly role: Role;
  readonly services?: string[];
  readonly tenant?: string;
}

let stack: Stack;

/** Each test gets a stack of its own. */
function forEach(): void {
  beforeEach(() => {
    stack = new Stack();
  });
  afterEach(() => stack.dispose());
}

const dataFolder = (): string => join(stack.folder, "directory");
const settings = async () => ({ listen: `0.0.0.0:${(await stack.ports()).directory}`, lease: "3s" });

/** `directory init`, which gives the tokens by role. */
async function init(): Promise<{ tokens: Record<Role, string>; child: Child }> {
  const file = join(stack.folder, "init.yaml");
  writeFileSync(file, stringify({ ...(await settings()), data_dir: dataFolder() }));
  const child = stack.start("directory", ["init", "-c", file]);
  await child.exited;
  const pairs = child.lines.flatMap((line) => {
    const match = /^(admin|operator|sherlock|watson) (\S+)$/.exec(line);
    return match === null ? [] : [[match[1], match[2]] as const];
  });
  return { tokens: Object.fromEntries(pairs) as Record<Role, string>, child };
}

/** Starts a directory that listens beyond loopback; returns the tokens of its `init`. */
async function startGuarded(): Promise<Record<Role, string>> {
  const { tokens } = await init();
  await stack.startDirectory([], await settings());
  stack.isOverTls = true;
  return tokens;
}

function tokenFile(name: string, token: string): string {
  const file = join(stack.folder, `${name}.token`);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}

/** Runs `dw` with a token. */
function as(token: string | null, ...args: readonly string[]) {
  stack.token = token;
  return stack.dw(...args);
}

async function create(admin: string, body: ToCreate): Promise<{ id: string; token: string }> {
  stack.token = admin;
  const { id, token } = await stack.api.ask(endpoints.createToken, { body });
  return { id: id ?? "", token: token ?? "" };
}

/** A second Watson, with a folder of service files of its own. */
async function startOtherWatson(name: string, token: string, service: string): Promise<Child> {
  const folder = join(stack.folder, name);
  mkdirSync(folder);
  writeFileSync(
    join(folder, "one.yaml"),
    stringify({ service: `//${service}`, url: "http://127.0.0.1:9", instance: name }),
  );
  const file = join(folder, "watson.yaml");
  const directories = [await stack.directoryAddress()];
  writeFileSync(
    file,
    stringify({ directories, services: [join(folder, "one.yaml")], token_file: tokenFile(name, token) }),
  );
  return stack.start("watson", ["-c", file, "--admin", "off", "--data-dir", folder, "--log-format", "json"]);
}

const listed = async (token: string) => {
  stack.token = token;
  return (await stack.api.ask(endpoints.listServices)).services;
};
const serviceNames = async (token: string): Promise<string[]> => (await listed(token)).map(({ service }) => service);

describe("a directory beyond loopback", () => {
  let tokens: Record<Role, string>;
  beforeAll(async () => {
    stack = new Stack();
    tokens = await startGuarded();
  });
  afterAll(() => stack.dispose());

  /** A token of an admin who has a table of their own. */
  const adminOf = async (tenant: string): Promise<string> =>
    (await create(tokens.admin, { role: "admin", tenant })).token;

  test("answers plain HTTP by what it wants, and probes as ever", async () => {
    const base = `http://127.0.0.1:${(await stack.ports()).directory}`;
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    const plain = await fetch(`${base}/v1/routes`, { headers: { authorization: `Bearer ${tokens.admin}` } });
    expect(plain.status).toBe(401);
    expect(await plain.text()).toContain("wants a token that carries its fingerprint");
  });

  test("ends programs that have no token, or the wrong one, with 77", async () => {
    const address = await stack.directoryAddress();
    const none = stack.start("watson", ["-d", address, "//emitter", "http://127.0.0.1:9/x"]);
    expect(await none.exited).toMatchObject({ code: 77 });
    expect(none.lines.join("\n")).toContain("DATAWIRE_TOKEN");
    const wrong = await startOtherWatson("wrong", tokens.sherlock, "emitter");
    expect(await wrong.exited).toMatchObject({ code: 77 });
    expect(wrong.lines.join("\n")).toContain("lacks the right to register services");
    const listen = `127.0.0.1:${(await stack.ports()).traffic}`;
    const runDir = join(stack.folder, "run");
    const more = ["--admin", "off", "--listen", listen, "--run-dir", runDir];
    const sherlock = stack.start("sherlock", ["-d", address, ...more]);
    expect(await sherlock.exited).toMatchObject({ code: 77 });
    expect(sherlock.lines.at(-1)).toMatch(/^sherlock: Cannot follow the directory: .*DATAWIRE_TOKEN/);
  });

  test("lets each program do what its token is for, over TLS and with nothing else to set", async () => {
    await stack.startWatson({ token_file: tokenFile("watson", tokens.watson) });
    await stack.startSherlock([], { token_file: tokenFile("sherlock", tokens.sherlock) });
    await stack.startInstance({ service: "emitter", name: "a" });
    await stack.reaches("emitter", ["a"]);

    const add = ["route", "add", "//monolith", "//emitter(1)", "10%"];
    expect(await as(tokens.operator, ...add)).toMatchObject({ code: 0 });
    stack.token = tokens.operator;
    expect(await stack.dwJson("route", "history")).toMatchObject([
      { verified: true, who: expect.stringMatching(/^operator token [0-9a-f]{8} \(.+@.+\)$/) as string },
    ]);

    const denied = await as(tokens.sherlock, ...add);
    expect(denied).toMatchObject({ code: 77, stdout: "" });
    expect(denied.stderr).toContain(
      "lacks the right to change routes, services and instances; wanted one of role operator or admin",
    );
    expect(await as(tokens.operator, "token", "list")).toMatchObject({ code: 77 });
    expect(await as(tokens.watson, "watch")).toMatchObject({ code: 77 });
    expect(await as(tokens.watson, "service", "list")).toMatchObject({ code: 77 });
    const without = await as(null, "route", "list");
    expect(without.code).toBe(77);
    expect(without.stderr).toContain("DATAWIRE_TOKEN");
    expect(await as(`dw1_${"x".repeat(43)}${tokens.admin.slice(-44)}`, "route", "list")).toMatchObject({
      code: 77,
      stderr: expect.stringContaining("it is unknown here") as string,
    });
  });

  test("cuts off a token that is revoked", async () => {
    const admin = await adminOf("first");
    const { id, token } = await create(admin, { role: "watson" });
    const watson = await startOtherWatson("vm2", token, "emitter");
    await eventually(async () => expect(await serviceNames(admin)).toEqual(["emitter"]));
    expect(await as(admin, "token", "revoke", id)).toMatchObject({ code: 0 });
    await watson.line((line) => line.includes(`the token ${id} was revoked`) || line.includes("it is unknown here"));
    await eventually(async () => {
      const [emitter] = await listed(admin);
      expect(emitter?.instances ?? []).toEqual([]);
    });
    expect(watson.running()).toBe(true); // it was taken once, so it waits for a person
  });

  test("takes from a token with patterns the services that fit them, and no others", async () => {
    const admin = await adminOf("second");
    const { token } = await create(admin, { role: "watson", services: ["billing-*"] });
    await startOtherWatson("good", token, "billing-api");
    const other = await startOtherWatson("bad", token, "emitter");
    await eventually(async () => expect(await serviceNames(admin)).toEqual(["billing-api"]));
    await other.line((line) => line.includes("lacks the right to register //emitter: it is for billing-*"));
  });
});

describe("a directory beyond loopback with tenants", () => {
  forEach();

  test("shows tenants nothing of each other", async () => {
    const tokens = await startGuarded();
    const one = await create(tokens.admin, { role: "admin", tenant: "one" });
    const two = await create(tokens.admin, { role: "admin", tenant: "two" });
    await startOtherWatson("a", (await create(one.token, { role: "watson" })).token, "emitter");
    await startOtherWatson("b", (await create(two.token, { role: "watson" })).token, "transform");
    await eventually(async () => {
      expect(await serviceNames(one.token)).toEqual(["emitter"]);
      expect(await serviceNames(two.token)).toEqual(["transform"]);
    });
    expect(await as(one.token, "service", "set", "//emitter", "--timeout", "3s")).toMatchObject({ code: 0 });
    // The first two tokens were made by the admin of all, the others by those of the tenants.
    for (const [token, count] of [
      [one.token, 2],
      [two.token, 1],
      [tokens.admin, 2],
    ] as const) {
      stack.token = token;
      expect((await stack.api.ask(endpoints.history)).history).toHaveLength(count);
    }
    expect(await serviceNames(tokens.admin)).toEqual([]);
    expect(await as(one.token, "service", "show", "//transform")).not.toMatchObject({ code: 0 });
    stack.token = one.token;
    expect(await stack.dwJson<{ tenant: string }[]>("token", "list")).toHaveLength(2);
    expect(await as(one.token, "token", "revoke", two.id)).toMatchObject({ code: 1 });
    expect(await as(one.token, "token", "create", "--role", "admin", "--tenant", "two")).toMatchObject({ code: 77 });
  });
});

describe("directory init", () => {
  forEach();

  test("prints a token of each role once, and keeps that of the admin to its owner", async () => {
    const { tokens } = await init();
    expect(Object.keys(tokens).toSorted()).toEqual(["admin", "operator", "sherlock", "watson"]);
    const file = join(dataFolder(), "admin.token");
    expect(readFileSync(file, "utf8").trim()).toBe(tokens.admin);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await init();
    expect(await again.child.exited).toMatchObject({ code: 1 });
    expect(again.child.lines.join("\n")).toContain("it has tokens already, and nothing was changed");
    await stack.startDirectory([], await settings());
    expect(await as(tokens.admin, "token", "list")).toMatchObject({ code: 0 });
  });

  test("is done by the first start beyond loopback, which says where the tokens are", async () => {
    const directory = await stack.startDirectory([], await settings());
    const file = join(dataFolder(), "admin.token");
    expect(directory.lines.find((line) => line.includes("First tokens made"))).toContain(file);
    const token = readFileSync(file, "utf8").trim();
    expect(directory.lines.join("\n")).not.toContain(token);
    expect(await as(token, "route", "list")).toMatchObject({ code: 0 });
  });
});

describe("what is turned off beyond loopback", () => {
  forEach();

  test("is warned about at every start", async () => {
    const open = { ...(await settings()), auth: { mode: "none" }, tls: "off" };
    for (let start = 0; start < 2; start++) {
      const directory = await stack.startDirectory([], open);
      const text = directory.lines.join("\n");
      expect(text).toContain("can change routes and register services");
      expect(text).toContain("is not encrypted");
      expect(await as(null, "route", "list")).toMatchObject({ code: 0 });
      directory.kill("SIGTERM");
      await directory.exited;
    }
  });
});
