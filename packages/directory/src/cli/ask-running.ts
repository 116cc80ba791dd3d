import { readFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { request as secureRequest, type RequestOptions } from "node:https";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { whereToListen } from "@datawire/http";
import { dataDirOf, type DirectoryValues } from "../config/settings.ts";
import { AUTHORITY_FILE } from "../access/open-access.ts";
import { type Protection, protectionOf } from "../access/protection.ts";

/** Which directory is asked: the one of this machine that runs with these settings. */
export interface RunningDirectory {
  readonly settings: DirectoryValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

interface Question {
  readonly method: string;
  readonly path: string;
  /** Sent as a file. */
  readonly body?: Uint8Array;
}

/** Whether whoever listens is asked for loopback: a wildcard is no address to connect to. */
const WILDCARDS: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

/**
 * Asks the directory that has the store open, with the admin token that it keeps beside it, or DATAWIRE_TOKEN.
 * @throws Error with what it answered, or why it does not answer.
 */
export async function askRunning(directory: RunningDirectory, question: Question): Promise<Uint8Array> {
  const { settings, env, signal } = directory;
  const { addresses } = await whereToListen(settings);
  const { auth, tls } = protectionOf(settings, addresses);
  const { host, port } = addresses[0] ?? { host: "127.0.0.1", port: settings.port };
  const folder = dataDirOf(settings, env);
  const token = auth === "none" ? null : (env["DATAWIRE_TOKEN"] ?? (await readOptional(join(folder, "admin.token"))));
  const url = `${tls === "off" ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}${question.path}`;
  const options = {
    host: WILDCARDS.get(host) ?? host,
    port,
    method: question.method,
    path: question.path,
    signal,
    headers: {
      "x-datawire-user": `${userInfo().username}@${hostname()}`,
      "content-type": "application/octet-stream",
      ...(question.body === undefined ? {} : { "content-length": question.body.length }),
      ...(token === null ? {} : { authorization: `Bearer ${token.trim()}` }),
    },
    ...(await trustOf(tls, folder)),
  };
  let answer: { readonly status: number; readonly body: Buffer };
  try {
    answer = await exchange(tls === "off" ? plainRequest : secureRequest, options, question.body);
  } catch (cause) {
    throw new Error(`Cannot reach the directory that has the store open, at ${url}; give its port with -p`, { cause });
  }
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw new Error(`Cannot ${question.method} ${url}: ${answer.body.toString().trim().slice(0, 500)}`);
}

/**
 * How the directory of this machine is asked over TLS: its certificate, or its authority, is read from its own files. Names are not
 * compared, as it is asked at an address of this machine.
 */
async function trustOf(tls: Protection["tls"], folder: string): Promise<RequestOptions> {
  if (tls === "off") return {};
  const ca = await readFile(tls === "own" ? join(folder, AUTHORITY_FILE) : tls.cert, "utf8");
  // Where clients need a certificate, the directory's own is the only one at hand.
  const own = tls === "own" || tls.clientCa === null ? {} : { cert: ca, key: await readFile(tls.key, "utf8") };
  return { ca, ...own, allowPartialTrustChain: true, checkServerIdentity: () => undefined };
}

async function readOptional(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return null; // without it the directory answers what it wants
  }
}

function exchange(
  request: typeof secureRequest | typeof plainRequest,
  options: RequestOptions,
  body: Uint8Array | undefined,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      buffer(response).then((bytes) => resolve({ status: response.statusCode ?? 0, body: bytes }), reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
