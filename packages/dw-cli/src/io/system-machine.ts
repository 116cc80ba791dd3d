import { access, constants, stat } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { dirname } from "node:path";
import {
  addressesOf,
  type Env,
  explainSystemError,
  formatListenAddress,
  type ListenAddress,
  ownAddresses,
  systemErrorCode,
  tryListen,
} from "@datawire/runtime";
import type { ConnectFailure, FolderState, Machine, PortState } from "../doctor/machine.ts";
import { accountName } from "./account.ts";
import { readNeeds } from "./read-needs.ts";

const CONNECT_MS_MAX = 2_000;
const ANSWER_MS_MAX = 2_000;

/** The machine that `dw` runs on. */
export function systemMachine(env: Env): Machine {
  return {
    needs: readNeeds,
    async haproxy(command) {
      const { findHaproxy, lacksOf, takesInstances } = await import("@datawire/sherlock");
      const { path, version } = await findHaproxy(command, env["PATH"] ?? "");
      const { text, features } = version;
      return { path, version: text, isDynamic: takesInstances(features), lacks: lacksOf(features) };
    },
    port: tryPort,
    identify,
    folder: findFolder,
    resolve: addressesOf,
    own: ownAddresses,
    connect,
  };
}

/** Listens for a moment. */
async function tryPort(at: ListenAddress): Promise<PortState> {
  const error = await tryListen(at);
  if (error === null) return { state: "free" };
  if (systemErrorCode(error) === "EADDRINUSE") return { state: "taken" };
  return { state: "refused", reason: explainSystemError(error) };
}

/** Admin ports and directories say in their metrics what they are; Sherlock's traffic port lists its services. */
async function identify(at: ListenAddress): Promise<string | null> {
  const host = at.host === "0.0.0.0" ? "127.0.0.1" : at.host === "::" ? "::1" : at.host;
  const base = `http://${formatListenAddress({ host, port: at.port })}`;
  const build = /datawire_build_info\{program="(\w+)",version="([^"]+)"\}/.exec((await read(`${base}/metrics`)) ?? "");
  if (build !== null) return `${build[1]} ${build[2]}`;
  // One that wants TLS or a token for its metrics says so in the words of a directory.
  if ((await read(`${base}/v1/status`))?.startsWith('{"error":{"code":') === true) return "directory";
  return (await read(`${base}/`))?.startsWith("Services that ") === true ? "sherlock" : null;
}

async function read(url: string): Promise<string | null> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX), redirect: "manual" })).text();
  } catch {
    return null;
  }
}

async function findFolder(path: string): Promise<FolderState> {
  for (let nearest = path; ; nearest = dirname(nearest)) {
    try {
      const found = await stat(nearest);
      return {
        state: nearest === path ? "there" : "missing",
        nearest,
        isFolder: found.isDirectory(),
        mode: found.mode & 0o7777,
        owner: await accountName(found.uid),
        isOwn: found.uid === process.getuid?.(),
        isWritable: await access(nearest, constants.W_OK | constants.X_OK).then(
          () => true,
          () => false,
        ),
      };
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT" || nearest === dirname(nearest)) {
        return { state: "hidden", reason: explainSystemError(error) };
      }
    }
  }
}

function connect(host: string, port: number): Promise<ConnectFailure | null> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port });
    const end = (failure: ConnectFailure | null): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.setTimeout(CONNECT_MS_MAX, () =>
      end({ code: "no-answer", reason: `no answer within ${CONNECT_MS_MAX / 1_000} s` }),
    );
    socket.once("connect", () => end(null));
    socket.once("error", (error: unknown) => {
      // Where several addresses of one name were tried, the first tells enough.
      const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
      end({ code: CODES.get(systemErrorCode(first) ?? "") ?? "no-answer", reason: explainSystemError(first) });
    });
  });
}

const CODES: ReadonlyMap<string, ConnectFailure["code"]> = new Map<string, ConnectFailure["code"]>(
  Object.entries({
    ECONNREFUSED: "refused",
    ENOTFOUND: "no-name",
    EAI_AGAIN: "no-name",
  }),
);
