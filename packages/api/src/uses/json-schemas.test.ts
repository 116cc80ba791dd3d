import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { schemaFiles } from "./json-schemas.ts";

const folder = new URL("../../../../docs/schemas/", import.meta.url);

test("schemaFiles() is what docs/schemas has; `node scripts/schemas.ts` writes it", () => {
  const written = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8")] as const);
  expect(new Map(written)).toEqual(schemaFiles());
});
