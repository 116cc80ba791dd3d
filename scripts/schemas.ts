// Writes docs/schemas anew.
//   node scripts/schemas.ts
import { mkdirSync, writeFileSync } from "node:fs";
import { schemaFiles } from "@datawire/api";

const folder = new URL("../docs/schemas/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of schemaFiles()) writeFileSync(new URL(name, folder), text);
