import { type Document, LineCounter, Scalar, type YAMLError, isScalar, parseDocument, visit } from "yaml";
import { firstOfEachPlace, firstProblems, type Path, type Place, type Problem } from "./problem.ts";
import { type Env, substitute } from "./substitute.ts";
import { isVeiled, unveiled, veil } from "./veil.ts";
import { TreeError, YamlTree, keyText, startOf } from "./yaml-tree.ts";

/** A YAML document as plain values, with the way back to where each of them stands. */
export interface YamlDocument {
  /** `null` for an empty document; has a `Written` for each scalar that YAML does not read as text. */
  readonly value: unknown;
  /** Where the value at `path` stands; for a missing value, the place of the nearest parent. */
  locate(path: Path): Place;
  /** Where the key at `path` stands. */
  locateKey(path: Path): Place;
  /** For a value with something from the environment, the text as written, with `${NAME}`; undefined for any other. */
  templateAt(path: Path): string | undefined;
}

/** A document that could be read, or everything that stands in the way. */
export type YamlResult =
  | { readonly ok: true; readonly document: YamlDocument }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      /**
       * Given where only single values have problems, such as a variable that is not set, so that the rest can be
       * checked too.
       */
      readonly document?: YamlDocument;
    };

/** What `${NAME}` is replaced by. */
export interface Variables {
  readonly env: Env;
  /** Why a variable may not be used in this file; null when it may. Default: all may. */
  readonly refuse?: ((name: string) => string | null) | undefined;
}

/** Parses the text of a YAML file and replaces `${NAME}` in its values. Syntax errors are all reported, with their places. */
export function parseYaml(text: string, file: string, variables: Variables): YamlResult {
  const lines = new LineCounter();
  const veiled = veil(text);
  const document = parseDocument(veiled, {
    lineCounter: lines,
    prettyErrors: false,
    // No setting is a set, a binary or the like.
    resolveKnownTags: false,
    // Checked below instead: the library compares every pair of keys, and as YAML reads them, not as they were written.
    uniqueKeys: false,
  });
  // Each walk through a large document takes a twentieth of the time that reading it takes.
  if (veiled !== text) unveil(document);
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const errors = worthTelling([...document.errors, ...document.warnings]);
  const problems = firstOfEachPlace(errors.map((error) => ({ ...place(error.pos[0]), message: syntaxMessage(error) })));
  if (problems.length === 0) problems.push(...oddKeys(document, place));
  if (problems.length > 0) return { ok: false, problems: firstProblems(problems) };
  const { templates, unfilled } = /[$\\]/.test(text) ? substituteAll(document, variables, place) : NOTHING_TO_REPLACE;
  const tree = new YamlTree(document);
  let value: unknown;
  try {
    value = tree.toData();
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    return { ok: false, problems: [{ ...place(error.offset), message: error.message }] };
  }
  const parsed: YamlDocument = {
    value,
    locate: (path) => place(offsets(tree, path).value),
    locateKey: (path) => place(offsets(tree, path).key),
    templateAt(path) {
      const { value: node, isWhole } = tree.find(path);
      return isWhole && isScalar(node) ? templates.get(node) : undefined;
    },
  };
  return unfilled.length > 0 ? { ok: false, problems: unfilled, document: parsed } : { ok: true, document: parsed };
}

function unveil(document: Document): void {
  visit(document, {
    Scalar(_, node) {
      if (node.source === undefined || !isVeiled(node.source)) return;
      node.source = unveiled(node.source);
      if (typeof node.value === "string") node.value = unveiled(node.value);
    },
  });
}

/** In a document that is nested too deep, each level would be an error. */
function worthTelling(errors: readonly YAMLError[]): readonly YAMLError[] {
  const deep = errors.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  return deep === undefined ? errors : [deep];
}

const messages: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second document begins here (---): wanted one document a file",
  TAB_AS_INDENT: "a tab is used for indentation: wanted spaces",
  RESOURCE_EXHAUSTION: "the document is nested too deep",
};

/** What to do about an error, where the parser's message does not say it. */
const remedies: Readonly<Record<string, string>> = {
  BAD_SCALAR_START: "wanted quotes around a text that begins so",
  BAD_DQ_ESCAPE: "wanted single quotes, in which a backslash is one",
  BLOCK_AS_IMPLICIT_KEY: "wanted quotes around a text with a colon and a blank in it",
  UNEXPECTED_TOKEN: "wanted quotes around the whole text, or one value after a key",
  TAG_RESOLVE_FAILED: "wanted quotes around a text that begins with !",
  BAD_DIRECTIVE: "wanted no line that begins with %",
};

function syntaxMessage({ code, message }: Pick<YAMLError, "message" | "code">): string {
  const own = messages[code];
  if (own !== undefined) return own;
  const text = unveiled((message.split("\n", 1)[0] ?? message).trim());
  const remedy = remedies[code];
  return `invalid YAML: ${text}${remedy === undefined ? "" : `; ${remedy}`}`;
}

const TWICE = "this key appears twice in the same mapping";

/**
 * Reports keys that YAML allows but nobody means: a mapping or a list, which usually is an unquoted `{{ template }}`;
 * an empty key; a duplicate; and `${NAME}` in a key, as it is replaced in values only.
 */
function oddKeys(document: Document, place: (offset: number) => Place): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const message = oddKey(key) ?? (seen.has(keyText(key)) ? TWICE : null);
        seen.add(keyText(key));
        if (message !== null) problems.push({ ...place(startOf(key)), message });
      }
    },
  });
  return problems;
}

function oddKey(key: unknown): string | null {
  if (!isScalar(key)) return "a key is not plain text: wanted KEY: VALUE, with { and [ quoted";
  const text = keyText(key);
  if (text === "" && !isQuoted(key)) return "a key is missing before the colon: wanted KEY: VALUE";
  if (text === "__proto__") return '"__proto__" cannot be a key';
  if (/\$\{\w+\}/.test(text)) return `${JSON.stringify(text)} is a key: \${NAME} is replaced in values alone`;
  return null;
}

const isQuoted = ({ type }: Scalar): boolean => type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE;

interface Substituted {
  /** The text that was written, by scalar, where `${NAME}` was replaced in it. */
  readonly templates: ReadonlyMap<Scalar, string>;
  readonly unfilled: readonly Problem[];
}

/** Of a text without a dollar sign, which a backslash may stand for too. */
const NOTHING_TO_REPLACE: Substituted = { templates: new Map(), unfilled: [] };

function substituteAll(
  document: Document,
  { env, refuse = () => null }: Variables,
  place: (offset: number) => Place,
): Substituted {
  const templates = new Map<Scalar, string>();
  const unfilled: Problem[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("${")) return;
      const written = node.value;
      const result = substitute(written, env);
      const at = place(node.range?.[0] ?? 0);
      const refused = result.names.flatMap((name) => {
        const why = refuse(name);
        return why === null ? [] : [{ ...at, message: `the variable ${name} cannot be used here: ${why}` }];
      });
      if (refused.length > 0) return void unfilled.push(...refused);
      if (result.ok) {
        if (result.names.length > 0) templates.set(node, written);
        node.value = node.type === Scalar.PLAIN ? retype(result.text) : result.text;
        node.source = result.text;
        return;
      }
      for (const name of new Set(result.unset))
        unfilled.push({ ...at, message: `the variable ${name} is not set in the environment` });
      for (const what of new Set(result.malformed)) {
        unfilled.push({
          ...at,
          message: `${JSON.stringify(what)} names no variable: wanted \${NAME}, or $\${ for a literal \${`,
        });
      }
    },
  });
  return { templates, unfilled };
}

/** Reads the replaced text of an unquoted value as YAML does, so that `port: ${PORT}` gives a number. */
function retype(text: string): string | number | boolean {
  if (/^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text)) return Number(text);
  return text === "true" ? true : text === "false" ? false : text;
}

/** The offsets of the key and of the value at `path`, or of the last part of it that exists. */
function offsets(tree: YamlTree, path: Path): { readonly key: number; readonly value: number } {
  const { key, value, isWhole } = tree.find(path);
  const atKey = startOf(key);
  // What is missing is missing from a mapping, and the key of that mapping shows this better than its first entry.
  if (!isWhole) return { key: atKey, value: key === null ? startOf(value) : atKey };
  const atValue = isNowhere(value) ? atKey : startOf(value);
  return { key: key === null ? atValue : atKey, value: atValue };
}

/** An empty value has no position of its own. */
function isNowhere(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.source === "");
}
