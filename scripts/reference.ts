// Writes docs/reference.md anew.
import { writeFileSync } from "node:fs";
import { referencePage } from "./reference/page.ts";

writeFileSync(new URL("../docs/reference.md", import.meta.url), await referencePage());
