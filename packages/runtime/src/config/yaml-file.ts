import type { z } from "zod";
import { readBounded } from "../atomic-file.ts";
import { explainSystemError, systemErrorCode } from "../system-error.ts";
import { check } from "./issue-message.ts";
import { type Path, type Place, type Problem, addProblems } from "./problem.ts";
import type { Env } from "./substitute.ts";
import { parseYaml } from "./yaml-document.ts";

/** A configuration file is written by people; a larger one is something else. */
const FILE_BYTES_MAX = 1024 * 1024;

/** A file that obeys its schema, with where each value stands; or all that is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; locate(path: Path): Place }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Parses the text of a YAML file by a schema; everything that is wrong is reported at once. */
export function parseYamlFile<S extends z.ZodType>(
  text: string,
  file: string,
  { schema, env }: { readonly schema: S; readonly env: Env },
): Parsed<z.output<S>> {
  const yaml = parseYaml(text, file, env);
  const known = yaml.ok ? [] : yaml.problems;
  const { document } = yaml;
  if (document === undefined) return { ok: false, problems: known };
  if (document.value === null)
    return { ok: false, problems: [{ file, line: 1, column: 1, message: "the file is empty" }] };
  const checked = check(schema, document.value);
  if (checked.ok && known.length === 0) return { ok: true, value: checked.value, locate: document.locate };
  const found = checked.ok ? [] : checked.findings;
  const problems = found.map(({ path, atKey, message }) => ({
    ...(atKey ? document.locateKey(path) : document.locate(path)),
    message,
  }));
  return { ok: false, problems: addProblems(known, problems) };
}

/** What reading a text file gave; `missing` is apart, as a file that need not be there is no problem. */
export type TextRead =
  | { readonly state: "read"; readonly text: string }
  | { readonly state: "missing"; readonly problem: Problem }
  | { readonly state: "unusable"; readonly problem: Problem };

/** The second is what a home of /dev/null gives, as users of services have it. */
const MISSING: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** Reads a text file for `parseYamlFile`: UTF-8, of at most 1 MiB. */
export async function readTextFile(file: string): Promise<TextRead> {
  const problem = (message: string): Problem => ({ file, line: 1, column: 1, message });
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(file, FILE_BYTES_MAX + 1);
  } catch (error) {
    const state = MISSING.has(systemErrorCode(error) ?? "") ? "missing" : "unusable";
    return { state, problem: problem(`Cannot read the file: ${explainSystemError(error)}`) };
  }
  if (bytes.length > FILE_BYTES_MAX) {
    return { state: "unusable", problem: problem(`Cannot read the file: it is larger than ${FILE_BYTES_MAX} bytes`) };
  }
  try {
    return { state: "read", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { state: "unusable", problem: problem("Cannot read the file: it is not text in UTF-8") };
  }
}
