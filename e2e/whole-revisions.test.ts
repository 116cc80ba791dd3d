import { endpoints } from "@datawire/api";
import { fractionsBy } from "@datawire/protocol/testing/chance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askHttp } from "./harness/http-client.ts";
import { type Load, type LoadReport, startLoad } from "./harness/load.ts";
import { scaled } from "./harness/scale.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

/** A change takes effect as a whole: at no moment do requests meet a part of it. */

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
});
afterEach(() => stack.dispose());

/** Makes changes one after the other under a steady load, each until it is followed. */
async function underLoad(service: string, changes: readonly (() => Promise<unknown>)[]): Promise<LoadReport> {
  const load = startLoad({ url: await stack.url(`/${service}/`), connections: 4, pauseMs: 4 });
  for (const change of changes) {
    await change();
    await stack.followed();
    await met(load);
  }
  return load.stop();
}

/** Waits until what was done last has met some requests. */
async function met(load: Load): Promise<void> {
  const before = load.count();
  await eventually(() => expect(load.count()).toBeGreaterThan(before + 40));
}

test("the only instance of a service gets a share, loses it and gets it back, and answers every request", async () => {
  await stack.startInstance({ service: "shared", name: "up" });
  await stack.reaches("shared", ["up"]);
  const route = { source: "//shared", target: "//shared@up" };
  const add = (body: object) => () => stack.api.ask(endpoints.addRoute, { body: { ...route, ...body } });
  const undo = () => stack.api.ask(endpoints.undo);
  const { failures, ok } = await underLoad("shared", [
    add({ percent: "25%" }),
    () => stack.api.ask(endpoints.removeRoute, { body: route }),
    undo,
    add({ percent: "0%" }),
    add({ when: "header:X-Beta=1" }),
    undo,
  ]);
  expect(failures).toEqual([]);
  expect(ok).toBeGreaterThan(100);
});

test("the only instance changes its version, its base path and its settings, and answers every request", async () => {
  const { url } = await stack.startInstance({ service: "moving", name: "one" });
  const rounds = scaled(10, 1);
  await stack.reaches("moving", ["one"]);
  const load = startLoad({ url: await stack.url("/moving/"), connections: 4, pauseMs: 4 });
  const file = (fields: object): void =>
    stack.writeServiceFile("one", { service: "//moving", instance: "one", version: "1", url, ...fields });
  const shows = async (field: string, wanted: unknown): Promise<void> =>
    eventually(async () => {
      const { services } = await stack.read<{ services: { service: string; instances: Record<string, unknown>[] }[] }>(
        "/v1/services",
      );
      expect(services.find((one) => one.service === "moving")?.instances[0]?.[field]).toBe(wanted);
    });
  for (let round = 0; round < rounds; round++) {
    file({ url: `${url}/base${round}` });
    await shows("url", `${url}/base${round}`);
    await stack.followed();
    file({ version: `1.${round}` });
    await shows("version", `1.${round}`);
    await stack.followed();
    for (const body of [
      { balance: "least-connections" },
      { timeoutMs: 5_000 + round * 1_000 },
      { balance: "ordered" },
    ]) {
      await stack.api.ask(endpoints.setService, { params: { service: "moving" }, body });
      await stack.followed();
      await met(load);
    }
  }
  const { failures, ok } = await load.stop();
  expect(failures).toEqual([]);
  expect(ok).toBeGreaterThan(100);
});

test("a share by a new sticky key is by that key from its first request on, and no user sees both versions", async () => {
  await Promise.all([
    stack.startInstance({ service: "emitter", name: "old", version: "1" }),
    stack.startInstance({ service: "emitter", name: "new", version: "2" }),
  ]);
  await stack.reaches("emitter", ["old"]);
  const users = Array.from({ length: 60 }, (_, i) => `user-${i}`);
  const { traffic: port } = await stack.ports();
  /** What each user has seen, in the order in which it was asked for. */
  const seen = new Map<string, string[]>(users.map((user) => [user, []]));
  const stopping = new AbortController();
  const caller = async (mine: readonly string[]): Promise<void> => {
    while (!stopping.signal.aborted) {
      for (const user of mine) {
        const { body } = await askHttp(port, "/emitter/", { headers: { "x-user": user } });
        const { version } = JSON.parse(body.toString()) as { version: string };
        seen.get(user)?.push(version);
      }
    }
  };
  const callers = [0, 1, 2, 3].map((n) => caller(users.filter((_, i) => i % 4 === n)));
  // Who comes after the change has but one side.
  await eventually(() => expect(users.filter((user) => seen.get(user)?.length === 0)).toEqual([]));
  await stack.addRoute("//monolith", "//emitter:2", "30%", { sticky: "header:X-User" });
  await stack.followed();
  const counts = users.map((user) => seen.get(user)?.length ?? 0);
  await eventually(() => {
    for (const [i, user] of users.entries()) {
      expect(seen.get(user)?.length ?? 0).toBeGreaterThan((counts[i] as number) + 3);
    }
  });
  stopping.abort();
  await Promise.all(callers);
  // Whoever has changed sides has done so once, from the primary to the target.
  const changes = users.map((user) => (seen.get(user) ?? []).join("").replace(/(.)\1+/g, "$1"));
  expect(changes.filter((sides) => !["1", "12"].includes(sides))).toEqual([]);
  expect(changes).toContain("12");
});

interface Explained {
  readonly explanation: { readonly shares: readonly { readonly instances: readonly { readonly name: string }[] }[] };
}

/** What became of one request: who answered, which changes had been begun when it was, and which were followed when it was asked. */
interface Answered {
  readonly by: string;
  readonly begun: number;
  readonly followed: number;
}

test("changes drawn by chance cost no request, and lead none where neither the table before nor the one after does", async () => {
  const seed = scaled(Date.now() % 1_000_000, 7);
  process.stdout.write(`seed ${seed}\n`);
  const random = fractionsBy(seed);
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] as string;
  const instances = { one: "1", two: "2", three: "2" };
  const started = Object.entries(instances).map(([name, version]) =>
    stack.startInstance({ service: "emitter", name, version }),
  );
  await Promise.all(started);
  await stack.lists("emitter", { one: "live", two: "live", three: "live" });
  await stack.followed();
  const target = (): string => pick(["//emitter:2", "//emitter@one", "//emitter@two", "//emitter@three"]);
  const route = ["route", "add", "//monolith"];
  const commands: readonly (() => readonly string[])[] = [
    () => [...route, target(), pick(["0%", "5%", "20%"])],
    () => [...route, target(), "5%", "--sticky", pick(["header:X-User", "cookie:other"])],
    () => [...route, target(), "--when", pick(["header:X-Beta=1", "path:/beta"])],
    () => ["route", "remove", "//monolith", target()],
    () => ["route", "undo"],
    () => ["service", "promote", pick(["//emitter:1", "//emitter:2"])],
    () => ["service", "set", "//emitter", "--balance", pick(["round-robin", "random", "ordered"])],
    () => ["service", "set", "//emitter", "--timeout", pick(["5s", "20s"])],
  ];
  const callers: readonly Readonly<Record<string, string>>[] = [{}, { "x-user": "ann" }, { "x-beta": "1" }];
  /** For each caller, whom the table of now lets answer. */
  const allowed = (): Promise<Set<string>[]> =>
    Promise.all(
      callers.map(async (headers) => {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
        const query = new URLSearchParams({
          caller: "monolith",
          service: "emitter",
          path: "/",
          headers: lines.join("\n"),
        });
        const { explanation } = await stack.read<Explained>(`/v1/explain?${query.toString()}`);
        return new Set(explanation.shares.flatMap((share) => share.instances.map(({ name }) => name)));
      }),
    );
  const tables = [await allowed()];
  let done = 0;
  const stopping = new AbortController();
  const answers: Answered[][] = callers.map(() => []);
  const url = await stack.url("/emitter/");
  const load = callers.map(async (headers, caller) => {
    while (!stopping.signal.aborted) {
      const followedNow = done;
      const by = await instanceAt(url, headers).catch((error: unknown) => String(error));
      answers[caller]?.push({ by, begun: tables.length, followed: followedNow });
    }
  });
  for (let i = 0; i < scaled(200, 6); i++) {
    const words = (commands[Math.floor(random() * commands.length)] as () => readonly string[])();
    // What makes no sense now, such as to remove what is not there, is refused, and changes nothing.
    const { code, stderr } = await stack.dw(...words);
    expect({ words, stderr, isKnown: [0, 1, 64].includes(code) }).toMatchObject({ isKnown: true });
    tables.push(await allowed());
    await stack.followed();
    done++;
    const counts = answers.map((list) => list.length);
    await eventually(() =>
      answers.forEach((list, n) => expect(list.length).toBeGreaterThan((counts[n] as number) + 5)),
    );
  }
  stopping.abort();
  await Promise.all(load);
  const wrong = answers.flatMap((list, caller) =>
    // The command that was under way is known by its table only after it.
    list.filter(
      ({ by, begun, followed: from }) =>
        !tables.slice(from, begun + 1).some((table) => table[caller]?.has(by) === true),
    ),
  );
  expect(wrong.slice(0, 5)).toEqual([]);
});
