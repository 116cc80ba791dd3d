import { type RolloutFile, rolloutFile } from "@datawire/api";
import { ProtocolError } from "@datawire/protocol";
import {
  check,
  ConfigError,
  type Env,
  exitCodes,
  type Path,
  type Place,
  parseYamlFile,
  readTextFile,
} from "@datawire/runtime";
import { checkSource, checkTarget, misuse } from "../../context/operands.ts";

/** What the command line says of a rollout; what it leaves open is undefined. */
export type GivenPlan = { readonly [Key in keyof RolloutFile]?: unknown };

/** What a file says, with the place of each value. */
interface Said {
  readonly value: GivenPlan;
  locate(path: Path): Place;
}

/** What a rollout is to do, and where that was said. */
export interface PlanRead {
  readonly file: RolloutFile;
  /** Throws what the directory said, of a field of the file with its place there. */
  blame(error: unknown): never;
}

/**
 * What a rollout is to do: what the file of `--file` says, with what was given on the command line in its place.
 * @throws ConfigError with the places in the file, or ExitError for what was typed; both end with 64.
 */
export async function readRolloutFile(
  path: string | undefined,
  { given, env }: { readonly given: GivenPlan; readonly env: Env },
): Promise<PlanRead> {
  const said = path === undefined ? null : await readSaid(path, env);
  const typed = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (given.target === undefined && said?.value.target === undefined) throw withoutTarget(said);
  const all = { ...said?.value, ...typed };
  const read = check(rolloutFile, all);
  // The file fits already: what does not is of the command line.
  if (!read.ok) throw misuse(`Cannot start the rollout: ${read.findings.map(({ message }) => message).join("; ")}`);
  const { target, from } = read.value;
  const placeOf = (key: string): Place | undefined => (isOf(typed, key) ? undefined : said?.locate([key]));
  atPlace(placeOf("target"), () => checkTarget(target));
  if (from !== undefined) atPlace(placeOf("from"), () => checkSource(from));
  return {
    file: read.value,
    blame(error) {
      if (!(error instanceof ProtocolError) || error.code !== "invalid_argument") throw error;
      const [, field = ""] = /^(\w+): /.exec(error.message) ?? [];
      const place = isOf(read.value, field) ? placeOf(field) : undefined;
      throw place === undefined ? error : refused([{ ...place, message: error.message }]);
    },
  };
}

const isOf = (object: object, key: string): boolean => Object.keys(object).includes(key);

/** The target may be on the command line, and what is there may not. */
const partOfFile = rolloutFile.unwrap().partial({ target: true });

async function readSaid(path: string, env: Env): Promise<Said> {
  const read = await readTextFile(path);
  // What is not there has no place in it.
  if (read.state === "missing") throw misuse(`Cannot read ${path}: no such file or folder`);
  if (read.state === "unusable") throw refused([read.problem]);
  const parsed = parseYamlFile(read.text, path, { schema: partOfFile, env });
  if (!parsed.ok) throw refused(parsed.problems);
  return parsed;
}

function withoutTarget(said: Said | null): Error {
  if (said === null)
    return misuse("Cannot start a rollout: there is no target; wanted one such as '//barker(2)', or --file");
  const message = "target is missing: wanted a version such as //barker(2), here or on the command line";
  return refused([{ ...said.locate(["target"]), message }]);
}

function atPlace(place: Place | undefined, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (place === undefined || !(error instanceof Error)) throw error;
    throw refused([{ ...place, message: error.message }]);
  }
}

const refused = (problems: ConstructorParameters<typeof ConfigError>[0]): ConfigError =>
  new ConfigError(problems, exitCodes.misused);
