import { Unreachable } from "@datawire/link/client";
import { expect, test } from "vitest";
import type { Finding } from "../../doctor/finding.ts";
import type { Machine, Needs } from "../../doctor/machine.ts";
import { healthyMachine } from "../../testing/machine.ts";
import { healthyStatus, liveInstance } from "../../testing/answers.ts";
import { type Answers, ago, refusal, run, text } from "../../testing/run.ts";

const answers: Answers = {
  "GET /v1/status": healthyStatus,
  "GET /v1/instances": { instances: [liveInstance, { ...liveInstance, name: "vm2", state: "down" }] },
};

/** What is wrong, as lines. */
async function wrongs(machine: Partial<Machine>, more: Answers = {}, needs: Partial<Needs> = {}) {
  const options = { machine: { ...healthyMachine(needs), ...machine }, answers: { ...answers, ...more } };
  const { code, stdout } = await run("doctor --json", options);
  const findings = (JSON.parse(stdout) as Finding[]).filter(({ state }) => state !== "ok");
  return {
    code,
    wrong: findings.map(({ check, state, subject, message }) => `${state} ${check} ${subject}: ${message}`),
    remedies: findings.map(({ remedy }) => remedy),
  };
}

test("doctor lists what it looked at on a machine where nothing is wrong", async () => {
  expect(await run("doctor", { answers })).toMatchObject({
    code: 0,
    stdout: text`
          CHECK      OF                      FOUND
      ok  haproxy    /usr/sbin/haproxy       version 2.6.12
      ok  port       127.0.0.1:5430          free for directory
      ok  port       127.0.0.1:5432          free for sherlock's traffic
      ok  folder     /run/datawire/sherlock  run directory of sherlock, of datawire
      ok  name       vm1                     10.0.0.1
      ok  directory  //localhost/directory   version 0.1.0, ready
      ok  clock      //localhost/directory   the clocks agree
      ok  instance   1 live instance         reached from here

      Nothing is wrong
    `,
  });
});

test("doctor prints what is wrong last, with what to do, and ends with 1", async () => {
  const machine = { ...healthyMachine(), reach: async () => ({ code: "refused", reason: "refused" }) as const };
  const { code, stdout } = await run("doctor", { machine, answers });
  expect(code).toBe(1);
  expect(stdout.split("\n").slice(-5).join("\n")).toBe(text`
    error: instance //barker@vm1: is announced as live, but cannot be reached from here at vm1:80: refused
      fix: let it listen on vm1:80 and not on loopback alone, or correct \`url\` in its service file on vm1

    1 error, 0 warnings
  `);
});

test("doctor looks at the programs that it is given", async () => {
  const asked: (readonly string[])[] = [];
  const needs: Machine["needs"] = async (programs) => {
    asked.push(programs);
    return healthyMachine().needs(programs, {});
  };
  const machine = { ...healthyMachine(), needs };
  await run("doctor sherlock watson", { machine, answers });
  await run("doctor", { machine, answers });
  expect(asked).toEqual([
    ["watson", "sherlock"],
    ["directory", "watson", "sherlock"],
  ]);
  expect(await run("doctor nobody", { machine, answers })).toMatchObject({ code: 64 });
});

test.each([
  [true, 1, "error"],
  [false, 0, "warning"],
] as const)(
  "doctor tells a directory that is away; one whose being named is %s ends with %i",
  async (isSet, code, state) => {
    const at = { host: "elsewhere", port: 5430, tls: null };
    const byHost = { elsewhere: { "GET /v1/status": new Error("connection refused") } };
    const machine = healthyMachine({ directories: [{ at, isSet }] });
    const found = await run("doctor --json", { machine, answers, byHost });
    expect(found.code).toBe(code);
    expect(JSON.parse(found.stdout)).toContainEqual(
      expect.objectContaining({ check: "directory", state, subject: "//elsewhere/directory" }),
    );
  },
);

test("doctor tells an HAProxy that is missing or old", async () => {
  const missing = async () => Promise.reject(new Error("Cannot find HAProxy: it is not in PATH; install it"));
  expect(await wrongs({ haproxy: missing })).toEqual({
    code: 1,
    wrong: ["error haproxy haproxy: Cannot find HAProxy: it is not in PATH"],
    remedies: ["install it"],
  });
  const lacks = ["takes a reload for each new instance", "cannot balance by a cookie"];
  const old = async () => ({ path: "/usr/sbin/haproxy", version: "2.4.0", isDynamic: false, lacks });
  expect(await wrongs({ haproxy: old })).toMatchObject({
    code: 0,
    wrong: [
      "warning haproxy /usr/sbin/haproxy: version 2.4.0; it takes a reload for each new instance; it cannot balance by a cookie",
    ],
  });
  const newer = async () => ({ path: "/usr/sbin/haproxy", version: "3.0.11", isDynamic: true, lacks: ["waits"] });
  expect(await wrongs({ haproxy: newer })).toMatchObject({ code: 0, wrong: [] });
});

test.each([
  [null, 1, "error port 127.0.0.1:5430: Cannot listen for directory: another program has the port"],
  ["watson 0.1.0", 1, "error port 127.0.0.1:5430: Cannot listen for directory: watson 0.1.0 has the port"],
  ["directory 0.1.0", 0, undefined],
])("doctor judges a port that is taken by %s", async (owner, code, wrong) => {
  const ports = (await healthyMachine().needs([], {})).ports.slice(0, 1);
  const found = await wrongs({ port: async () => ({ state: "taken" }), identify: async () => owner }, {}, { ports });
  expect({ code: found.code, wrong: found.wrong[0] }).toEqual({ code, wrong });
});

const folder = { state: "there", nearest: "/run", isFolder: true, mode: 0o755, owner: "root", isOwn: false } as const;
test.each([
  [{ ...folder, isWritable: false }, "warning", "belongs to root, and you cannot write there"],
  [{ ...folder, isWritable: true, mode: 0o777 }, "error", "can be changed by others (mode 777)"],
  [
    { ...folder, isWritable: false, state: "missing" },
    "error",
    "is not there, and you cannot make it: /run belongs to root",
  ],
  [{ ...folder, isWritable: true, isFolder: false }, "error", "/run is no folder"],
  [{ state: "hidden", reason: "permission denied" }, "warning", "cannot be looked at: permission denied"],
] as const)("doctor judges a folder %j", async (found, state, message) => {
  const { wrong } = await wrongs({ folder: async () => found });
  expect(wrong).toEqual([expect.stringContaining(message)]);
  expect(wrong[0]).toMatch(new RegExp(`^${state} folder /run/datawire/sherlock`));
});

test.each([
  [[], "does not resolve here"],
  [["203.0.113.9"], "which is no address of this machine"],
  [["127.0.1.1"], undefined],
])("doctor judges a name that is %j", async (addresses, message) => {
  const { wrong } = await wrongs({ resolve: async () => addresses });
  if (message === undefined) expect(wrong).toEqual([]);
  else expect(wrong).toEqual([expect.stringContaining(message)]);
});

test.each([
  [-5_000, "warning clock //localhost/directory: this machine's clock is 5s behind the directory's"],
  [90_000, "error clock //localhost/directory: this machine's clock is 1m 30s ahead of the directory's"],
  [1_500, undefined],
])("doctor judges a clock that is off by %d ms", async (ms, expected) => {
  const status = { ...healthyStatus, directory: { ...healthyStatus.directory, now: ago(ms) } };
  expect((await wrongs({}, { "GET /v1/status": status })).wrong[0]).toBe(expected);
});

test.each([
  [new Unreachable([{ address: "//a", reason: "connection refused: nothing listens there" }]), "start it there"],
  [new Unreachable([{ address: "//a", reason: "the name does not resolve" }]), "name service"],
  [new Unreachable([{ address: "//a", reason: "no connection within 3 s" }]), "look for a firewall"],
  [refusal("unauthenticated", "Cannot answer without a token"), "give dw a token"],
])("doctor says what helps against %s", async (failure, remedy) => {
  const { code, wrong, remedies } = await wrongs({}, { "GET /v1/status": failure });
  expect({ code, count: wrong.length }).toEqual({ code: 1, count: 1 });
  expect(remedies[0]).toContain(remedy);
});

const many = Array.from({ length: 5_000 }, (_, i) => ({ ...liveInstance, service: `service-${i}` }));

test("doctor tries a thousand of thousands of instances, from the first to the last, and all where it is told", async () => {
  let tried: string[] = [];
  const reach: Machine["reach"] = async ({ http }) => {
    tried.push(http?.path ?? "");
    return null;
  };
  const options = {
    machine: { ...healthyMachine(), reach },
    answers: { ...answers, "GET /v1/instances": { instances: many } },
  };
  const { code, stdout } = await run("doctor", options);
  expect(code).toBe(0);
  expect(stdout).toMatch(/instance +1000 of 5000 live instances +tried; `dw doctor --all` tries each/);
  expect(stdout).toMatch(/instance +1000 live instances +reached from here/);
  expect(tried).toHaveLength(1_000);
  tried = [];
  expect((await run("doctor --all", options)).stdout).toMatch(/instance +5000 live instances +reached from here/);
  expect(tried).toHaveLength(5_000);
});

test("doctor keeps to the worst of hundreds where somebody looks on, and prints all to a pipe", async () => {
  const options = {
    machine: { ...healthyMachine(), reach: async () => ({ code: "refused", reason: "refused" }) as const },
    answers: { ...answers, "GET /v1/instances": { instances: many.slice(0, 100) } },
  };
  const seen = await run("doctor", { ...options, width: 100 });
  expect(seen.code).toBe(1);
  expect(seen.stdout.match(/^error: /gm)).toHaveLength(25);
  expect(seen.stdout).toContain("\nand 75 findings more, none of them worse: `dw doctor | less` has all\n");
  expect(seen.stdout).toContain("\n100 errors, 0 warnings\n");
  expect((await run("doctor", options)).stdout.match(/^error: /gm)).toHaveLength(100);
});
