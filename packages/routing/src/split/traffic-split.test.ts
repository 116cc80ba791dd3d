import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { splitTraffic } from "./traffic-split.ts";
import { explain } from "./explain.ts";
import { isUsable } from "@datawire/protocol";
import { instance, routes, catalogOf } from "@datawire/catalog/testing";
import type { Catalog } from "@datawire/catalog";

/** Where requests go, in a few words: `//barker 90 vm1 vm2 | //barker(2) 10 vm3`. */
function shown(table: Catalog, caller = "monolith", service = "barker", zone: string | null = null): string {
  const { shares } = explain(table, service, { caller, zone }) ?? { shares: [] };
  return shares
    .map(({ target, percent, instances }) => [target, percent, ...instances.map((i) => i.name)].join(" "))
    .join(" | ");
}

const v1 = [instance("barker@vm1(1.0)"), instance("barker@vm2(1.1)")];
const v2 = instance("barker@vm3(2.0)");
const down = { state: "down", reason: "503" } as const;
const draining = (text: string) => instance(`barker@${text}`, { state: "draining" });
const lost = (text: string) => instance(`barker@${text}`, { state: "lost" });
const near = (text: string) => instance(`barker@${text}`, { zone: "east" });

test("splitTraffic() gives the primary everything, and a held version nothing", () => {
  expect(shown(catalogOf([...v1, v2]))).toBe("//barker 100 vm1 vm2");
});

test("splitTraffic() knows nothing of an unknown service", () => {
  expect(splitTraffic(catalogOf([]), "barker", { caller: "monolith", zone: null })).toBeNull();
});

test("splitTraffic() splits by request, whatever the number of instances", () => {
  const table = catalogOf([...v1, v2], { tables: [routes("monolith", "barker", [["//barker(2)", 1_000]])] });
  expect(shown(table)).toBe("//barker(2) 10 vm3 | //barker 90 vm1 vm2");
  expect(shown(table, "other")).toBe("//barker 100 vm1 vm2");
});

test("splitTraffic() keeps an instance named by any caller's route out of the primary, for every caller", () => {
  const table = catalogOf(v1, { tables: [routes("monolith", "barker", [["//barker@vm2", 3_000]])] });
  expect(shown(table)).toBe("//barker@vm2 30 vm2 | //barker 70 vm1");
  expect(shown(table, "other")).toBe("//barker 100 vm1");
});

test("splitTraffic() lets a caller's table replace the one for any caller as a whole", () => {
  const tables = [
    routes("*", "barker", [["//barker(2)", 5_000]]),
    routes("monolith", "barker", [["//barker@vm2", 1_000]]),
  ];
  const table = catalogOf([...v1, v2], { tables });
  expect(shown(table)).toBe("//barker@vm2 10 vm2 | //barker 90 vm1");
  expect(shown(table, "other")).toBe("//barker(2) 50 vm3 | //barker 50 vm1");
});

test("splitTraffic() gives an instance to the most specific target", () => {
  const instances = [...v1, v2, instance("barker@vm4(2.1.5)"), instance("barker@vm5(2.1.6)")];
  const list = [
    ["//barker(2)", 1_000],
    ["//barker(2.1)", 1_000],
    ["//barker@vm5", 1_000],
  ] as const;
  expect(shown(catalogOf(instances, { tables: [routes("*", "barker", list)] }))).toBe(
    "//barker(2) 10 vm3 | //barker(2.1) 10 vm4 | //barker@vm5 10 vm5 | //barker 70 vm1 vm2",
  );
});

test("splitTraffic() keeps lost instances, and leaves out those that are down or draining", () => {
  const instances = [
    instance("barker@a(1)", { state: "lost" }),
    instance("barker@b(1)", down),
    instance("barker@c(1)", { state: "draining" }),
  ];
  expect(shown(catalogOf(instances))).toBe("//barker 100 a");
});

test("splitTraffic() sends the share of a dead target to the primary", () => {
  const table = catalogOf([...v1, { ...v2, ...down }], { tables: [routes("*", "barker", [["//barker(2)", 1_000]])] });
  expect(shown(table)).toBe("//barker 100 vm1 vm2");
});

test("splitTraffic() takes instances of a 0% route out of the primary and gives them nothing", () => {
  const table = catalogOf(v1, { tables: [routes("*", "barker", [["//barker@vm2", 0]])] });
  expect(shown(table)).toBe("//barker 100 vm1");
});

const deadV1 = v1.map((one) => ({ ...one, ...down }));
const v3 = instance("barker@vm4(3)");
test.each([
  [
    "its targets with a share, in proportion",
    [
      ["//barker(2)", 1_000],
      ["//barker(3)", 3_000],
    ],
    "monolith",
    "//barker(2) 25 vm3 | //barker(3) 75 vm4",
  ],
  ["its 0% targets", [["//barker(2)", 0]], "monolith", "//barker(2) 100 vm3"],
  ["instances that another caller's routes name", [["//barker(2)", 1_000]], "other", "//barker(2) 100 vm3"],
  ["the newest held version", [], "monolith", "//barker(3) 100 vm4"],
] as const)("splitTraffic() sends the share of a dead primary to %s", (_, list, caller, expected) => {
  const tables = list.length === 0 ? [] : [routes("monolith", "barker", list)];
  const table = catalogOf([...deadV1, v2, v3], { tables });
  expect(shown(table, caller)).toBe(expected);
  expect(splitTraffic(table, "barker", { caller, zone: null })?.degraded).toBe(
    "the primary, version 1, has no live instance",
  );
});

test("splitTraffic() counts 10 before 9 among held versions, and labels by their first registration", () => {
  const numbers = [...deadV1, instance("barker@ten(10)"), instance("barker@nine(9)")];
  expect(shown(catalogOf(numbers))).toBe("//barker(10) 100 ten");
  const labels = [...deadV1, instance("barker@green(green)"), instance("barker@blue(blue)")];
  expect(shown(catalogOf(labels))).toBe("//barker(blue) 100 blue");
});

test("splitTraffic() uses the default URL when nothing at all is live, and else nothing", () => {
  expect(shown(catalogOf(deadV1))).toBe("");
  const services = [{ name: "barker", primary: "1", settings: { defaultUrl: "http://old" } }] as never;
  expect(shown(catalogOf(deadV1, { services }))).toBe("//barker 100 default");
  expect(shown(catalogOf([], { services }))).toBe("//barker 100 default");
});

test("splitTraffic() refuses the share of a dead primary where failover is none", () => {
  const services = [{ name: "barker", primary: "1", settings: { failover: "none" } }] as never;
  const table = catalogOf([...deadV1, v2], { services, tables: [routes("*", "barker", [["//barker(2)", 1_000]])] });
  expect(shown(table)).toBe("//barker(2) 10 vm3 | //barker 90");
  expect(shown(catalogOf(deadV1, { services }))).toBe("");
});

test("splitTraffic() leaves the rest to the default URL where the service itself is the target", () => {
  const services = [{ name: "barker", primary: "1", settings: { defaultUrl: "http://old" } }] as never;
  const table = catalogOf([...v1, v2], {
    services,
    tables: [
      routes("monolith", "barker", [
        ["//barker", 3_000],
        ["//barker(2)", 1_000],
      ]),
    ],
  });
  expect(shown(table)).toBe("//barker 30 vm1 vm2 | //barker(2) 10 vm3 | //barker 60 default");
});

test("splitTraffic() lets a share enter another service's own split for the same caller", () => {
  const old = instance("monolith@m1(1)");
  const tables = [
    routes("*", "monolith", [["//barker", 3_000, { reading: "service" }]]),
    routes("*", "barker", [["//barker(2)", 1_000]], "header:x-user"),
  ];
  const table = catalogOf([old, ...v1, v2], { tables });
  const { shares } = explain(table, "monolith", { caller: "web", zone: null }) ?? { shares: [] };
  expect(shares.map(({ target, percent }) => [target, percent])).toEqual([
    ["//barker", 30],
    ["//monolith", 70],
  ]);
  expect(shares[0]?.instances.map(({ name, percent }) => [name, percent])).toEqual([
    ["vm3", 3],
    ["vm1", 13.5],
    ["vm2", 13.5],
  ]);
});

test("splitTraffic() sends a share to named instances of another service, and back when they are dead", () => {
  const tables = [routes("*", "monolith", [["//barker(2)", 3_000, { reading: "service" }]])];
  const old = instance("monolith@m1(1)");
  expect(shown(catalogOf([old, ...v1, v2], { tables }), "web", "monolith")).toBe(
    "//barker(2) 30 vm3 | //monolith 70 m1",
  );
  expect(shown(catalogOf([old, ...v1], { tables }), "web", "monolith")).toBe("//monolith 100 m1");
});

test("splitTraffic() uses the caller's own zone alone while at least half of it is live", () => {
  const zoned = (name: string, zone: string, state: "live" | "down" = "live") =>
    instance(`barker@${name}(1)`, { zone, state });
  const half = [zoned("a1", "a"), zoned("a2", "a", "down"), zoned("b1", "b")];
  expect(shown(catalogOf(half), "monolith", "barker", "a")).toBe("//barker 100 a1");
  const third = [...half, zoned("a3", "a", "down")];
  expect(shown(catalogOf(third), "monolith", "barker", "a")).toBe("//barker 100 a1 b1");
  expect(shown(catalogOf(half), "monolith", "barker", "c")).toBe("//barker 100 a1 b1");
  expect(shown(catalogOf(half), "monolith", "barker", null)).toBe("//barker 100 a1 b1");
});

test("splitTraffic() tries the longest path first, then the other conditions by age", () => {
  const list = [
    ["//barker@vm1", 0, { when: "header:X-Canary=1" }],
    ["//barker@vm2", 0, { when: "path:/beta" }],
    ["//barker(2)", 0, { when: "path:/beta/deep" }],
  ] as const;
  const table = catalogOf([...v1, v2, instance("barker@vm9(1)")], { tables: [routes("*", "barker", list)] });
  const rules = splitTraffic(table, "barker", { caller: "x", zone: null })?.rules ?? [];
  expect(rules.map(({ target }) => target)).toEqual(["//barker(2)", "//barker@vm2", "//barker@vm1"]);
});

test("splitTraffic() sends a condition whose target is dead to the primary", () => {
  const table = catalogOf([...v1, { ...v2, ...down }], {
    tables: [routes("*", "barker", [["//barker(2)", 0, { when: "path:/beta" }]])],
  });
  const [rule] = splitTraffic(table, "barker", { caller: "x", zone: null })?.rules ?? [];
  expect(rule).toMatchObject({ target: "//barker", reason: "//barker(2) has no live instance" });
});

test("splitTraffic() makes all slots go somewhere live, for any table", () => {
  const state = fc.constantFrom("live", "down", "draining", "lost");
  const version = fc.constantFrom("1", "1.1", "2", "2.1", "3", "blue");
  const anInstance = fc.record({ version, state, zone: fc.constantFrom("a", "b", null) });
  const target = fc.constantFrom(
    "//barker(1)",
    "//barker(1.1)",
    "//barker(2)",
    "//barker(2.1)",
    "//barker@i0",
    "//barker@i3",
    "//other",
    "//other(2)",
  );
  const aRoute = fc.tuple(target, fc.integer({ min: 0, max: 2_500 }));
  const aTable = fc.uniqueArray(aRoute, { selector: ([name]) => name, minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(anInstance, { maxLength: 8 }),
      fc.array(anInstance, { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("*", "monolith"), aTable),
      fc.constantFrom("monolith", "web"),
      fc.constantFrom(null, "a"),
      (own, others, tables, caller, zone) => {
        const instances = [
          ...own.map(({ version: v, ...rest }, i) => instance(`barker@i${i}(${v})`, rest)),
          ...others.map(({ version: v, ...rest }, i) => instance(`other@o${i}(${v})`, rest)),
        ];
        const services = [
          { name: "barker", primary: "1" },
          { name: "other", primary: "1" },
        ];
        const table = catalogOf(instances, {
          services,
          tables: Object.entries(tables).map(([name, list]) => routes(name, "barker", list)),
        });
        const { shares, excluded } = explain(table, "barker", { caller, zone }) as NonNullable<
          ReturnType<typeof explain>
        >;
        const live = new Set(instances.filter(isUsable).map(({ name }) => name));
        const names = shares.flatMap((share) => share.instances.map(({ name }) => name));
        expect(names.every((name) => live.has(name))).toBe(true);
        const ownLive = instances.some((one) => one.service === "barker" && isUsable(one));
        if (ownLive) expect(shares.length).toBeGreaterThan(0);
        if (shares.length === 0) return;
        expect(shares.reduce((sum, share) => sum + share.percent, 0)).toBeCloseTo(100, 4);
        for (const share of shares) {
          expect(share.instances.reduce((sum, { percent }) => sum + percent, 0)).toBeCloseTo(share.percent, 3);
        }
        const every = instances.filter(({ service }) => service === "barker").map(({ name }) => name);
        expect(new Set([...names.filter((name) => name.startsWith("i")), ...excluded.map(({ name }) => name)])).toEqual(
          new Set(every),
        );
      },
    ),
  );
});

test.each<[string, Parameters<typeof catalogOf>, string | null, string[]]>([
  [
    "the whole primary, lost and draining ones too",
    [[...v1, lost("vm4(1)"), draining("vm5(1)"), v2]],
    null,
    ["vm1", "vm2", "vm4", "vm5"],
  ],
  ["instances of another zone", [[near("vm1(1)"), ...v1.slice(1)]], "east", ["vm1", "vm2"]],
  [
    "nothing that a route of another caller names",
    [[...v1, v2], { tables: [routes("web", "barker", [["//barker(2)", 900]])] }],
    null,
    ["vm1", "vm2"],
  ],
  [
    "a target that only drains",
    [[...v1, draining("vm3(2)")], { tables: [routes("*", "barker", [["//barker(2)", 900]])] }],
    null,
    ["vm3", "vm1", "vm2"],
  ],
  [
    "a target with all of it",
    [[...v1, v2], { tables: [routes("*", "barker", [["//barker(2)", 10_000]])] }],
    null,
    ["vm3"],
  ],
  ["what stands in for the primary, beside what is left of it", [[draining("vm1(1)"), v2]], null, ["vm1", "vm3"]],
  ["all that is left of a service, though no share is", [[draining("vm1(1)")]], null, ["vm1"]],
  [
    "what a share finds in another service",
    [
      [...v1, instance("dog@d1(1)"), instance("dog@d2(2)")],
      { tables: [routes("*", "barker", [["//dog", 900, { reading: "service" }]])] },
    ],
    null,
    ["d1", "vm1", "vm2"],
  ],
])("splitTraffic() lets sessions live with %s", (_, [instances, more], zone, expected) => {
  const { holders = [] } = splitTraffic(catalogOf(instances, more), "barker", { caller: "monolith", zone }) ?? {};
  expect(holders.map((holder) => (holder.kind === "url" ? holder.url : holder.instance.name))).toEqual(expected);
});

test("splitTraffic() lets sessions live at the default URL while it has a share", () => {
  const services = [{ name: "barker", primary: "1", settings: { defaultUrl: "http://old" } }] as never;
  const tables = [routes("monolith", "barker", [["//barker", 3_000]])];
  const { holders = [] } =
    splitTraffic(catalogOf(v1, { services, tables }), "barker", { caller: "monolith", zone: null }) ?? {};
  expect(holders.map((holder) => (holder.kind === "url" ? holder.url : holder.instance.name))).toEqual([
    "vm1",
    "vm2",
    "http://old",
  ]);
});
