import { expect, test } from "vitest";
import type { ServiceView } from "@datawire/catalog";
import { noLog } from "@datawire/runtime";
import { serviceOfLine } from "../core/render/culprits.ts";
import { MAP_NAMES, type Plan } from "../core/model/plan.ts";
import { Planner } from "../core/planner/planner.ts";
import type { RenderSettings } from "../core/render/render.ts";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { EVERY_FEATURE } from "../testing/features.ts";
import { SESSION_IDS } from "../testing/session-ids.ts";
import type { ConfigFiles, Refusal } from "../haproxy/config-files.ts";
import { ConfigurationRefused, Configurator } from "./configurator.ts";
import { loadTemplate } from "../setup/template.ts";

const SETTINGS = {
  version: "0",
  caller: "c",
  listen: [],
  maxConnections: 10,
  hardStopAfter: "1s",
  accessLog: false,
  latencies: null,
  sockets: { runtime: "r", fallback: "f", handover: "h", stats: "s", pages: "p" },
  files: { serverState: "x" },
  maps: Object.fromEntries([...MAP_NAMES, "draw"].map((name) => [name, name])),
  caFile: "@system-ca",
  features: EVERY_FEATURE,
  headerBytesMax: 20_480,
  browserHosts: null,
} as unknown as RenderSettings;

/** `stays` says how those are that may stay as they were: here, as they are. */
function makePlan(leftOut: ReadonlyMap<string, string>, stays: ReadonlySet<string> = new Set()): Plan {
  const names = ["a", "b", "bad", "c", "worse"];
  const planner = new Planner({
    caller: "c",
    zone: null,
    overrides: new Map(),
    stickyIp: false,
    sessionIds: SESSION_IDS,
    features: EVERY_FEATURE,
    tcp: { listen: new Map(), range: null },
  });
  const catalog = catalogOf(...names.flatMap((name) => [service(name), instance(name, "i")]));
  const kept = new Map<string, ServiceView>();
  for (const name of stays) {
    const view = catalog.service(name);
    if (view !== null) kept.set(name, view);
  }
  return planner.plan(catalog, {
    resolve: () => ({ state: "known", address: "10.0.0.1" }),
    portsTaken: new Map(),
    quarantined: leftOut,
    kept,
    hasTable: true,
  });
}

/** An HAProxy that refuses some backends, and says where or does not. */
function refusing(pattern: RegExp, { saysLine }: { readonly saysLine: boolean }) {
  let asked = 0;
  const files: ConfigFiles = {
    writeMaps: async () => {},
    async validate(config): Promise<Refusal | null> {
      asked++;
      const at = config.split("\n").findIndex((line) => pattern.test(line));
      return at < 0 ? null : { message: "no good", lines: saysLine ? [at + 2] : [] };
    },
    install: async () => {},
    replace: async () => {},
    keepRejected: async () => {},
  };
  return { files, asked: () => asked };
}

test.each([
  ["by the line that it names", true],
  ["by halving where it names none", false],
])("Configurator leaves out what HAProxy refuses, found %s", async (_how, saysLine) => {
  const { files, asked } = refusing(/^backend (bad|worse):/, { saysLine });
  const configurator = new Configurator(SETTINGS, { template: await loadTemplate(null), files, log: noLog });
  const { plan, text } = await configurator.prepare((leftOut) => makePlan(leftOut), "g");
  expect([...configurator.leftOut.keys()].sort()).toEqual(["bad", "worse"]);
  expect(text).toContain("backend c:v1");
  expect(text).not.toContain("backend bad:");
  expect(plan.maps.known.get("bad")).toBe("left out, HAProxy refuses its part: no good");
  expect(plan.problems.map(({ subject }) => subject)).toEqual(["//bad", "//worse"]);
  expect(asked()).toBeLessThan(15);
});

test("Configurator drops what HAProxy refuses as it was before, too", async () => {
  const { files } = refusing(/^backend (bad|worse):/, { saysLine: true });
  const configurator = new Configurator(SETTINGS, { template: await loadTemplate(null), files, log: noLog });
  const asked: string[][] = [];
  const { plan } = await configurator.prepare((leftOut, kept) => {
    asked.push([...kept]);
    return makePlan(leftOut, kept);
  }, "g");
  expect(asked).toEqual([[], ["bad"], [], ["worse"], []]);
  expect([...configurator.kept]).toEqual([]);
  expect([...plan.views.keys()]).toEqual(["a", "b", "c"]);
  configurator.release(["bad", "worse"]);
  expect([...configurator.leftOut]).toEqual([]);
});

test("Configurator blames no service for what is refused without any", async () => {
  const { files } = refusing(/^frontend http_in/, { saysLine: false });
  const configurator = new Configurator(SETTINGS, { template: await loadTemplate(null), files, log: noLog });
  await expect(configurator.prepare(makePlan, "g")).rejects.toThrow(ConfigurationRefused);
  expect([...configurator.leftOut]).toEqual([]);
});

test("serviceOfLine() knows the section that a line stands in", () => {
  const lines = ["global", "  x", "backend a:v1 from http", "  y", "frontend http_in", "  z"];
  expect([2, 4, 6].map((line) => serviceOfLine(lines, line))).toEqual([null, "a", null]);
});
