import { hostname } from "node:os";
import {
  ConfigError,
  type DaemonInput,
  defaultDataDir,
  type Env,
  describeError,
  formatProblem,
} from "@datawire/runtime";
import { type Finding, findingsOf } from "../doctor/finding.ts";
import type { FolderNeed, NameNeed, Needs, PortNeed, Program } from "../doctor/machine.ts";

/** Reads the settings of the daemons on this machine, as they would themselves. */
export async function readNeeds(programs: readonly Program[], env: Env): Promise<Needs> {
  const read = await Promise.all(programs.map((program) => readProgram(program, env)));
  return {
    ports: read.flatMap(({ ports }) => ports ?? []),
    folders: read.flatMap(({ folders }) => folders ?? []),
    names: read.flatMap(({ names }) => names ?? []),
    directories: read.flatMap(({ directories }) => directories ?? []),
    haproxy: read.find(({ haproxy }) => haproxy !== undefined)?.haproxy,
    findings: read.flatMap(({ findings }) => findings ?? []),
  };
}

type ProgramNeeds = Partial<Needs>;

const READERS: Readonly<Record<Program, (env: Env) => Promise<ProgramNeeds>>> = {
  directory: readDirectory,
  watson: readWatson,
  sherlock: readSherlock,
};

async function readProgram(program: Program, env: Env): Promise<ProgramNeeds> {
  try {
    return await READERS[program](env);
  } catch (failure) {
    const { error } = findingsOf("settings");
    const problems = failure instanceof ConfigError ? failure.problems.map(formatProblem) : [describeError(failure)];
    const findings: readonly Finding[] = problems.map((problem) =>
      error(program, problem, `correct it; \`${program} --check\` looks again`),
    );
    return { findings };
  }
}

async function readDirectory(env: Env): Promise<ProgramNeeds> {
  const { directoryDaemon } = await import("@datawire/directory");
  const { value } = await directoryDaemon.load(inputOf(env));
  const at = value.listen ?? { host: "127.0.0.1", port: value.port };
  const path = value.data_dir ?? defaultDataDir("directory", env);
  return {
    ports: [{ program: "directory", at, flag: "-p/--port", isTraffic: false }],
    folders: [{ program: "directory", what: "data folder", path, flag: "--data-dir" }],
    names: [{ program: "directory", name: value.host, isSet: true }],
  };
}

async function readWatson(env: Env): Promise<ProgramNeeds> {
  const { watson } = await import("@datawire/watson");
  const settings = await watson.load(inputOf(env));
  const ports: PortNeed[] =
    settings.admin === null ? [] : [{ program: "watson", at: settings.admin, flag: "--admin", isTraffic: false }];
  const folders: FolderNeed[] = [
    { program: "watson", what: "data folder", path: settings.dataDir, flag: "--data-dir" },
  ];
  const names: NameNeed[] = [{ program: "watson", name: settings.host ?? hostname(), isSet: settings.host !== null }];
  const directories = settings.directories.flat().map((at) => ({ at, isSet: settings.isDirectoryGiven }));
  return { ports, folders, names, directories };
}

async function readSherlock(env: Env): Promise<ProgramNeeds> {
  const { sherlock } = await import("@datawire/sherlock");
  const settings = await sherlock.load(inputOf(env));
  const { admin, listen, haproxy, dataDir, replicas } = settings;
  const ports: PortNeed[] = [
    { program: "sherlock", at: listen ?? { host: "127.0.0.1", port: TRAFFIC_PORT }, flag: "--listen", isTraffic: true },
  ];
  if (admin !== null) ports.push({ program: "sherlock", at: admin, flag: "--admin", isTraffic: false });
  const folders: FolderNeed[] = [
    { program: "sherlock", what: "run directory", path: haproxy.runDir, flag: "--run-dir" },
    { program: "sherlock", what: "data folder", path: dataDir, flag: "--data-dir" },
  ];
  const directories = replicas.map((at) => ({ at, isSet: settings.isDirectoryGiven }));
  return { ports, folders, haproxy: { command: haproxy.command, caFile: haproxy.caFile }, directories };
}

const TRAFFIC_PORT = 5_432;

function inputOf(env: Env): DaemonInput {
  return { config: undefined, directories: [], options: {}, args: [], env };
}
