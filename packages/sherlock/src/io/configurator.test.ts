import { expect, test } from "vitest";
import { isIpLiteral } from "@datawire/protocol";
import { noLog } from "@datawire/runtime";
import { serviceOfLine } from "../core/culprits.ts";
import { MAP_NAMES, type Plan } from "../core/plan.ts";
import { Planner } from "../core/planner.ts";
import type { RenderSettings } from "../core/render.ts";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { EVERY_FEATURE } from "../testing/features.ts";
import { SESSION_IDS } from "../testing/session-ids.ts";
import type { ConfigFiles, Refusal } from "./config-files.ts";
import { ConfigurationRefused, Configurator } from "./configurator.ts";
import { loadTemplate } from "./template.ts";

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
  browserHosts: null,
} as unknown as RenderSettings;

function makePlan(leftOut: ReadonlyMap<string, string>): Plan {
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
  return planner.plan(catalogOf(...names.flatMap((name) => [service(name), instance(name, "i")])), {
    resolve: (host) => ({ state: "known", address: isIpLiteral(host) ? host : "10.0.0.1" }),
    portsTaken: new Map(),
    quarantined: leftOut,
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
  const { plan, text } = await configurator.prepare(makePlan, "g");
  expect([...configurator.leftOut.keys()].sort()).toEqual(["bad", "worse"]);
  expect(text).toContain("backend c:v1");
  expect(text).not.toContain("backend bad:");
  expect(plan.maps.known.get("bad")).toBe("left out, HAProxy refuses its part: no good");
  expect(plan.problems.map(({ subject }) => subject)).toEqual(["//bad", "//worse"]);
  expect(asked()).toBeLessThan(15);
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
