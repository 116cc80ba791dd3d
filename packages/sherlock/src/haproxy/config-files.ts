import { copyFile, rename } from "node:fs/promises";
import {
  explainSystemError,
  fileError,
  systemErrorCode,
  writeFileAtomically,
  writePrivateFile,
} from "@datawire/runtime";
import { differingMaps, mapFiles, type MapSource } from "../core/model/files.ts";
import type { MapName } from "../core/model/plan.ts";
import type { RunDir } from "./run-dir.ts";
import { runProgram } from "./run-program.ts";

/** Writes what HAProxy reads. */
export interface ConfigFiles {
  /** Writes the maps of a plan, those that differ from what was written last. */
  writeMaps(plan: MapSource): Promise<void>;
  /** Asks HAProxy whether it would take a configuration; null when it would, else why not, and where. */
  validate(config: string): Promise<Refusal | null>;
  /** Puts a validated configuration in place of the last, of which a few are kept. */
  install(): Promise<void>;
  /** Replaces the configuration by one of the same structure. */
  replace(config: string): Promise<void>;
  /** Keeps what was refused for inspection. */
  keepRejected(): Promise<void>;
}

/** What HAProxy says of a configuration that it does not take. */
export interface Refusal {
  /** Every message, without file names. */
  readonly message: string;
  /** The numbers of the lines that are complained about. */
  readonly lines: readonly number[];
  /** Whether HAProxy itself said so, which it will say again; not one that was killed, or could not be run now. */
  readonly isSaid: boolean;
}

const VALIDATE_MS_MAX = 30_000;

/** Writes into the run directory, and asks the HAProxy of that path. */
export function createConfigFiles(haproxy: string, dir: RunDir): ConfigFiles {
  const written = new Map<string, string>();
  let last: MapSource | null = null;
  return {
    async writeMaps(plan) {
      if (plan === last) return;
      const names = last === null ? undefined : differingMaps(last, plan);
      last = null; // until all of them are there
      const texts = Object.entries(mapFiles(plan, names)) as [MapName | "draw", string][];
      await Promise.all(
        texts.map(async ([name, text]) => {
          if (written.get(name) === text) return;
          await writeFileAtomically(dir.maps[name], text, { mode: 0o600 });
          written.set(name, text);
        }),
      );
      last = plan;
    },
    async validate(config) {
      await writePrivateFile(dir.candidate, config);
      const { ok, stderr, how, cause } = await runProgram(haproxy, ["-c", "-f", dir.candidate], VALIDATE_MS_MAX);
      const why = cause === undefined ? "" : `: ${explainSystemError(cause)}`;
      return ok ? null : refusal(stderr, `\`${haproxy} -c\` ${how}${why}`);
    },
    async install() {
      try {
        const [last, ...older] = dir.kept;
        for (const [i, path] of [...older.entries()].toReversed()) await moveIfThere(dir.kept[i] ?? path, path);
        // Copied: at no moment is there no configuration for a master that starts its worker again.
        if (last !== undefined) await copyFile(dir.config, last).catch(unlessMissing);
        await rename(dir.candidate, dir.config);
      } catch (cause) {
        throw fileError("write", dir.config, cause);
      }
    },
    replace: (config) => writeFileAtomically(dir.config, config, { mode: 0o600 }),
    async keepRejected() {
      await moveIfThere(dir.candidate, dir.rejected);
    },
  };
}

const PLACE = /parsing \[[^\]]*:(\d+)\]\s*:\s*/;

function refusal(stderr: string, otherwise: string): Refusal {
  const alerts = stderr.split("\n").filter((line) => /\[ALERT\]/.test(line));
  const messages = alerts.map((line) => line.replace(/^\[ALERT\]\s*\(\d+\)\s*:\s*(?:config\s*:\s*)?/, "").trim());
  const lines = messages.flatMap((message) =>
    [...message.matchAll(/parsing \[[^\]]*:(\d+)\]/g)].map((at) => Number(at[1])),
  );
  const telling = messages.filter((message) => !/^(Error\(s\) found|Fatal errors found)/.test(message));
  // What it has against a line of a template, it says of each line that was made of it: once is enough.
  const told = new Map(telling.toReversed().map((message) => [message.replace(PLACE, ""), message]));
  const text = [...told.values()]
    .toReversed()
    .map((message) => message.replace(PLACE, "line $1: "))
    .join("; ");
  return { message: text === "" ? otherwise : text.slice(0, 1_000), lines, isSaid: text !== "" };
}

async function moveIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch(unlessMissing);
}

function unlessMissing(error: unknown): void {
  if (systemErrorCode(error) !== "ENOENT") throw error;
}
