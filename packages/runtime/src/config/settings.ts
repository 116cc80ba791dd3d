import { nearest, own } from "@datawire/protocol";
import { join } from "node:path";
import { z } from "zod";
import { NO_MAPPING } from "./edit-yaml.ts";
import { type Finding, check, valueAt } from "./issue-message.ts";
import { ConfigError, type Path, type Place, type Problem, addProblems, formatPath, formatPlace } from "./problem.ts";
import type { Env } from "./substitute.ts";
import { isSecret } from "./schema-walk.ts";
import { Written } from "./written.ts";
import { parseYaml } from "./yaml-document.ts";
import { readTextFile } from "./yaml-file.ts";

/** A value that a flag or a variable gives to one setting. */
export interface Given {
  /** How the user wrote it, such as `--listen` or `DATAWIRE_TOKEN`. */
  readonly from: string;
  readonly path: Path;
  readonly value: unknown;
}

/** Where the settings of a program come from. */
export interface SettingsOptions<S extends z.ZodType> {
  /** The program: its files are `/etc/datawire/NAME.yaml` and `$XDG_CONFIG_HOME/datawire/NAME.yaml`. */
  readonly name: string;
  /** An object schema; its defaults are the built-in ones. Make it strict, so that unknown keys are errors. */
  readonly schema: S;
  /** The file of `-c`. */
  readonly file?: string | undefined;
  readonly env: Env;
  /** Settings that come from variables: `{ DATAWIRE_TOKEN: { path: ["token"] } }`. An empty variable counts as unset. */
  readonly variables?: Readonly<Record<string, Variable>>;
  /** Settings that come from flags; a value of undefined counts as not given. */
  readonly flags?: readonly Given[];
  /** Default `/etc/datawire`. */
  readonly systemFolder?: string | undefined;
}

/** A setting that a variable of the environment gives. */
export interface Variable {
  readonly path: Path;
  /** Makes the value of the text, for instance a list; default: the text itself. */
  readonly value?: (text: string) => unknown;
}

/** Where a setting comes from, for people, and what was written there; secrets are masked. */
export interface Source {
  /** `default`, a flag, a variable, or FILE:LINE:COLUMN. */
  readonly from: string;
  readonly value: unknown;
}

/** The settings in force, with where each comes from. */
export interface Settings<T> {
  readonly value: T;
  /** By path (`liveness.interval`), sorted; a list is one value. */
  readonly sources: ReadonlyMap<string, Source>;
  /** The files that were read, later wins. */
  readonly files: readonly string[];
  /** Where a setting was given, for problems that show only later; undefined for a default. */
  locate(path: Path): Place | undefined;
}

/** One place that settings come from. */
interface Layer {
  readonly value: unknown;
  locate(path: Path): Place;
  locateKey(path: Path): Place;
  /** As in `YamlDocument`. */
  templateAt(path: Path): string | undefined;
}

const MASK = "********";

/**
 * Loads the settings of a program: defaults, system file, user file, `-c`, variables, flags; later wins, key by key,
 * a list as a whole.
 * @throws ConfigError with every problem.
 */
export async function loadSettings<S extends z.ZodType>(options: SettingsOptions<S>): Promise<Settings<z.output<S>>> {
  const { files, layers, problems, isWhole } = await readFiles(options);
  problems.push(...strayVariables(options));
  if (!isWhole) throw new ConfigError(problems);
  layers.push(
    ...fromVariables(options),
    ...(options.flags ?? []).filter(({ value }) => value !== undefined).map(givenLayer),
  );

  const merged = layers.reduce<unknown>((under, { value }) => merge(under, value), {});
  const templateAt = (path: Path): string | undefined => layerOf(layers, path)?.templateAt(path);
  const checked = check(options.schema, merged, { templateAt });
  if (!checked.ok) {
    const found = checked.findings.map((finding) => place(finding, { layers, name: options.name }));
    throw new ConfigError(addProblems(problems, found));
  }
  if (problems.length > 0) throw new ConfigError(problems);

  const locate = (path: Path): Place | undefined => layerOf(layers, path)?.locate(path);
  const { value, given } = checked;
  const isHidden = (path: Path): boolean => isSecret(options.schema, path);
  return { value, sources: sourcesOf({ given, value, isHidden, locate }), files, locate };
}

interface Files {
  readonly files: string[];
  readonly layers: Layer[];
  readonly problems: Problem[];
  readonly isWhole: boolean;
}

async function readFiles<S extends z.ZodType>({
  name,
  file,
  env,
  systemFolder = "/etc/datawire",
}: SettingsOptions<S>): Promise<Files> {
  const files: string[] = [];
  /** Whether every file could be read, so that a key that none of them has really is missing. */
  let isWhole = true;
  const layers: Layer[] = [];
  const problems: Problem[] = [];
  const userFolder = env["XDG_CONFIG_HOME"] || (env["HOME"] ? join(env["HOME"], ".config") : undefined);
  const optional = [systemFolder, ...(userFolder ? [join(userFolder, "datawire")] : [])];
  for (const path of [
    ...optional.map((folder) => join(folder, `${name}.yaml`)),
    ...(file === undefined ? [] : [file]),
  ]) {
    const read = await readTextFile(path);
    if (read.state === "missing" && path !== file) continue;
    if (read.state !== "read") {
      isWhole = false;
      problems.push(read.problem);
      continue;
    }
    files.push(path);
    const yaml = parseYaml(read.text, path, { env });
    if (!yaml.ok) problems.push(...yaml.problems);
    if (yaml.document === undefined) isWhole = false;
    else if (isMapping(yaml.document.value)) layers.push(yaml.document);
    else if (yaml.document.value !== null) {
      isWhole = false;
      problems.push({ ...yaml.document.locate([]), message: NO_MAPPING });
    }
  }
  return { files, layers, problems, isWhole };
}

function fromVariables<S extends z.ZodType>({ env, variables = {} }: SettingsOptions<S>): Layer[] {
  return Object.entries(variables).flatMap(([from, { path, value = asIs }]) => {
    const text = own(env, from);
    return text === undefined || text === "" ? [] : [givenLayer({ from, path, value: value(text) })];
  });
}

/** The variables that any of the programs reads, as several programs may share one environment. */
const VARIABLES = ["DATAWIRE_DIRECTORY", "DATAWIRE_TOKEN"];

/**
 * Variables that look like settings but are not: misspelt ones, and keys that only files and flags have. Any other with
 * the same prefix belongs to somebody else: Kubernetes makes `DATAWIRE_PORT=tcp://…` for a service of that name.
 */
function strayVariables<S extends z.ZodType>({ env, name, schema, variables = {} }: SettingsOptions<S>): Problem[] {
  const known = [...VARIABLES, ...Object.keys(variables)];
  const keys: readonly string[] = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return Object.entries(env).flatMap(([variable, value = ""]) => {
    if (!variable.startsWith("DATAWIRE_") || known.includes(variable) || /^$|^(?:tcp|udp):\/\//.test(value)) return [];
    const short = variable.slice("DATAWIRE_".length);
    const near = nearest(
      short,
      known.map((one) => one.slice("DATAWIRE_".length)),
    );
    const key = short.toLowerCase();
    if (near !== undefined)
      return [{ file: variable, message: `no such variable is read: did you mean DATAWIRE_${near}?` }];
    if (!keys.includes(key)) return [];
    return [{ file: variable, message: `no such variable is read: wanted \`${key}\` in ${name}.yaml, or a flag` }];
  });
}

function givenLayer({ from, path, value }: Given): Layer {
  const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  return {
    value: nested,
    locate: () => ({ file: from }),
    locateKey: () => ({ file: from }),
    templateAt: () => undefined,
  };
}

const asIs = (text: string): unknown => text;

function merge(under: unknown, over: unknown): unknown {
  if (!isMapping(under) || !isMapping(over)) return over;
  const result = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over))
    result.set(key, result.has(key) ? merge(result.get(key), value) : value);
  return Object.fromEntries(result);
}

function place(
  { path, atKey, message }: Finding,
  { layers, name }: { readonly layers: readonly Layer[]; readonly name: string },
): Problem {
  const layer =
    layerOf(layers, path) ??
    layerOf(layers, path.slice(0, -1)) ??
    layers.findLast(({ locate }) => locate([]).line !== undefined);
  if (layer === undefined) return { file: `${name}.yaml`, message };
  return { ...(atKey ? layer.locateKey(path) : layer.locate(path)), message };
}

/** The layer whose value is in force at `path`. */
function layerOf(layers: readonly Layer[], path: Path): Layer | undefined {
  return path.length === 0 ? undefined : layers.findLast(({ value }) => valueAt(value, path) !== undefined);
}

function sourcesOf({
  given: root,
  value,
  isHidden,
  locate,
}: {
  readonly given: unknown;
  readonly value: unknown;
  readonly isHidden: (path: Path) => boolean;
  readonly locate: (path: Path) => Place | undefined;
}): Map<string, Source> {
  const sources = new Map<string, Source>();
  const given = leaves(root);
  for (const { path, value: raw } of given) {
    const at = locate(path);
    const key = formatPath(path);
    sources.set(key, { from: at ? formatPlace(at) : "default", value: isHidden(path) ? MASK : raw });
  }
  // A parsed value may have another shape than the written one, so a path counts as a default only where nothing was
  // written at or above it.
  const written = given.map(({ path }) => formatPath(path));
  for (const { path, value: parsed } of leaves(value)) {
    const key = formatPath(path);
    const covered = written.some(
      (other) => other === key || key.startsWith(`${other}.`) || other.startsWith(`${key}.`),
    );
    if (!covered && parsed !== undefined) sources.set(key, { from: "default", value: parsed });
  }
  return new Map([...sources].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function leaves(value: unknown, path: Path = []): { readonly path: Path; readonly value: unknown }[] {
  if (!isMapping(value)) return path.length === 0 ? [] : [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Written);
}
