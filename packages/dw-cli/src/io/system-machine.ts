import { access, constants, stat } from "node:fs/promises";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { dirname } from "node:path";
import { connect as connectTls } from "node:tls";
import { loopbackAddresses, pickAddress } from "@datawire/protocol";
import {
  addressesOf,
  type Env,
  exchangeHttp1,
  explainSystemError,
  formatListenAddress,
  InvalidResponse,
  type ListenAddress,
  ownAddresses,
  systemErrorCode,
  tryListen,
} from "@datawire/runtime";
import type { FolderState, Machine, PortState, ReachFailure, ReachTarget } from "../doctor/machine.ts";
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
    reach,
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

/** By the one address that HAProxy would be given, with the verification that it makes, and with its reading of the answer. */
async function reach(target: ReachTarget): Promise<ReachFailure | null> {
  const { host, port, tls, http, caFile } = target;
  const isName = isIP(host) === 0;
  const address = pickAddress(isName ? (loopbackAddresses(host) ?? (await addressesOf(host))) : [host], null);
  if (address === null) return { code: "no-name", reason: "the name does not resolve" };
  const refused = await connect(address, port);
  if (refused !== null) return refused;
  const name = tls?.serverName ?? (isName ? host : null);
  if (tls !== null) {
    const { findTlsFailure } = await import("@datawire/sherlock");
    const reason = await findTlsFailure({ address, port, name, verify: tls.verify }, caFile ?? "@system-ca");
    if (reason !== null) return { code: "no-tls", reason };
  }
  if (http === null) return null;
  return askHttp(http, () => (tls === null ? connectSocket({ host: address, port }) : openTls(address, port, name)));
}

function connect(host: string, port: number): Promise<ReachFailure | null> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port });
    const end = (failure: ReachFailure | null): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.setTimeout(CONNECT_MS_MAX, () =>
      end({ code: "no-answer", reason: `no answer within ${CONNECT_MS_MAX / 1_000} s` }),
    );
    socket.once("connect", () => end(null));
    socket.once("error", (error: unknown) =>
      end({ code: CODES.get(systemErrorCode(error) ?? "") ?? "no-answer", reason: explainSystemError(error) }),
    );
  });
}

/** Opens TLS without verifying the certificate, for a look at a host whose certificate the caller has verified before. */
function openTls(host: string, port: number, name: string | null): Socket {
  const sni = name === null ? {} : { servername: name };
  return connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"], ...sni });
}

/** Any answer will do that HAProxy would pass on; how long it takes is a matter of the check. */
async function askHttp(
  { path, authority }: NonNullable<ReachTarget["http"]>,
  open: () => Socket,
): Promise<ReachFailure | null> {
  const request = { method: "GET", path, headers: { host: authority, "user-agent": "dw" }, bodyBytesMax: null };
  try {
    await exchangeHttp1(request, open(), AbortSignal.timeout(ANSWER_MS_MAX));
    return null;
  } catch (error) {
    return error instanceof InvalidResponse ? { code: "no-http", reason: `no valid HTTP: ${error.message}` } : null;
  }
}

const CODES: ReadonlyMap<string, ReachFailure["code"]> = new Map<string, ReachFailure["code"]>(
  Object.entries({
    ECONNREFUSED: "refused",
    ENOTFOUND: "no-name",
    EAI_AGAIN: "no-name",
  }),
);
