import { expect, test } from "vitest";
import type { ServiceView } from "@datawire/catalog";
import { noLog } from "@datawire/runtime";
import { keptServices, releaseChanged } from "../core/reconcile/quarantine.ts";
import { serviceOfLine } from "../core/render/culprits.ts";
import type { Plan } from "../core/model/plan.ts";
import { instance, service, catalogOf } from "../testing/entities.ts";
import { INPUTS, plannerOf, SETTINGS } from "../testing/plans.ts";
import type { ConfigFiles, Refusal } from "../haproxy/config-files.ts";
import { ConfigurationRefused, Configurator } from "./configurator.ts";
import { type MakePlan, prepareFiles } from "./prepare-files.ts";
import { loadTemplate } from "../setup/template.ts";

/** `stays` says how those are that may stay as they were: here, as they are. */
function makePlan(quarantined: ReadonlyMap<string, string>, stays: ReadonlySet<string> = new Set()): Plan {
  const names = ["a", "b", "bad", "c", "worse"];
  const catalog = catalogOf(...names.flatMap((name) => [service(name), instance(name, "i")]));
  const kept = new Map<string, ServiceView>();
  for (const name of stays) {
    const view = catalog.service(name);
    if (view !== null) kept.set(name, view);
  }
  return plannerOf().plan(catalog, { ...INPUTS, quarantined, kept });
}

const prepare = (configurator: Configurator, makeOne: MakePlan) =>
  prepareFiles(configurator, { makePlan: makeOne, configVersion: "g", log: noLog });

/** An HAProxy that refuses some backends, and says where or does not. */
function refusing(pattern: RegExp, { saysLine }: { readonly saysLine: boolean }) {
  let asked = 0;
  const files: ConfigFiles = {
    writeMaps: async () => {},
    async validate(config): Promise<Refusal | null> {
      asked++;
      const at = config.split("\n").findIndex((line) => pattern.test(line));
      return at < 0 ? null : { message: "no good", lines: saysLine ? [at + 2] : [], isSaid: true };
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
])("prepareFiles() leaves out what HAProxy refuses, found %s", async (_how, saysLine) => {
  const { files, asked } = refusing(/^backend (bad|worse):/, { saysLine });
  const configurator = new Configurator(SETTINGS, { template: await loadTemplate(null), files });
  const { plan, quarantine } = await prepare(configurator, (quarantined) => makePlan(quarantined));
  const text = configurator.render(plan, "g");
  expect([...quarantine.reasons.keys()].sort()).toEqual(["bad", "worse"]);
  expect(text).toContain("backend c:v1");
  expect(text).not.toContain("backend bad:");
  expect(plan.maps.known.get("bad")).toBe("left out, HAProxy refuses its part: no good");
  expect(plan.problems.map(({ subject }) => subject)).toEqual(["//bad", "//worse"]);
  expect(asked()).toBeLessThan(15);
});

test("prepareFiles() drops what HAProxy refuses as it was before, too", async () => {
  const { files } = refusing(/^backend (bad|worse):/, { saysLine: true });
  const configurator = new Configurator(SETTINGS, { template: await loadTemplate(null), files });
  const asked: string[][] = [];
  const { plan, quarantine } = await prepare(configurator, (quarantined, kept) => {
    asked.push([...kept]);
    return makePlan(quarantined, kept);
  });
  expect(asked).toEqual([[], ["bad"], [], ["worse"], []]);
  expect([...keptServices(quarantine)]).toEqual([]);
  expect([...plan.views.keys()].sort()).toEqual(["a", "b", "c"]);
  expect([...releaseChanged(quarantine, ["bad", "worse"]).reasons]).toEqual([]);
});

test("prepareFiles() blames no service for what is refused without any", async () => {
  const { files } = refusing(/^frontend http_in/, { saysLine: false });
  const configurator = new Configurator(SETTINGS, { template: await loadTemplate(null), files });
  await expect(prepare(configurator, makePlan)).rejects.toThrow(ConfigurationRefused);
  const options = { configVersion: "g", without: () => makePlan(new Map()) };
  expect(await configurator.validate(makePlan(new Map()), options)).toMatchObject({ services: [] });
});

test("serviceOfLine() knows the section that a line stands in", () => {
  const lines = ["global", "  x", "backend a:v1 from http", "  y", "frontend http_in", "  z"];
  expect([2, 4, 6].map((line) => serviceOfLine(lines, line))).toEqual([null, "a", null]);
});
