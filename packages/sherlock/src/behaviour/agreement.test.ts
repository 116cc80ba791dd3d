import fc from "@datawire/protocol/testing/random";
import { explain } from "@datawire/routing";
import { INSTANCE_STATES } from "@datawire/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instance, routes, service } from "../testing/entities.ts";
import { everyGroup, type Field, openField } from "../testing/field.ts";

/** What the real HAProxy does with generated tables, counted, against what `dw explain` says of them. */

const TABLES = 12;
const REQUESTS = 600;
const CONNECTIONS = 8;
/** How many standard deviations a count may lie off: a false alarm once in two million comparisons. */
const SIGMAS = 5;

const VERSIONS = [null, "1", "1.4", "2", "2.1"] as const;

const generated = fc.record({
  instances: fc.uniqueArray(
    fc.record({
      service: fc.constantFrom("a", "a", "a", "b"),
      name: fc.constantFrom("i1", "i2", "i3", "i4"),
      version: fc.constantFrom(...VERSIONS),
      state: fc.constantFrom("live" as const, "live" as const, ...INSTANCE_STATES),
      weight: fc.integer({ min: 1, max: 256 }),
      base: fc.constantFrom("", "", "/base"),
    }),
    { selector: (made) => `${made.service}@${made.name}`, minLength: 2, maxLength: 8 },
  ),
  primary: fc.constantFrom("", "1", "2"),
  failover: fc.constantFrom("any" as const, "none" as const),
  targets: fc.uniqueArray(fc.constantFrom("//a(2)", "//a(2.1)", "//a(1.4)", "//a@i1", "//b"), { maxLength: 3 }),
  shares: fc.array(fc.integer({ min: 0, max: 3_300 }), { minLength: 3, maxLength: 3 }),
  caller: fc.constantFrom("*", "monolith", "another"),
});

let field: Field;

beforeAll(async () => {
  field = await openField({ echoes: ["0", "1", "2", "3", "4", "5", "6", "7"], connections: CONNECTIONS });
  const { url = "" } = field.echoes[0] ?? {};
  const groups = { versions: VERSIONS, zones: [null], urls: [url, `${url}/base`] };
  await field.become(
    service("a", { primary: "1" }),
    service("b", { primary: "1" }),
    instance("a", "i1", { url, version: "1" }),
    ...everyGroup("a", groups),
    ...everyGroup("b", groups),
    routes("a", { "//a@i1": { share: 1 }, "//b": { share: 1 } }),
  );
});

afterAll(() => field?.close());

test.each(fc.sample(generated, { numRuns: TABLES }).map((made, i) => [i, made] as const))(
  "HAProxy gives every instance of generated table %i what explain() says",
  async (_, { instances, primary, failover, targets, shares, caller }) => {
    const entities = instances.map(({ base, ...fields }, order) =>
      instance(fields.service, fields.name, { ...fields, order, url: `${field.echoes[order]?.url}${base}` }),
    );
    const list = Object.fromEntries(targets.map((target, i) => [target, { share: shares[i] as number }]));
    await field.become(
      service("a", { primary, settings: { failover } }),
      service("b", { primary: "1" }),
      ...entities,
      ...(targets.length === 0 ? [] : [routes("a", list, { caller })]),
    );
    const said = new Map<string, number>();
    for (const share of explain(field.table, "a", { caller: "monolith", zone: null })?.shares ?? []) {
      if (share.instances.length === 0) said.set("503", (said.get("503") ?? 0) + share.percent);
      for (const { url, percent } of share.instances) {
        const id = String(entities.findIndex((one) => one.url === url));
        said.set(id, (said.get(id) ?? 0) + percent);
      }
    }
    if (said.size === 0) said.set("503", 100);
    const counted = await count(REQUESTS);
    for (const id of new Set([...said.keys(), ...counted.keys()])) {
      const p = (said.get(id) ?? 0) / 100;
      const slack = SIGMAS * Math.sqrt(p * (1 - p) * REQUESTS);
      // Round-robin within a group is exact but for where it begins, which each connection may move by one.
      expect(
        Math.abs((counted.get(id) ?? 0) - p * REQUESTS),
        `${id} of ${JSON.stringify([...said])}`,
      ).toBeLessThanOrEqual(p === 0 ? 0 : slack + CONNECTIONS);
    }
  },
);

/** Who answered how many of so many requests; `503` for those that nobody did. */
async function count(requests: number): Promise<Map<string, number>> {
  const counted = new Map<string, number>();
  let left = requests;
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await field.ask("/a/x");
      const id = answer.seen?.name ?? String(answer.status);
      counted.set(id, (counted.get(id) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
  return counted;
}
