import { type DirectoryAddress, formatDirectoryAddress } from "@datawire/protocol";
import { type HttpAnswer, type HttpExchange, createExchange } from "./io/http-exchange.ts";
import { readAnswer } from "./read-answer.ts";
import type { TlsSettings } from "./tls.ts";
import { type Attempt, Unreachable } from "./unreachable.ts";

export interface DirectoryClientConfig {
  /** The addresses of one directory, in the order in which they are tried. */
  readonly directories: readonly DirectoryAddress[];
  readonly token: string | null;
  /** Who is asking, as `user@host`; recorded with each change. */
  readonly user: string | null;
  readonly tls: TlsSettings | null;
}

/**
 * Asks a directory over HTTP.
 *
 * Its methods return the JSON of the answer, or throw a `ProtocolError` with what the directory refused, or
 * `Unreachable` when no address answers as a directory.
 */
export interface DirectoryClient {
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
  put(path: string, body: unknown): Promise<unknown>;
  delete(path: string, body?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** @param exchange how one request is made; default: over HTTP. */
export function createDirectoryClient(
  config: DirectoryClientConfig,
  exchange: HttpExchange = createExchange(config),
): DirectoryClient {
  const headers = {
    ...(config.token === null ? {} : { authorization: `Bearer ${config.token}` }),
    ...(config.user === null ? {} : { "x-datawire-user": config.user }),
  };
  /** The one that answered last is asked first. */
  let first = 0;

  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const attempts: Attempt[] = [];
    const text = body === undefined ? null : JSON.stringify(body);
    for (let i = 0; i < config.directories.length; i++) {
      const at = (first + i) % config.directories.length;
      const directory = config.directories[at] as DirectoryAddress;
      const answer: HttpAnswer = await exchange.request(directory, { method, path, headers, body: text });
      const result = readAnswer(answer, { method, path });
      if (result.state === "read") {
        first = at;
        return result.value;
      }
      attempts.push({ address: formatDirectoryAddress(directory), reason: result.reason });
      // Asked twice, a change might be made twice: only what surely was not done may be tried elsewhere.
      if (!result.repeatable) break;
    }
    throw new Unreachable(attempts);
  };

  return {
    get: (path) => ask("GET", path),
    post: (path, body) => ask("POST", path, body),
    put: (path, body) => ask("PUT", path, body),
    delete: (path, body) => ask("DELETE", path, body),
    close: () => exchange.close(),
  };
}
