import {
  type Document,
  LineCounter,
  type Node,
  type Pair,
  Scalar,
  type YAMLParseError,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from "yaml";
import type { Path, Place, Problem } from "./problem.ts";
import { type Env, substitute } from "./substitute.ts";

/** A YAML document as plain values, with the way back to where each of them stands. */
export interface YamlDocument {
  /** `null` for an empty document. */
  readonly value: unknown;
  /** Where the value at `path` stands; for one that is missing, the nearest that holds it. */
  locate(path: Path): Place;
  /** Where the key at `path` stands. */
  locateKey(path: Path): Place;
}

export type YamlResult =
  | { readonly ok: true; readonly document: YamlDocument }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /** Given where the problems are those of single values, as of a variable that is not set: the rest can be checked. */
      readonly document?: YamlDocument;
    };

/** Aliases may stand for at most this many values in all: a few lines of nested ones would fill the memory. */
const ALIASES_MAX = 100;

/** Parses the text of a YAML file and replaces `${NAME}` in its values. Syntax errors are all reported, with their places. */
export function parseYaml(text: string, file: string, env: Env): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const errors = [...document.errors, ...document.warnings];
  const problems = errors.map((error) => ({ ...place(error.pos[0]), message: syntaxMessage(error) }));
  if (problems.length === 0) problems.push(...oddKeys(document, place));
  if (problems.length > 0) return { ok: false, problems };
  const unfilled = substituteAll(document, env, place);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch {
    return {
      ok: false,
      problems: [{ ...place(0), message: `aliases (*name) stand for too much: at most ${ALIASES_MAX} values` }],
    };
  }
  const parsed: YamlDocument = {
    value,
    locate: (path) => place(offsets(document, path).value),
    locateKey: (path) => place(offsets(document, path).key),
  };
  return unfilled.length > 0 ? { ok: false, problems: unfilled, document: parsed } : { ok: true, document: parsed };
}

const messages: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "this key appears twice in the same mapping",
  MULTIPLE_DOCS: "a second document begins here (---): wanted one document a file",
  TAB_AS_INDENT: "a tab is used for indentation: wanted spaces",
};

function syntaxMessage({ code, message }: Pick<YAMLParseError, "message"> & { readonly code: string }): string {
  const text = messages[code] ?? message.split("\n", 1)[0] ?? message;
  return text === messages[code] ? text : `invalid YAML: ${text}`;
}

/** YAML allows a mapping or a list as a key, which nobody means: mostly it is an unquoted `{{ template }}`. */
function oddKeys(document: Document, place: (offset: number) => Place): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key)) return;
      problems.push({
        ...place(start(key) ?? 0),
        message: "a key is not plain text: wanted KEY: VALUE, with { and [ quoted",
      });
    },
  });
  return problems;
}

function substituteAll(document: Document, env: Env, place: (offset: number) => Place): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("${")) return;
      const result = substitute(node.value, env);
      const at = place(node.range?.[0] ?? 0);
      if (result.ok) {
        node.value = node.type === Scalar.PLAIN ? retype(result.text) : result.text;
        return;
      }
      for (const name of result.unset)
        problems.push({ ...at, message: `the variable ${name} is not set in the environment` });
      for (const what of result.malformed) {
        problems.push({
          ...at,
          message: `${JSON.stringify(what)} names no variable: wanted \${NAME}, or $\${ for a literal \${`,
        });
      }
    },
  });
  return problems;
}

/** A value that is not quoted is what YAML makes of its text, so that `port: ${PORT}` gives a number. */
function retype(text: string): string | number | boolean {
  if (/^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text)) return Number(text);
  return text === "true" ? true : text === "false" ? false : text;
}

/** The offsets of the key and of the value at `path`, or of the last part of it that exists. */
function offsets(document: Document, path: Path): { readonly key: number; readonly value: number } {
  let node: unknown = document.contents;
  let found = { key: 0, value: start(node) ?? 0 };
  for (const [depth, key] of path.entries()) {
    const container = isAlias(node) ? node.resolve(document) : node;
    const item: Pair | Node | undefined = isMap(container)
      ? container.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
      : isSeq(container) && typeof key === "number"
        ? (container.items[key] as Node | undefined)
        : undefined;
    // What is missing is missing from a mapping, which its key shows better than its first entry.
    if (item === undefined) return { key: found.key, value: depth === 0 ? found.value : found.key };
    node = isPair(item) ? item.value : item;
    const value = start(node);
    const ofKey = (isPair(item) ? start(item.key) : undefined) ?? value ?? found.key;
    found = { key: ofKey, value: value ?? ofKey };
  }
  return found;
}

/** Where a node begins; an empty value stands nowhere of its own. */
function start(node: unknown): number | undefined {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
  if (!range || (isScalar(node) && node.value === null && node.source === "")) return undefined;
  return range[0];
}
