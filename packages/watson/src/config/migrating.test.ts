import { readdirSync, readFileSync } from "node:fs";
import { formatProblem } from "@datawire/runtime";
import { expect, test } from "vitest";
import type { ServiceDefinition } from "../model/service-definition.ts";
import { RULES } from "../testing/migrating-rules.ts";
import { readServices } from "./service-file.ts";
import { createFileSchema } from "./service-schema.ts";

/** Ten configurations as they are found, and what became of them by docs/migrating.md; `e2e/migrating.test.ts` runs both. */
const FIXTURES = new URL("../../../../e2e/fixtures/migrating/", import.meta.url);
const text = (name: string): string => readFileSync(new URL(name, FIXTURES), "utf8");

function instancesOf(name: string): readonly ServiceDefinition[] {
  const router = { host: "127.0.0.1", port: 5434 };
  const usual = { env: {}, host: "vm", zone: null, defaults: {}, router, directories: [] };
  const context = { ...usual, noExec: null, noEnv: null };
  const read = readServices(text(`services/${name}.yaml`), name, { ...context, schema: createFileSchema(context) });
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join("\n"));
  return read.instances;
}

test.each(readdirSync(new URL("before", FIXTURES)))("what became of %s means what it meant", (file) => {
  const [name = ""] = file.split(".");
  const wanted = RULES[name]?.(text(`before/${file}`)) ?? [];
  expect(wanted).not.toEqual([]);
  expect(instancesOf(name)).toMatchObject(wanted);
});
