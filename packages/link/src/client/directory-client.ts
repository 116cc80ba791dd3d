import type { Exchange } from "@datawire/api";
import { type DirectoryAddress, formatDirectoryAddress } from "@datawire/protocol";
import { type HttpAnswer, type HttpExchange, createExchange } from "../transport/http-exchange.ts";
import { readAnswer } from "./read-answer.ts";
import type { TlsSettings } from "../credentials/tls.ts";
import { type Attempt, Unreachable } from "./unreachable.ts";

/** Which directory is asked, and by whom. */
export interface DirectoryClientConfig {
  /** The addresses of one directory, in the order in which they are tried. */
  readonly directories: readonly DirectoryAddress[];
  readonly token: string | null;
  /** Who is asking, as `user@host`; recorded with each change. */
  readonly user: string | null;
  readonly tls: TlsSettings | null;
  /** The cookies of whoever is asked for, where there is no token; default: none. */
  readonly cookie?: string | null;
}

/** Asks a directory over HTTP, at the first of its addresses that answers. */
export interface DirectoryClient {
  /**
   * Sends one request and returns the JSON of its answer.
   * @throws ProtocolError with what the directory refused, or `Unreachable` when no address answers as a directory.
   */
  readonly exchange: Exchange;
  close(): Promise<void>;
}

/** @param http how one request is made; default: over HTTP. */
export function createDirectoryClient(
  config: DirectoryClientConfig,
  http: HttpExchange = createExchange(config),
): DirectoryClient {
  const headers = {
    ...(config.token === null ? {} : { authorization: `Bearer ${config.token}` }),
    ...(config.cookie == null ? {} : { cookie: config.cookie }),
    ...(config.user === null ? {} : { "x-datawire-user": config.user }),
  };
  /** The address that answered last is asked first. */
  let first = 0;

  const exchange: Exchange = async (method, path, body) => {
    const attempts: Attempt[] = [];
    const text = body === undefined ? null : JSON.stringify(body);
    for (let i = 0; i < config.directories.length; i++) {
      const at = (first + i) % config.directories.length;
      const directory = config.directories[at] as DirectoryAddress;
      const answer: HttpAnswer = await http.request(directory, { method, path, headers, body: text });
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

  return { exchange, close: () => http.close() };
}
