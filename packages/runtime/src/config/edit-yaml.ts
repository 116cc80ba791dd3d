import { isMap, isScalar, parseDocument } from "yaml";
import type { Path, Problem } from "./problem.ts";
import { unveiled, veil } from "./veil.ts";
import { parseYaml } from "./yaml-document.ts";

/** The text of a file with one value changed, or everything that keeps it from being read. */
export type Edited =
  | { readonly ok: true; readonly text: string; has(key: string): boolean }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Changes one value in the text of a YAML file, by the rules by which it is read. All else stays as it was typed,
 * comments and numbers too.
 */
export function setInYaml(text: string, file: string, { path, value }: { path: Path; value: unknown }): Edited {
  // A variable that is not set here may be set where the file is read.
  const read = parseYaml(text, file, { env: {} });
  if (read.document === undefined) return { ok: false, problems: read.ok ? [] : read.problems };
  // Of the schema in which all is text, so that nothing is written as a number would be.
  const document = parseDocument(veil(text), { schema: "failsafe", resolveKnownTags: false, uniqueKeys: false });
  const atRoot = document.contents;
  if (atRoot !== null && !isMap(atRoot) && !(isScalar(atRoot) && atRoot.value === ""))
    return { ok: false, problems: [{ ...read.document.locate([]), message: NO_MAPPING }] };
  for (const [index] of path.slice(1).entries()) {
    const parent = path.slice(0, index + 1);
    // What is no mapping, as where the value is left out, makes room for one.
    if (!isMap(document.getIn(parent, true))) document.setIn(parent, document.createNode({}));
  }
  document.setIn(path, value);
  return { ok: true, text: unveiled(document.toString({ lineWidth: 0 })), has: (key) => document.has(key) };
}

/** What is said of a file of settings that is a list or a text. */
export const NO_MAPPING = "the file is not a mapping: wanted KEY: VALUE lines";
