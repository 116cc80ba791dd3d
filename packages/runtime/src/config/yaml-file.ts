import type { z } from "zod";
import { readBounded } from "../files/atomic-file.ts";
import { explainSystemError, systemErrorCode } from "../errors/system-error.ts";
import { check } from "./issue-message.ts";
import { type Path, type Place, type Problem, addProblems, firstProblems } from "./problem.ts";
import { type Variables, parseYaml } from "./yaml-document.ts";

/** Configuration is written by people; a larger file is something else. */
const FILE_BYTES_MAX = 1024 * 1024;

/** A file that fits its schema, with the place of each value; or everything that is wrong with it. */
export type Parsed<T> =
  | {
      readonly ok: true;
      readonly value: T;
      locate(path: Path): Place;
      /** As of `YamlDocument`. */
      templateAt(path: Path): string | undefined;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Parses the text of a YAML file by a schema; everything that is wrong is reported at once. */
export function parseYamlFile<S extends z.ZodType>(
  text: string,
  file: string,
  { schema, ...variables }: { readonly schema: S } & Variables,
): Parsed<z.output<S>> {
  const yaml = parseYaml(text, file, variables);
  const known = yaml.ok ? [] : yaml.problems;
  const { document } = yaml;
  if (document === undefined) return { ok: false, problems: known };
  // A file of comments only was meant to be empty; one without any content was perhaps cut off.
  if (text.trim() === "") return { ok: false, problems: [{ file, line: 1, column: 1, message: "the file is empty" }] };
  const { value, locate, templateAt } = document;
  const checked = check(schema, value, { templateAt });
  if (checked.ok && known.length === 0) return { ok: true, value: checked.value, locate, templateAt };
  const found = checked.ok ? [] : checked.findings;
  const problems = found.map(({ path, atKey, message }) => ({
    ...(atKey ? document.locateKey(path) : document.locate(path)),
    message,
  }));
  return { ok: false, problems: firstProblems(addProblems(known, problems)) };
}

/** The result of reading a text file; `missing` is separate, as a file that need not exist is no problem. */
export type TextRead =
  | { readonly state: "read"; readonly text: string }
  | { readonly state: "missing"; readonly problem: Problem }
  | { readonly state: "unusable"; readonly problem: Problem };

/** The second comes of a home folder of /dev/null, which service users have. */
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
  const decoded = decodeText(bytes);
  if (decoded.ok) return { state: "read", text: decoded.text };
  return { state: "unusable", problem: { file, ...decoded } };
}

/** The text, or the place of the first byte that is not UTF-8, and what to say of it. */
export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly line: number; readonly column: number; readonly message: string };

/** Reads bytes as UTF-8, without a byte order mark. A zero byte is refused: it usually comes from UTF-16. */
export function decodeText(bytes: Uint8Array): DecodedText {
  const text = decode(bytes);
  const zero = bytes.indexOf(0);
  if (text !== null && zero < 0) return { ok: true, text };
  const wrong = text === null ? firstWrong(bytes) : zero;
  const start = bytes.lastIndexOf(NEW_LINE, wrong) + 1;
  const line = bytes.subarray(0, start).filter((byte) => byte === NEW_LINE).length + 1;
  const column = (decode(bytes.subarray(start, wrong)) ?? "").length + 1;
  const byte = (bytes[wrong] ?? 0).toString(16).padStart(2, "0");
  return {
    ok: false,
    line,
    column,
    message: `Cannot read the file: it is not text in UTF-8 (the byte 0x${byte} here)`,
  };
}

const NEW_LINE = 0x0a;
/** The most bytes that one character takes. */
const CHARACTER_BYTES_MAX = 4;

/** The offset of the first byte that belongs to no character. */
function firstWrong(bytes: Uint8Array): number {
  let offset = 0;
  // Line by line first, as no multi-byte character contains the byte of a line feed.
  for (let end = 0; end >= 0 && decode(bytes.subarray(offset, end)) !== null;) {
    offset = end === 0 ? 0 : end + 1;
    end = bytes.indexOf(NEW_LINE, offset);
  }
  for (let length = 1; length <= CHARACTER_BYTES_MAX;) {
    if (decode(bytes.subarray(offset, offset + length)) === null) length += 1;
    else [offset, length] = [offset + length, 1];
  }
  return offset;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
