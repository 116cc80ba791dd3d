import { type ApiClient, createApiClient } from "@datawire/api";
import { type ErrorBody, parseDirectoryAddress, ProtocolError } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import type { CatalogUpdate } from "@datawire/link";
import type { Dw } from "../context/dw.ts";
import { typed } from "../context/operands.ts";
import { type Connected, runDw } from "../app/run-dw.ts";
import type { Machine } from "../doctor/machine.ts";
import { healthyMachine } from "./machine.ts";
import type { FakeScreen } from "./screen.ts";

/** The moment at which tests happen. */
const NOW_MS = Date.UTC(2026, 10, 20, 12);
/** The moment this long before the tests' now, as RFC 3339 writes it. */
export const ago = (ms: number): string => new Date(NOW_MS - ms).toISOString();

/** What a fake directory answers, by `GET /v1/routes`; an error is thrown. */
export type Answers = Readonly<Record<string, unknown>>;

/** The world that a run of `dw` sees. */
export interface RunOptions {
  readonly answers?: Answers;
  /** Answers by host, for several directories; `answers` otherwise. */
  readonly byHost?: Readonly<Record<string, Answers>>;
  readonly width?: number;
  readonly colour?: boolean;
  readonly env?: Record<string, string>;
  /** Where the system's settings are; nowhere by default. */
  readonly systemFolder?: string;
  readonly machine?: Machine;
  /** The terminal, for a command that takes it whole. */
  readonly screen?: FakeScreen;
  /** What is said of samples, by their names; none by default. */
  readonly samples?: Readonly<Record<string, readonly string[]>>;
  /** Whether there is a browser; none by default. */
  readonly browser?: boolean;
  /** The states of the table that a follower sees, one after the other. */
  readonly states?: readonly (() => { readonly table: Catalog; readonly update: CatalogUpdate })[];
}

/** What a run of `dw` left behind. */
export interface RunResult {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** What the directory was asked: `POST /v1/routes {"source":…}`. */
  readonly asked: readonly string[];
  readonly daemons: readonly string[];
  /** The addresses that were to be opened in a browser. */
  readonly opened: readonly string[];
}

/** Runs a command line of `dw` against a fake directory. Words are separated by blanks, and may be in single quotes. */
export async function run(line: string, options: RunOptions = {}): Promise<RunResult> {
  let [stdout, stderr] = ["", ""];
  const asked: string[] = [];
  const daemons: string[] = [];
  const opened: string[] = [];
  const client = (answers: Answers): ApiClient => {
    return createApiClient(async (method, path, body) => {
      asked.push(`${method} ${path}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`);
      const answer = answers[`${method} ${path}`];
      if (answer instanceof Error) throw answer;
      if (answer === undefined) throw new Error(`the test has no answer to ${method} ${path}`);
      // The table that an answer comes from is of no interest to most tests.
      return isObject(answer) ? { epoch: "e", revision: 7, ...answer } : answer;
    });
  };
  const follow: Dw["follow"] = async (onUpdate) => {
    for (const state of options.states ?? []) {
      const { table, update } = state();
      onUpdate(table, update);
    }
  };
  const code = await runDw(split(line), {
    streams: {
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
      width: options.width ?? Number.POSITIVE_INFINITY,
      colour: options.colour ?? false,
    },
    env: options.env ?? {},
    // Tests do not depend on what is set up on the machine that runs them.
    systemFolder: options.systemFolder ?? "/no/such/folder",
    connect: async ({ directories }, output): Promise<Connected> => {
      const given = directories.length > 0 ? directories : ["//localhost/directory"];
      return {
        output,
        env: options.env ?? {},
        clock: { nowMs: () => NOW_MS, sleep: async () => options.screen?.waited(options.screen) },
        signal: new AbortController().signal,
        directories: given.map((text) => typed(() => parseDirectoryAddress(text))),
        client: client(options.answers ?? {}),
        clientOf: ({ host }) => client(options.byHost?.[host] ?? options.answers ?? {}),
        follow,
        endBySignal: () => {},
        openScreen: () => options.screen ?? null,
        openPage: async (url) => {
          opened.push(url);
          return options.browser ?? false;
        },
        prepareSample: async (name) => options.samples?.[name] ?? null,
        close: async () => {},
      };
    },
    machine: async () => options.machine ?? healthyMachine(),
    startDaemon: async (name, args) => void daemons.push([name, ...args].join(" ")),
  });
  return { code, stdout, stderr, asked, daemons, opened };
}

/** A refusal of the directory. */
export function refusal(code: ErrorBody["error"]["code"], message: string): ProtocolError {
  return new ProtocolError(code, message);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function split(line: string): string[] {
  return (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, "$1"));
}

/** Lines as they stand in a test, without its indentation. */
export function text(strings: TemplateStringsArray): string {
  const lines = (strings[0] as string).replace(/^\n/, "").split("\n");
  const indent = Math.min(
    ...lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length),
  );
  return lines
    .map((line) => line.slice(indent))
    .join("\n")
    .replace(/\n *$/, "\n");
}
