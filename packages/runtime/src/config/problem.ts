import { maskSecrets } from "@datawire/protocol";
import { type ExitCode, ExitError, exitCodes } from "../errors/exit-codes.ts";

/** Names a value inside a document: keys of mappings, indexes (from 0) of lists. */
export type Path = readonly (string | number)[];

/** Where a value was given. */
export interface Place {
  /** A file, or what else gave the value: a flag (`--listen`) or a variable (`DATAWIRE_TOKEN`). */
  readonly file: string;
  /** From 1, as is `column`; absent when `file` is not a file. */
  readonly line?: number;
  readonly column?: number;
}

/** One thing that is wrong with the configuration. */
export interface Problem extends Place {
  readonly message: string;
}

/** The configuration cannot be used; `problems` has everything that is wrong with it, at once. */
export class ConfigError extends ExitError {
  readonly problems: readonly Problem[];

  /** @param exitCode the exit code instead of the usual one, where this kind of problem has its own. */
  constructor(problems: readonly Problem[], exitCode?: ExitCode) {
    // A wrong flag is a misused command line; only what lies in files or in the environment is configuration.
    const flagsOnly = problems.every(({ file }) => file.startsWith("-"));
    const sorted = inOrder(problems);
    const usual = flagsOnly ? exitCodes.misused : exitCodes.badConfiguration;
    super(exitCode ?? usual, sorted.map(formatProblem).join("\n"));
    this.name = "ConfigError";
    this.problems = sorted;
  }
}

/** The problems of each file in the order of its lines, files in the order in which they first appear. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  return problems.toSorted(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}

/**
 * Adds problems to those that are known, except at places that have one already: such a problem merely follows from the
 * first.
 */
export function addProblems(known: readonly Problem[], more: readonly Problem[]): Problem[] {
  const places = new Set(known.map(formatPlace));
  return [...known, ...more.filter((problem) => !places.has(formatPlace(problem)))];
}

/** The first problem of each place: in a text that ends within brackets, each of these is one. */
export function firstOfEachPlace(problems: readonly Problem[]): Problem[] {
  const places = new Map(problems.toReversed().map((problem) => [formatPlace(problem), problem]));
  return problems.filter((problem) => places.get(formatPlace(problem)) === problem);
}

/** What is wrong in many more places than these is one thing, or no file of ours: whoever reads it has seen enough. */
const PROBLEMS_MAX = 100;

/** The first problems of a file, and how many more there are. */
export function firstProblems(problems: readonly Problem[]): readonly Problem[] {
  const next = problems[PROBLEMS_MAX];
  if (next === undefined) return problems;
  const more = problems.length - PROBLEMS_MAX;
  const message = `and ${more} more ${more === 1 ? "problem" : "problems"} in this file, from here on`;
  return [...problems.slice(0, PROBLEMS_MAX), { ...next, message }];
}

/** Prints a problem as `FILE:LINE:COLUMN: message`, which editors and terminals make a link of; secrets are masked. */
export function formatProblem(problem: Problem): string {
  return maskSecrets(`${formatPlace(problem)}: ${problem.message}`);
}

/** Prints a place as `FILE:LINE:COLUMN`, or as the flag or variable that it is. */
export function formatPlace({ file, line, column }: Place): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}

/** Prints a path as people write it: `liveness.expect.status[0]`. */
export function formatPath(path: Path): string {
  const shown = (key: string): string => (PLAIN_KEY.test(key) ? key : JSON.stringify(key));
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? shown(key) : `.${shown(key)}`))
    .join("");
}

/** Visible ASCII; any other key is quoted, so that a message stays on one line whatever the file holds. */
const PLAIN_KEY = /^[!-~]+$/;
