// Writes docs/reference.md and docs/mdk-reference.md anew.
import { writeFileSync } from "node:fs";
import { libraryPage } from "./reference/library.ts";
import { referencePage } from "./reference/page.ts";

writeFileSync(new URL("../docs/reference.md", import.meta.url), await referencePage());
writeFileSync(new URL("../docs/mdk-reference.md", import.meta.url), libraryPage());
