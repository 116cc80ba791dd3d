// Writes the manual pages into a folder.
//   node scripts/man.ts [FOLDER]        default: dist/man
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "@datawire/runtime";
import { manPages } from "./reference/man.ts";

const folder = process.argv[2] ?? fileURLToPath(new URL("../dist/man", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const { file, text } of manPages({ version: VERSION })) writeFileSync(join(folder, file), text);
