import { isMachineLocal, parseInstanceUrl } from "@datawire/protocol";
import { formatPlace, formatProblem, type Logger, type Problem, type ProblemBoard } from "@datawire/runtime";
import { directoryName, isFor, type Replicas } from "../model/directories.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";
import { mergeFiles, type ServiceFile } from "../model/definition-set.ts";

/** What the definitions of service files go to. */
export interface DefinitionsDeps {
  readonly log: Logger;
  /** What an operator should see of this Watson. */
  readonly board: Pick<ProblemBoard, "set">;
  /** Takes the new set. */
  readonly apply: (wanted: ReadonlyMap<string, ServiceDefinition>) => void;
}

/**
 * Makes the wanted set of instances from the service files; logs once what is wrong with them, and once that it is
 * corrected.
 */
export class Definitions {
  readonly #deps: DefinitionsDeps;
  #remote: readonly Replicas[] = [];
  #wanted: ReadonlyMap<string, ServiceDefinition> = new Map();
  #problems: readonly Problem[] = [];
  #told = new Set<string>();

  constructor(deps: DefinitionsDeps) {
    this.#deps = deps;
  }

  /** What is wrong now. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Says which directories are on other machines, to which a loopback address means nothing. */
  setRemote(directories: readonly Replicas[]): void {
    this.#remote = directories;
  }

  take(files: readonly ServiceFile[]): void {
    const { instances, problems } = mergeFiles(files, this.#wanted);
    this.#wanted = instances;
    this.#problems = [...problems, ...this.#unreachable()];
    this.#tell();
    this.#deps.board.set(
      "service files",
      this.#problems.map((problem) => ({ subject: formatPlace(problem), message: problem.message })),
    );
    this.#deps.apply(instances);
  }

  #unreachable(): Problem[] {
    return [...this.#wanted.values()].flatMap((instance) => {
      const { url, protocol, directory, source } = instance;
      const { host } = parseInstanceUrl(url, protocol);
      const far = isMachineLocal(host) ? this.#remote.find((replicas) => isFor(replicas, directory)) : undefined;
      if (far === undefined) return [];
      const message = `${url} means nothing to other machines, and ${directoryName(far)} is on one: set \`url\` to an address of this machine, or leave \`port\` alone and set \`host\` in watson.yaml`;
      return [{ ...source, message }];
    });
  }

  #tell(): void {
    const now = new Set(this.#problems.map(formatProblem));
    for (const problem of now) if (!this.#told.has(problem)) this.#deps.log.error("Service file problem", { problem });
    for (const problem of this.#told) {
      if (!now.has(problem)) this.#deps.log.info("Service file problem mended", { problem });
    }
    this.#told = now;
  }
}
