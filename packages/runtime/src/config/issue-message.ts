import { z } from "zod";
import { nearest } from "@datawire/protocol";
import { type Path, formatPath } from "./problem.ts";

declare module "zod" {
  interface GlobalMeta {
    /** What a value must be, as it ends the sentence "KEY is VALUE: wanted …". */
    wanted?: string;
    /** What holds without the setting, where that is no fixed value; for the reference page. */
    otherwise?: string;
  }
}

/** An issue that zod found, told for people. */
export interface Finding {
  readonly path: Path;
  /** The key itself is wrong, not its value. */
  readonly atKey: boolean;
  readonly message: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export interface CheckOptions {
  /** Paths (`token`, `tls.key`) whose values must not be shown. */
  readonly secrets?: readonly string[];
}

/**
 * Validates a value and tells every problem as "KEY is VALUE: wanted …".
 *
 * What was wanted comes from the schema's `.meta({ wanted })`, from a message given in the schema (which therefore
 * reads like "a duration such as 3s"; one that begins with "Cannot " is a sentence of its own), or from the check.
 */
export function check<S extends z.ZodType>(
  schema: S,
  input: unknown,
  { secrets = [] }: CheckOptions = {},
): Checked<z.output<S>> {
  const result = schema.safeParse(input, { error: (issue) => wantedBy(issue) });
  if (result.success) return { ok: true, value: result.data };
  const show = (path: Path): string =>
    secrets.includes(formatPath(path)) ? "not usable" : describeValue(valueAt(input, path));
  const findings = result.error.issues.flatMap((issue) => flatten(issue, { at: [], input }));
  return {
    ok: false,
    findings: findings.map(({ path, atKey, wanted }) => ({
      path,
      atKey,
      message: sentence({ path, atKey, wanted, show }),
    })),
  };
}

interface Raw {
  readonly path: Path;
  readonly atKey: boolean;
  readonly wanted: string;
}

function sentence({ path, atKey, wanted, show }: Raw & { readonly show: (path: Path) => string }): string {
  const name = path.length === 0 ? "the document" : formatPath(path);
  if (atKey) return wanted;
  return wanted.startsWith("Cannot ") ? `${name}: ${wanted}` : `${name} is ${show(path)}: wanted ${wanted}`;
}

type Issue = z.core.$ZodIssue;

function flatten(issue: Issue, { at, input }: { readonly at: Path; readonly input: unknown }): Raw[] {
  const path = [...at, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
  const here: Raw = { path, atKey: false, wanted: issue.message };
  switch (issue.code) {
    case "unrecognized_keys": {
      const hints = issue.message.split("\n"); // one for each key, from wantedBy()
      return issue.keys.map((key, index) => {
        const name = formatPath([...path, key]);
        return { path: [...path, key], atKey: true, wanted: `${name} is not a known key${hints[index] ?? ""}` };
      });
    }
    case "invalid_union": {
      // What the union as a whole wants is told of a value of none of its kinds; else what is wrong within.
      const fitting = closest(issue.errors);
      if (fitting !== null) return fitting.flatMap((inner) => flatten(inner, { at: path, input }));
      return [issue.message === "" ? { ...here, wanted: wantedByAny(issue.errors) } : here];
    }
    case "invalid_key":
      return [{ path, atKey: true, wanted: `${formatPath(path)} cannot be a key here: ${keyReason(issue)}` }];
    default:
      return [here];
  }
}

function keyReason(issue: z.core.$ZodIssueInvalidKey): string {
  const wanted = issue.issues[0]?.message ?? "wanted another one";
  return wanted.startsWith("Cannot ") ? wanted : `wanted ${wanted}`;
}

/** Of the alternatives of a union, the issues of the one that fits best: whose kind is right, then with the fewest issues. */
function closest(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = alternatives.filter((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code === "unrecognized_keys"),
  );
  return fitting.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

function wantedByAny(alternatives: readonly (readonly Issue[])[]): string {
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
      return kinds[issue.expected] ?? `a ${issue.expected}`;
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

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping of keys to values",
  record: "a mapping of keys to values",
  array: "a list",
  null: "nothing",
};

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
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a mapping";
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** The value at a path of plain data. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<string | number, unknown>)[key];
  }, root);
}
