import type { Clock } from "@datawire/runtime";
import type { Plan } from "../core/model/plan.ts";
import { inStructureOf } from "../core/transition/prepared.ts";
import { describeStructure, type LoadedStructure } from "../core/model/running.ts";
import type { ConfigFiles } from "../haproxy/config-files.ts";
import type { Configurator } from "./configurator.ts";
import type { LoadedFile } from "../haproxy/read-running.ts";

/** The files follow what the socket changed so much later: they are read by people, and when HAProxy has to start again. */
const FLUSH_MS = 1_000;

/** A configuration on disk. */
interface Installed {
  readonly generation: string;
  readonly structure: LoadedStructure;
  /** Null when the files were written by an earlier Sherlock, so that what they hold is not known. */
  readonly plan: Plan | null;
}

/** What HAProxy can be started with at once. */
export interface Startable extends Installed {
  readonly plan: Plan;
}

export interface InstallationDeps {
  readonly clock: Clock;
  readonly configurator: Configurator;
  readonly files: ConfigFiles;
  readonly loaded: LoadedFile;
}

/** Keeps the files from which HAProxy starts: configuration and maps always of one plan, a second after the last command at most. */
export class Installation {
  readonly #deps: InstallationDeps;
  /** What of a structure is no part of a plan. */
  readonly #fixed: Pick<LoadedStructure, "shared" | "listen">;
  #installed: Installed | null = null;
  #flushAtMs: number | null = null;

  constructor(fixed: Pick<LoadedStructure, "shared" | "listen">, deps: InstallationDeps) {
    this.#fixed = fixed;
    this.#deps = deps;
  }

  /** Takes the files for what an adopted HAProxy runs with; null for a structure that is not known. */
  adopt(generation: string, structure: LoadedStructure | null): void {
    if (structure !== null) this.#installed = { generation, structure, plan: null };
    this.#flushAtMs = 0;
  }

  /** The socket has changed something. */
  changed(): void {
    this.#flushAtMs ??= this.#deps.clock.monotonicMs() + FLUSH_MS;
  }

  /** What HAProxy ran with, as it is on disk again; null where that is not known, so that a new one is to be made. */
  async restore(): Promise<Startable | null> {
    const before = this.#installed;
    this.#installed = null; // when it does not start, the next attempt makes new ones
    if (before === null || before.plan === null) return null;
    // Maps of a reload that has not come may have been written.
    await this.#deps.files.writeMaps(before.plan);
    return { ...before, plan: before.plan };
  }

  /**
   * Puts in place what has been validated, and notes its structure for the next Sherlock. Until HAProxy runs with it,
   * the files are not what a start would want.
   */
  async install(plan: Plan, generation: string): Promise<Startable> {
    const { loaded, files } = this.#deps;
    const structure = describeStructure(plan.structure, this.#fixed);
    this.#installed = null;
    await loaded.add(generation, structure);
    await files.install();
    return { generation, structure, plan };
  }

  /** HAProxy runs with what has been installed. */
  runs(installed: Startable): void {
    this.#installed = installed;
  }

  /** Brings the files to what the socket was told, some time after. @returns how long until then. */
  async flush(plan: Plan): Promise<number | null> {
    const installed = this.#installed;
    if (this.#flushAtMs === null || installed === null) return null;
    const leftMs = this.#flushAtMs - this.#deps.clock.monotonicMs();
    if (leftMs > 0) return leftMs;
    this.#flushAtMs = null;
    // Backends that only wait to be taken out stay until the next reload: the structure is the one that is loaded.
    const whole = installed.plan === null ? plan : inStructureOf(plan, installed.plan);
    const structure = describeStructure(whole.structure, this.#fixed);
    if (structure.backends.size !== installed.structure.backends.size) return null;
    const { configurator, files } = this.#deps;
    await files.writeMaps(whole);
    await files.replace(configurator.render(whole, installed.generation));
    this.#installed = { ...installed, structure, plan: whole };
    return null;
  }
}
