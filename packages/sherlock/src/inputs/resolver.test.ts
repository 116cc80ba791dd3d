import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { removeFolder, temporaryFolder } from "../testing/places.ts";
import { Resolver } from "./resolver.ts";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => removeFolder(folder));

function create(answers: Map<string, string[] | Error>, path = join(folder, "addresses.json")) {
  const clock = createFakeClock();
  const changed: string[] = [];
  const board = new ProblemBoard();
  const resolver = new Resolver(
    { path, refreshMs: 1_000 },
    {
      clock,
      log: noLog,
      board,
      hosts: () => answers.keys(),
      lookupAll: async (host) => {
        const answer = answers.get(host);
        if (answer instanceof Error) throw answer;
        return answer ?? [];
      },
    },
  );
  resolver.onChange((host) => void changed.push(host));
  return { resolver, clock, board, changed };
}

test("Resolver follows a name, prefers to stay, and keeps the last address when it stops resolving", async () => {
  const answers = new Map<string, string[] | Error>([["vm", ["::5", "10.0.0.1"]]]);
  const { resolver, clock, board, changed } = create(answers);
  await resolver.prepare(["vm"]);
  expect(resolver.resolve("vm")).toEqual({ state: "known", address: "10.0.0.1" });
  const stop = new AbortController();
  const refresh = async (): Promise<void> => {
    await expect.poll(() => clock.pending()).toBe(1); // what the last look found is saved
    await clock.advance(1_000);
  };
  const running = resolver.run(stop.signal);
  answers.set("vm", ["10.0.0.0", "10.0.0.1"]);
  await refresh();
  expect(resolver.resolve("vm")).toEqual({ state: "known", address: "10.0.0.1" });
  answers.set("vm", ["10.0.0.2"]);
  await refresh();
  expect(resolver.resolve("vm")).toEqual({ state: "known", address: "10.0.0.2" });
  answers.set("vm", new Error("no answer"));
  await refresh();
  expect(resolver.resolve("vm")).toEqual({ state: "known", address: "10.0.0.2" });
  expect(changed).toEqual(["vm", "vm"]);
  await expect.poll(() => clock.pending()).toBe(1);
  expect(board.list()).toMatchObject([
    { subject: "vm", message: "does not resolve: no answer; its last address 10.0.0.2 is still used" },
  ]);
  answers.set("vm", ["10.0.0.2"]);
  await refresh();
  await expect.poll(() => clock.pending()).toBe(1);
  expect(board.list()).toEqual([]);
  stop.abort();
  await running;
});

test("Resolver uses no address that is refused, says so of a name that has no other, and looks again when asked to", async () => {
  let refused = true;
  const resolver = new Resolver(
    { path: join(folder, "addresses.json"), refreshMs: 1_000 },
    {
      clock: createFakeClock(),
      log: noLog,
      hosts: () => [],
      refusal: (host, address) => (refused && address.startsWith("127.") ? `${host} is at ${address}` : null),
      lookupAll: async (host) => (host === "both" ? ["127.0.0.1", "192.0.2.1"] : ["127.0.0.1"]),
    },
  );
  await resolver.prepare(["both", "one"]);
  expect(resolver.resolve("both")).toEqual({ state: "known", address: "192.0.2.1" });
  expect(resolver.resolve("one")).toEqual({ state: "unknown", reason: "one is at 127.0.0.1" });
  expect(resolver.resolve("127.0.0.1")).toEqual({ state: "unknown", reason: "127.0.0.1 is at 127.0.0.1" });
  expect(resolver.resolve("::1")).toEqual({ state: "known", address: "::1" });
  refused = false;
  await resolver.review();
  expect(resolver.resolve("one")).toEqual({ state: "known", address: "127.0.0.1" });
});

test("Resolver takes names below localhost for loopback, whatever the system's resolver knows", async () => {
  const resolver = new Resolver(
    { path: join(folder, "addresses.json"), refreshMs: 1_000 },
    { clock: createFakeClock(), log: noLog, hosts: () => [] },
  );
  await resolver.prepare(["web.localhost"]);
  expect(resolver.resolve("web.localhost")).toEqual({ state: "known", address: "127.0.0.1" });
});

test("Resolver looks at a name before its turn when nothing answers at its address", async () => {
  const answers = new Map<string, string[] | Error>([["vm", ["10.0.0.1"]]]);
  const { resolver, changed } = create(answers);
  await resolver.prepare(["vm"]);
  answers.set("vm", ["10.0.0.2"]);
  await resolver.lookAgain("vm");
  await resolver.lookAgain("nobody");
  expect(resolver.resolve("vm")).toEqual({ state: "known", address: "10.0.0.2" });
  expect(changed).toEqual(["vm", "vm"]);
});

test("Resolver says why a name is unknown, and begins with the addresses of the last run", async () => {
  const answers = new Map<string, string[] | Error>([
    ["gone", new Error("the name does not resolve")],
    ["vm", ["10.0.0.1"]],
  ]);
  const first = create(answers).resolver;
  await first.prepare(["gone", "vm"]);
  expect(first.resolve("gone")).toEqual({
    state: "unknown",
    reason: "gone does not resolve: the name does not resolve",
  });
  await first.save();
  const second = create(new Map()).resolver;
  await second.load();
  expect(second.resolve("vm")).toEqual({ state: "known", address: "10.0.0.1" });
});

test("Resolver goes on resolving while its addresses cannot be written", async () => {
  const answers = new Map<string, string[] | Error>([["vm", ["10.0.0.1"]]]);
  const { resolver, clock } = create(answers, join(folder, "missing", "addresses.json"));
  const stop = new AbortController();
  const running = resolver.run(stop.signal);
  for (const address of ["10.0.0.2", "10.0.0.3"]) {
    answers.set("vm", [address]);
    await expect.poll(() => clock.pending()).toBe(1);
    await clock.advance(1_000);
    await expect.poll(() => resolver.resolve("vm")).toEqual({ state: "known", address });
  }
  stop.abort();
  await running;
  await resolver.save();
});
