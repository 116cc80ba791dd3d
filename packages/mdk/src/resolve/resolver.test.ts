import { catalogOf, instance, routes } from "@datawire/catalog/testing";
import { emptyChange, SLOTS } from "@datawire/protocol";
import { explain } from "@datawire/routing";
import fc from "@datawire/protocol/testing/random";
import { describe, expect, test } from "vitest";
import type { Environment } from "../session/context.ts";
import { countNodes, resolverOver } from "../testing/resolvers.ts";

const two = () => catalogOf([instance("barker@a(1)"), instance("barker@b(1)"), instance("barker@new(2)")]);

test("pick() gives a node as it is registered", () => {
  const table = catalogOf([instance("barker@a(1)", { zone: "east", tags: ["blue"], weight: 7 })]);
  expect(resolverOver({ sandbox: table }).pick("barker")?.node).toEqual({
    id: "a",
    service: "barker",
    version: "1",
    address: "http://a.example.com:8080",
    properties: { zone: "east", tags: ["blue"], weight: 7 },
    environment: "sandbox",
  });
});

test("pick() gives nodes that have all tags which are asked for, and by a tag nothing that is held", () => {
  const table = catalogOf([
    instance("barker@a(1)", { tags: ["blue", "view"] }),
    instance("barker@b(1)", { tags: ["blue"] }),
    instance("barker@new(2)", { tags: ["green"] }),
  ]);
  const { pick } = resolverOver({ sandbox: table });
  expect(countNodes(4, () => pick("barker", null, { tags: ["blue"] }))).toEqual({ a: 2, b: 2 });
  expect(countNodes(4, () => pick("barker", null, { tags: ["view", "blue"] }))).toEqual({ a: 4 });
  expect(pick("barker", "1", { tags: ["green"] })).toBe(null);
  expect(pick("barker", null, { tags: ["green"] })).toBe(null);
  expect(pick("barker", "2", { tags: ["green"] })?.node.id).toBe("new");
});

describe("balance", () => {
  test("round robin is exact over the nodes of a target, and held ones get nothing", () => {
    const { pick } = resolverOver({ sandbox: two() });
    expect(countNodes(1_000, () => pick("barker"))).toEqual({ a: 500, b: 500 });
  });

  test("round robin by weight is exact in each round, and well mixed", () => {
    const table = catalogOf([
      instance("barker@a(1)", { weight: 100 }),
      instance("barker@b(1)", { weight: 50 }),
      instance("barker@c(1)", { weight: 10 }),
    ]);
    const { pick } = resolverOver({ sandbox: table });
    for (let round = 0; round < 5; round++) expect(countNodes(16, () => pick("barker"))).toEqual({ a: 10, b: 5, c: 1 });
    const order = Array.from({ length: 16 }, () => pick("barker")?.node.id).join("");
    expect(order).not.toMatch(/bbb|aaaaa/);
  });

  test.each([
    ["ordered", { a: 100 }],
    ["least-connections", { a: 50, b: 50 }],
    ["cookie:S", { a: 50, b: 50 }],
  ])("%s gives %j", (balance, counts) => {
    const table = catalogOf([instance("barker@a(1)"), instance("barker@b(1)")], {
      services: [{ name: "barker", primary: "1", settings: { balance } as never }],
    });
    const { pick } = resolverOver({ sandbox: table });
    expect(countNodes(100, () => pick("barker"))).toEqual(counts);
  });

  test("random draws by weight", () => {
    const table = catalogOf([instance("barker@a(1)", { weight: 30 }), instance("barker@b(1)", { weight: 10 })], {
      services: [{ name: "barker", primary: "1", settings: { balance: "random" } as never }],
    });
    const { pick } = resolverOver({ sandbox: table });
    const { a = 0 } = countNodes(4_000, () => pick("barker"));
    expect(Math.abs(a / 4_000 - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 4_000));
  });

  test("consistent keeps a key at its node, and moves only the keys of one that leaves", () => {
    const all = ["a", "b", "c", "d"].map((name) => instance(`barker@${name}(1)`));
    const table = catalogOf(all, {
      services: [{ name: "barker", primary: "1", settings: { balance: "consistent:header:X-User" } as never }],
    });
    const { pick, change } = resolverOver({ sandbox: table });
    const nodeOf = (user: string) => pick("barker", null, { request: { headers: { "x-user": user } } })?.node.id;
    const users = Array.from({ length: 200 }, (_, i) => `user ${i}`);
    const before = users.map(nodeOf);
    expect(users.map(nodeOf)).toEqual(before);
    expect(new Set(before).size).toBe(4);
    expect(pick("barker", null, { key: "user 1" })?.node.id).toBe(nodeOf("user 1"));
    change({ gone: { ...emptyChange().gone, instances: ["barker@a"] } });
    users.forEach((user, i) => before[i] !== "a" && expect(nodeOf(user)).toBe(before[i]));
  });
});

describe("shares", () => {
  test("are those of dw explain, for whatever routes", () => {
    const share = fc.integer({ min: 0, max: SLOTS / 2 });
    fc.assert(
      fc.property(share, share, fc.constantFrom("shop", "*"), (toTwo, toInstance, caller) => {
        const table = catalogOf(
          [instance("barker@a(1)"), instance("barker@b(1)"), instance("barker@new(2)"), instance("barker@c(1)")],
          {
            tables: [
              routes(caller, "barker", [
                ["//barker(2)", toTwo],
                ["//barker@c", toInstance],
              ]),
            ],
          },
        );
        const { pick } = resolverOver({ sandbox: table });
        const explained = explain(table, "barker", { caller: "shop", zone: null });
        // One round through all slots: the draw is exact then.
        const counts = countNodes(SLOTS, () => pick("barker"));
        for (const { percent, instances } of explained?.shares ?? []) {
          const got = instances.reduce((sum, { name }) => sum + (counts[name] ?? 0), 0);
          expect(got / SLOTS).toBeCloseTo(percent / 100, 6);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("of a share that leads to another service, the other one's distribution decides", () => {
    const table = catalogOf([instance("monolith@m(1)"), instance("barker@a(1)"), instance("barker@b(9)")], {
      tables: [routes("*", "monolith", [["//barker", 3_000, { reading: "service" }]])],
    });
    const { pick } = resolverOver({ sandbox: table });
    expect(countNodes(SLOTS, () => pick("monolith"))).toEqual({ a: 3_000, m: 7_000 });
    // The requirement is about monolith: the versions of the other service are its own.
    expect(countNodes(SLOTS, () => pick("monolith", "1.0"))).toEqual({ a: 3_000, m: 7_000 });
  });

  test("the headers of a request are read where a condition or a sticky key goes by them, and nowhere else", () => {
    const read: string[] = [];
    const asking = (of: string) => ({
      request: {
        path: "/",
        get headers() {
          read.push(of);
          return { "x-user": "ann", "x-canary": "1" };
        },
      },
    });
    const when = two();
    when.apply({
      ...emptyChange(),
      tables: [routes("*", "barker", [["//barker(2)", 2_000, { when: "header:X-Canary=1" }]])],
    });
    const sticky = two();
    sticky.apply({ ...emptyChange(), tables: [routes("*", "barker", [["//barker(2)", 5_000]], "header:X-User")] });
    const { pick } = resolverOver({ sandbox: two(), when, sticky });
    const at = (name: string) => ({ ...asking(name), environment: { name, fallbackName: null } });
    expect(countNodes(10, () => pick("barker", null, at("sandbox")))).toEqual({ a: 5, b: 5 });
    expect(pick("barker", null, at("when"))?.node.id).toBe("new");
    const side = pick("barker", null, at("sticky"))?.node.version;
    for (let i = 0; i < 20; i++) expect(pick("barker", null, at("sticky"))?.node.version).toBe(side);
    expect(read).toEqual(["when", ...Array.from({ length: 21 }, () => "sticky")]);
  });

  test("a condition goes before the draw, and a sticky key keeps its side", () => {
    const table = catalogOf([instance("barker@a(1)"), instance("barker@new(2)")], {
      tables: [routes("*", "barker", [["//barker(2)", 2_000, { when: "header:X-Canary=1" }]], "header:X-User")],
    });
    const { pick } = resolverOver({ sandbox: table });
    const canary = { request: { headers: { "X-CANARY": "1" } } };
    expect(countNodes(10, () => pick("barker", null, canary))).toEqual({ new: 10 });
    const counts = countNodes(1, () => null);
    for (let i = 0; i < 1_000; i++) {
      const user = { request: { headers: new Map([["X-User", `user ${i}`]]) } };
      const first = pick("barker", null, user)?.node.id ?? "none";
      expect(pick("barker", null, { key: `user ${i}` })?.node.id).toBe(first);
      counts[first] = (counts[first] ?? 0) + 1;
    }
    expect(Math.abs((counts["new"] ?? 0) / 1_000 - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / 1_000));
  });

  test("the caller's own zone alone is used while half of it is live", () => {
    const table = catalogOf([instance("barker@a(1)", { zone: "east" }), instance("barker@b(1)", { zone: "west" })]);
    const { pick, change } = resolverOver({ sandbox: table }, { zone: "east" });
    expect(countNodes(10, () => pick("barker"))).toEqual({ a: 10 });
    change({ instances: [instance("barker@a(1)", { zone: "east", state: "down" })] });
    expect(countNodes(10, () => pick("barker"))).toEqual({ b: 10 });
  });

  test("a service without failover refuses where its primary has nothing", () => {
    const table = catalogOf([instance("barker@a(1)", { state: "down" }), instance("barker@b(2)")], {
      services: [{ name: "barker", primary: "1", settings: { failover: "none" } as never }],
    });
    const { pick } = resolverOver({ sandbox: table });
    expect(pick("barker")).toBeNull();
    expect(pick("barker", "2")?.node.id).toBe("b");
  });
});

describe("requirement", () => {
  const versions = () =>
    catalogOf([
      instance("barker@a(1.2)"),
      instance("barker@b(1.10)"),
      instance("barker@c(2.0)"),
      instance("barker@d(2.1)"),
    ]);

  test.each<[string | null, Record<string, number>]>([
    [null, { a: 5, b: 5 }],
    ["1.2", { a: 5, b: 5 }],
    ["1.3", { b: 10 }],
    ["1.10.7", { b: 10 }],
    ["2", { c: 5, d: 5 }],
    ["2.1", { d: 10 }],
    ["2.2", { none: 10 }],
    ["3", { none: 10 }],
  ])("%s gives %j", (version, counts) => {
    const { pick } = resolverOver({ sandbox: versions() });
    expect(countNodes(10, () => pick("barker", version))).toEqual(counts);
  });

  test("drops the shares that cannot meet it, and scales the others", () => {
    const table = catalogOf([instance("barker@a(1.0)"), instance("barker@b(1.1)"), instance("barker@c(2.0)")], {
      tables: [
        routes("*", "barker", [
          ["//barker@b", 2_000],
          ["//barker(2)", 3_000],
        ]),
      ],
    });
    const { pick } = resolverOver({ sandbox: table });
    // Primary 50%, b 20%; what belongs to 2.0 is divided in that proportion.
    const { a = 0, b = 0, c = 0 } = countNodes(SLOTS, () => pick("barker", "1.0"));
    expect([c, a + b]).toEqual([0, SLOTS]);
    expect(b / SLOTS).toBeCloseTo(2 / 7, 3);
    expect(countNodes(10, () => pick("barker", "2.0"))).toEqual({ c: 10 });
  });

  test("is met by the default URL, whatever it is", () => {
    const table = catalogOf([], {
      services: [{ name: "barker", settings: { defaultUrl: "http://b.example.com" } as never }],
    });
    const { pick } = resolverOver({ sandbox: table });
    expect(pick("barker", "7.3")?.node).toMatchObject({
      id: "default",
      version: null,
      address: "http://b.example.com",
    });
  });

  test("lets an older version that meets it serve while the breakers of the newer one have tripped", () => {
    const { pick } = resolverOver({ sandbox: versions() }, { breaker: { failures: 1, pauseMs: 30_000 } });
    for (let i = 0; i < 2; i++) {
      const choice = pick("barker", "1.2");
      if (choice?.node.id === "b") choice.breaker.failed(0);
    }
    expect(countNodes(10, () => pick("barker", "1.2"))).toEqual({ a: 10 });
  });
});

describe("breakers", () => {
  const trip = (pick: ReturnType<typeof resolverOver>["pick"], clockMs = 0): void => {
    for (let i = 0; i < 6; i++) pick("barker")?.breaker.failed(clockMs);
  };

  test("that have all tripped leave nothing, then let one try through, and one alone", () => {
    const { pick, clock } = resolverOver({ sandbox: two() });
    trip(pick);
    expect(pick("barker")).toBeNull();
    clock.advance(30_000);
    expect(countNodes(10, () => pick("barker"))).toEqual({ a: 1, b: 1, none: 8 });
    clock.advance(30_000);
    expect(countNodes(10, () => pick("barker"))).toEqual({ a: 1, b: 1, none: 8 });
  });

  test("send a call to the other shares", () => {
    const table = catalogOf([instance("barker@a(1)"), instance("barker@new(2)")], {
      tables: [routes("*", "barker", [["//barker(2)", 1_000]])],
    });
    const { pick } = resolverOver({ sandbox: table }, { breaker: { failures: 1, pauseMs: 30_000 } });
    let failed = false;
    while (!failed) {
      const choice = pick("barker");
      if (choice?.node.id === "new") failed = choice.breaker.failed(0) === "tripped";
    }
    expect(countNodes(1_000, () => pick("barker"))).toEqual({ a: 1_000 });
  });

  test("stay when the table says the same address again, and go with it", () => {
    const { pick, change } = resolverOver({ sandbox: two() });
    trip(pick);
    change({ instances: [instance("barker@a(1)", { reason: "again" }), instance("barker@b(1)", { reason: "again" })] });
    expect(pick("barker")).toBeNull();
    change({ instances: [instance("barker@a(1)", { url: "http://elsewhere:1" })] });
    expect(pick("barker")?.node.address).toBe("http://elsewhere:1");
  });
});

describe("wait()", () => {
  test("resolves as soon as an instance comes", async () => {
    const { wait, change, clock } = resolverOver({ sandbox: two() });
    const waiting = wait("barker", "3.0");
    change({ instances: [instance("barker@third(3.0)")] });
    expect((await waiting).node.id).toBe("third");
    expect(clock.timers).toBe(0);
  });

  test("rejects with what there is after 10 s, or the time that was given", async () => {
    const { wait, clock } = resolverOver({ sandbox: two() });
    const long = wait("barker", "3.0").catch((error: unknown) => error);
    const short = wait("barkr", null, { timeout: 0.5 }).catch((error: unknown) => error);
    clock.advance(500);
    expect(await short).toMatchObject({
      code: "not_found",
      message: expect.stringContaining("did you mean barker") as string,
    });
    clock.advance(9_500);
    expect(await long).toMatchObject({
      code: "not_found",
      message: expect.stringContaining("live are 1, 2") as string,
    });
    await expect(wait("barker", "3.0", { timeout: 0 })).rejects.toMatchObject({ code: "not_found" });
    await expect(wait("barker", "3.0", { timeout: -1 })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("says until when all that meet it are tripped, and gives the one try to one who waits", async () => {
    const { pick, wait, clock } = resolverOver({ sandbox: two() }, { breaker: { failures: 1, pauseMs: 5_000 } });
    for (let i = 0; i < 2; i++) pick("barker")?.breaker.failed(0);
    await expect(wait("barker", null, { timeout: 0 })).rejects.toMatchObject({
      code: "unavailable",
      message: /in 5 s/,
    });
    const outcomes = [1, 2, 3].map(() =>
      wait("barker", null, { timeout: 9 }).then(
        ({ node }) => node.id,
        (error: { code: string }) => error.code,
      ),
    );
    clock.advance(5_000);
    clock.advance(4_000);
    const seen = await Promise.all(outcomes);
    expect(seen.filter((one) => one !== "unavailable").toSorted()).toEqual(["a", "b"]);
  });

  test("ends with the reason of a signal, and with a stop", async () => {
    const { wait, resolver, clock } = resolverOver({ sandbox: two() });
    const abort = new AbortController();
    const aborted = wait("barker", "3.0", { signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await expect(wait("barker", "3.0", { signal: abort.signal })).rejects.toThrow("enough");
    const stopped = wait("barker", "3.0");
    resolver.stop();
    await expect(stopped).rejects.toMatchObject({ code: "stopped" });
    expect(() => resolver.pick({ name: "sandbox", fallbackName: null }, "barker", null)).toThrow(/stopped/);
    expect(clock.timers).toBe(0);
  });
});

describe("environments", () => {
  const environment: Environment = { name: "canary", fallbackName: "sandbox" };
  const tables = () => ({ sandbox: two(), canary: catalogOf([instance("meower@m(1)")]) });

  test("a fallback answers while nothing that meets the requirement was ever seen", () => {
    const { pick, change } = resolverOver(tables());
    expect(pick("meower", null, { environment })?.node.environment).toBe("canary");
    expect(pick("barker", null, { environment })?.node.environment).toBe("sandbox");
    change({ services: [], instances: [instance("meower@m(1)", { state: "down" })] }, "canary");
    expect(pick("meower", null, { environment })).toBeNull();
    change({ gone: { ...emptyChange().gone, instances: ["meower@m"] } }, "canary");
    expect(pick("meower", null, { environment })).toBeNull();
    expect(pick("meower", "2", { environment })).toBeNull();
  });

  test("are followed up to a bound, and those that do not exist make room", () => {
    const names = Array.from({ length: 30 }, (_, i) => `e${i}`);
    const ask = ({ pick }: Pick<ReturnType<typeof resolverOver>, "pick">, name: string) =>
      pick("barker", null, { environment: { name, fallbackName: null } });
    const full = resolverOver(Object.fromEntries(names.map((name) => [name, two()])));
    for (const name of names.slice(0, 17)) ask(full, name);
    expect(() => ask(full, "e29")).toThrow(/16/);
    expect(ask(full, "e3")?.node.environment).toBe("e3");
    const some = resolverOver(Object.fromEntries(names.map((name, i) => [name, i < 5 ? two() : catalogOf([])])));
    for (const name of names) ask(some, name);
    expect(ask(some, "e4")?.node.environment).toBe("e4");
    expect(some.released).toHaveLength(names.length - 17);
    expect(some.released).not.toContain("e4");
  });
});

test.each<[unknown, unknown]>([
  ["Barker", null],
  ["", null],
  [undefined, null],
  [7, null],
  ["barker", "1 2"],
  ["barker", ""],
  ["barker", 2],
])("pick(%o, %o) is refused", (service, version) => {
  const { pick } = resolverOver({ sandbox: two() });
  expect(() => pick(service as string, version as string)).toThrow(/Cannot use/);
});
