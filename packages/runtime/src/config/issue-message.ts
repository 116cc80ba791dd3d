import { z } from "zod";
import { maskSecrets, nearest, own } from "@datawire/protocol";
import { type Path, formatPath } from "./problem.ts";
import { fitTo, isSecret } from "./schema-walk.ts";
import { Written } from "./written.ts";

declare module "zod" {
  interface GlobalMeta {
    /** What a value must be, as it ends the sentence "KEY is VALUE: wanted …". */
    wanted?: string;
    /** What happens without the setting, where the default is not a fixed value; for the reference page. */
    otherwise?: string;
    /** Whether the value is secret, and never shown. */
    secret?: boolean;
  }
}

/** An issue that zod found, in words for people. */
export interface Finding {
  readonly path: Path;
  /** The key itself is wrong, not its value. */
  readonly atKey: boolean;
  readonly message: string;
}

/** A value that fits its schema, or everything that is wrong with it. */
export type Checked<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** What was given, as plain data. */
      readonly given: unknown;
    }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** How findings quote values. */
export interface CheckOptions {
  /** What to show in the place of a value that came from the environment; undefined for any other. */
  readonly templateAt?: (path: Path) => string | undefined;
}

/**
 * Validates a value and reports every problem as "KEY is VALUE: why, wanted …".
 *
 * What was wanted comes from the schema's `.meta({ wanted })`, from a message given in the schema (which therefore
 * reads like "a duration such as 3s"), or from the check; why, from the parser that refused it (`refusal`). Neither
 * shows a value that is secret or came from the environment.
 */
export function check<S extends z.ZodType>(
  schema: S,
  written: unknown,
  { templateAt = () => undefined }: CheckOptions = {},
): Checked<z.output<S>> {
  const given = fitTo(schema, written);
  // Code of its own for each object would pay for a schema that is used again and again; settings are read once.
  const result = schema.safeParse(given, { error: (issue) => wantedBy(issue), jitless: true });
  if (result.success) return { ok: true, value: result.data, given };
  const findings = result.error.issues.flatMap((issue) => flatten(issue, { at: [], given }));
  return {
    ok: false,
    findings: findings.map((raw) => ({
      path: raw.path,
      atKey: raw.atKey,
      message: maskSecrets(sentence(raw, shownAt(raw.path, { schema, given, templateAt }))),
    })),
  };
}

/** The parameters of a parser's issue: `why` it refused the value, in its own words, and what was wanted. */
export function refusal(error: unknown, wanted: string): { code: "custom"; message: string; params: Reason } {
  return { code: "custom", message: wanted, params: { why: error instanceof Error ? error.message : String(error) } };
}

interface Reason {
  readonly why: string;
}

interface Raw {
  readonly path: Path;
  readonly atKey: boolean;
  readonly wanted: string;
  /** Why the value was refused; null where "wanted" says that already. */
  readonly why: string | null;
}

interface Shown {
  readonly text: string;
  /** Whether the value is secret, so that the reason, which might repeat it, is not shown either. */
  readonly isHidden: boolean;
}

function sentence({ path, atKey, wanted, why }: Raw, { text, isHidden }: Shown): string {
  const name = path.length === 0 ? "the document" : formatPath(path);
  if (atKey) return wanted;
  if (why === null || isHidden || why.endsWith(`: wanted ${wanted}`))
    return `${name} is ${text}: ${wanted === "" ? "it cannot be used" : `wanted ${wanted}`}`;
  // A complete sentence, which quotes the value and says what was wanted.
  if (why.startsWith("Cannot ")) return `${name}: ${why}`;
  return `${name} is ${text}: ${why}${wanted === "" ? "" : `; wanted ${wanted}`}`;
}

function shownAt(
  path: Path,
  { schema, given, templateAt }: { schema: z.ZodType; given: unknown } & Required<CheckOptions>,
): Shown {
  const template = templateAt(path);
  if (template !== undefined) return { text: JSON.stringify(template), isHidden: true };
  if (isSecret(schema, path)) return { text: "not usable", isHidden: true };
  return { text: describeValue(valueAt(given, path)), isHidden: false };
}

type Issue = z.core.$ZodIssue;

function flatten(issue: Issue, { at, given }: { readonly at: Path; readonly given: unknown }): Raw[] {
  const path = [...at, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
  const here: Raw = { path, atKey: false, wanted: issue.message, why: whyOf(issue, valueAt(given, path)) };
  switch (issue.code) {
    case "unrecognized_keys": {
      const hints = issue.message.split("\n"); // one for each key, from wantedBy()
      return issue.keys.map((key, index) => {
        const name = formatPath([...path, key]);
        return {
          path: [...path, key],
          atKey: true,
          wanted: `${name} is not a known key${hints[index] ?? ""}`,
          why: null,
        };
      });
    }
    case "invalid_union": {
      // A value that fits no alternative of a union gets what the union as a whole wants; any other, what is wrong
      // within the alternative.
      const fitting = closest(issue.errors);
      if (fitting !== null) return fitting.flatMap((inner) => flatten(inner, { at: path, given }));
      return [issue.message === "" ? { ...here, wanted: wantedByAny(issue.errors) } : here];
    }
    case "invalid_key":
      return [{ ...here, atKey: true, wanted: `${formatPath(path)} cannot be a key here: ${keyReason(issue)}` }];
    default:
      return [here];
  }
}

/** Why a value was refused, where that is known. */
function whyOf(issue: Issue, value: unknown): string | null {
  if (issue.code === "custom" && typeof issue.params?.["why"] === "string") return issue.params["why"];
  // A message that is a complete sentence says both.
  if (issue.message.startsWith("Cannot ")) return issue.message;
  if (value instanceof Written) return "without quotes that means no value";
  const isTyped = issue.code === "invalid_union" ? issue.errors.flat().some(wantsTyped) : wantsTyped(issue);
  const looksTyped = typeof value === "string" && /^(?:true|false|-?\d+(?:\.\d+)?)$/.test(value);
  return isTyped && looksTyped ? "in quotes it is text" : null;
}

const wantsTyped = (issue: Issue): boolean =>
  issue.code === "invalid_type" && ["number", "int", "boolean"].includes(issue.expected);

function keyReason(issue: z.core.$ZodIssueInvalidKey): string {
  const [first] = issue.issues;
  const why = first === undefined ? null : whyOf(first, undefined);
  if (why?.startsWith("Cannot ")) return why;
  return `${why === null ? "" : `${why}; `}wanted ${first?.message ?? "another one"}`;
}

type Alternatives = readonly (readonly Issue[])[];

/**
 * The issues of the alternative of a union that fits best: one that a parser read and refused, else one of the right
 * kind, and of these the one with the fewest issues.
 */
function closest(alternatives: Alternatives): readonly Issue[] | null {
  const all = alternatives.flatMap(withinUnion);
  const fitting = all.filter((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code === "unrecognized_keys" || issue.code === "custom"),
  );
  return fitting.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

/** Flattens a union within a union into its alternatives. */
function withinUnion(issues: readonly Issue[]): Alternatives {
  const [issue, ...more] = issues;
  if (issue?.code !== "invalid_union" || issue.path.length > 0 || more.length > 0) return [issues];
  return issue.errors.flatMap(withinUnion);
}

function wantedByAny(alternatives: Alternatives): string {
  const wanted = alternatives.flatMap((issues) => issues.slice(0, 1).map((issue) => issue.message));
  return [...new Set(wanted)].filter((text) => text !== "").join(", or ");
}

/** What the schema wanted. For unknown keys, one hint a line. */
function wantedBy(issue: z.core.$ZodRawIssue): string {
  const wanted = issue.inst instanceof z.ZodType ? issue.inst.meta()?.wanted : undefined;
  if (wanted !== undefined && issue.code !== "unrecognized_keys") return wanted;
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return issue.keys.map((key) => keyHint(key, known)).join("\n");
    }
    case "invalid_type":
      return KINDS.get(issue.expected) ?? `a ${issue.expected}`;
    case "invalid_value":
      return choice(issue.values.map(String), issue.input);
    case "too_small":
      return bound(
        issue.origin,
        `${issue.inclusive === false ? "more than" : "at least"} ${String(issue.minimum)}`,
        issue.minimum,
      );
    case "too_big":
      return bound(
        issue.origin,
        `${issue.inclusive === false ? "less than" : "at most"} ${String(issue.maximum)}`,
        issue.maximum,
      );
    case "not_multiple_of":
      return `a multiple of ${String(issue.divisor)}`;
    case "invalid_format":
      return issue.format === "regex" ? `text like ${issue.pattern ?? "the pattern"}` : `a valid ${issue.format}`;
    default:
      return "";
  }
}

const KINDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    string: "text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    object: "a mapping of keys to values",
    record: "a mapping of keys to values",
    array: "a list",
    null: "nothing",
  }),
);

function keyHint(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `: did you mean ${near}?`;
  return known.length === 0 ? "" : `: wanted one of ${known.join(", ")}`;
}

function choice(values: readonly string[], input: unknown): string {
  const near = typeof input === "string" ? nearest(input, values) : undefined;
  const list = values.length === 1 ? String(values[0]) : `one of ${values.join(", ")}`;
  return near === undefined ? list : `${list} (did you mean ${near}?)`;
}

function bound(origin: string, limit: string, count: number | bigint): string {
  if (origin === "string") return `${limit} ${Number(count) === 1 ? "character" : "characters"}`;
  if (origin === "array" || origin === "set") return `${limit} ${Number(count) === 1 ? "entry" : "entries"}`;
  return `a number of ${limit}`
    .replace("a number of more", "a number more")
    .replace("a number of less", "a number less");
}

const SHOWN_MAX = 80;

function describeValue(value: unknown): string {
  if (value instanceof Written) return value.text;
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a mapping";
  // JSON cannot express infinity or NaN.
  const text = typeof value === "number" ? String(value) : maskSecrets(JSON.stringify(value) ?? typeof value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** The value at a path of plain data. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null) return undefined;
    return own(value as Record<string, unknown>, String(key));
  }, root);
}
