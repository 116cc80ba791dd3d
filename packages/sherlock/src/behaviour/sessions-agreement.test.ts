import fc from "@datawire/protocol/testing/random";
import { explain } from "@datawire/routing";
import { INSTANCE_STATES } from "@datawire/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instance, routes, service } from "../testing/entities.ts";
import { everyGroup, type Field, openField } from "../testing/field.ts";
import { SESSION_IDS } from "../testing/session-ids.ts";

/**
 * Where the real HAProxy sends the session of each instance of generated tables, one after the other, against what
 * `dw explain` says of them.
 */

const MACHINES = [
  { name: "HAProxy", tables: 25, without: {} },
  { name: "HAProxy as of 2.4", tables: 8, without: { dynamicServers: false, sharedRules: false, hashBalance: false } },
  { name: "HAProxy as of 3.4", tables: 8, without: { hostFromName: false, repeatsCut: false } },
] as const;
const NEW_SESSIONS = 12;

const VERSIONS = [null, "1", "1.4", "2", "2.1"] as const;
const TARGETS = ["//a(2)", "//a(2.1)", "//a(1.4)", "//a@i1", "//b", "//b(1)"] as const;

const generated = fc.record({
  instances: fc.uniqueArray(
    fc.record({
      service: fc.constantFrom("a", "a", "a", "b"),
      name: fc.constantFrom("i1", "i2", "i3", "i4"),
      version: fc.constantFrom(...VERSIONS),
      state: fc.constantFrom("live" as const, "live" as const, "draining" as const, ...INSTANCE_STATES),
      weight: fc.integer({ min: 1, max: 256 }),
      zone: fc.constantFrom(null, "near", "far"),
      base: fc.constantFrom("", "", "/base"),
    }),
    { selector: (made) => `${made.service}@${made.name}`, minLength: 1, maxLength: 8 },
  ),
  primary: fc.constantFrom("", "1", "2"),
  failover: fc.constantFrom("any" as const, "none" as const),
  defaultUrl: fc.boolean(),
  targets: fc.uniqueArray(
    fc.record({
      target: fc.constantFrom(...TARGETS),
      share: fc.constantFrom(0, 1, 1_000, 2_500),
      when: fc.constantFrom(null, null, "path:/beta", "header:x-beta=1"),
    }),
    { selector: ({ target }) => target, maxLength: 4 },
  ),
  caller: fc.constantFrom("*", "monolith", "another"),
});

describe.each(MACHINES)("$name", ({ tables, without }) => {
  let field: Field;

  beforeAll(async () => {
    const echoes = Array.from({ length: 9 }, (_, i) => String(i));
    field = await openField({ echoes, settings: { zone: "near" }, without });
    const { url = "" } = field.echoes[0] ?? {};
    const groups = { versions: VERSIONS, zones: ["near", "far"], urls: [url, `${url}/base`] };
    const routed = Object.fromEntries(TARGETS.map((target) => [target, { share: 1 }]));
    await field.become(
      service("a", { primary: "1", settings: { balance: "cookie:SID", defaultUrl: url } }),
      service("b", { primary: "1", settings: { balance: "cookie:OTHER" } }),
      instance("a", "i1", { url, version: "1" }),
      ...everyGroup("a", groups),
      ...everyGroup("b", groups),
      routes("a", {
        ...routed,
        "//a(2)": { share: 1, when: "path:/beta" },
        "//b": { share: 1, when: "header:x-beta=1" },
      }),
    );
  });

  afterAll(() => field?.close());

  test.each(fc.sample(generated, { numRuns: tables }).map((made, i) => [i, made] as const))(
    "sends sessions where explain() says, in generated table %i",
    async (_, { instances, primary, failover, defaultUrl, targets, caller }) => {
      const { echoes } = field;
      const entities = instances.map(({ base, ...fields }, order) =>
        instance(fields.service, fields.name, { ...fields, order, url: `${echoes[order]?.url}${base}` }),
      );
      const fallback = echoes[8]?.url as string;
      const list = Object.fromEntries(targets.map(({ target, share, when }) => [target, { share, when }]));
      const settings = { failover, balance: "cookie:SID", defaultUrl: defaultUrl ? fallback : null };
      await field.become(
        service("a", { primary, settings }),
        service("b", { primary: "1", settings: { balance: "cookie:OTHER" } }),
        ...entities,
        ...(targets.length === 0 ? [] : [routes("a", list, { caller })]),
      );
      expect(field.machine.problems).toEqual([]);
      const owners = [
        ...entities.map(({ service: of, name, url }) => ({ of, name: name as string | null, url })),
        ...(defaultUrl ? [{ of: "a", name: null, url: fallback }] : []),
      ];
      const idAt = (url: string): string => {
        const { of = "", name = null } = owners.find((owner) => owner.url === url) ?? {};
        return SESSION_IDS.of("a", of, name)[0] as string;
      };
      const callerContext = { caller: "monolith", zone: "near" };
      const requests = [
        { path: "/x", headers: {} },
        { path: "/beta", headers: {} },
        { path: "/x", headers: { "x-beta": "1" } },
      ];
      for (const { path, headers } of requests) {
        const said = explain(field.table, "a", callerContext, { path, headers });
        const shared = new Set((said?.shares ?? []).flatMap((share) => share.instances.map(({ url }) => url)));
        const mayRefuse = shared.size === 0 || said?.shares.some(({ instances: some }) => some.length === 0);
        const kept = new Set((said?.sessions?.instances ?? []).map(({ url }) => url));
        const answeredAt = (number: string | undefined): string | undefined =>
          owners.find(({ url }) => url.startsWith(`${echoes[Number(number)]?.url}`))?.url;
        const what = `${path} ${JSON.stringify(headers)} of ${JSON.stringify(said)}`;
        for (const { url } of owners) {
          const cookie = `x=1; SID=${idAt(url)}`;
          const answer = await field.ask(`/a${path}`, { ...headers, cookie });
          const at = answeredAt(answer.seen?.name);
          if (kept.has(url)) {
            expect([at, answer.headers["set-cookie"]], `the session at ${url}, ${what}`).toEqual([url, undefined]);
            expect(answer.seen?.headers["cookie"]).toBe("x=1");
          } else if (at === undefined) {
            expect([answer.status, mayRefuse], `of ${what}`).toEqual([503, true]);
          } else {
            expect(shared, `the lost session of ${url} came to ${at}, ${what}`).toContain(at);
            expect(answer.headers["set-cookie"], `of ${what}`).toEqual([
              `SID=${idAt(at)}; Path=/a; HttpOnly; SameSite=Lax`,
            ]);
          }
        }
        for (let i = 0; i < NEW_SESSIONS; i++) {
          const answer = await field.ask(`/a${path}`, headers);
          const at = answeredAt(answer.seen?.name);
          if (at === undefined) expect([answer.status, mayRefuse], `of ${what}`).toEqual([503, true]);
          else {
            expect(shared).toContain(at);
            expect(answer.headers["set-cookie"]).toEqual([`SID=${idAt(at)}; Path=/a; HttpOnly; SameSite=Lax`]);
          }
        }
      }
    },
  );
});
