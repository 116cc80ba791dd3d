import type { IncomingMessage } from "node:http";
import { createApiClient, type Exchange } from "@datawire/api";
import { createDirectoryClient } from "@datawire/link/client";
import { parseDirectoryAddress, ProtocolError } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import { forwardedCookie } from "../access/console-access.ts";

/** The other directories on the same store. */
export interface PeerDirectories {
  /** Those that are there; empty where this is the only one that can be. */
  replicas(): readonly { readonly address: string; readonly self: boolean }[];
  /** Those that were there within the last hour. */
  missing(): readonly { readonly address: string }[];
}

interface PeerTracesDeps {
  readonly clock: Pick<Clock, "sleep">;
  /** The certificate of the directories' own authority, for those that speak TLS and ask for no token; null for none. */
  readonly ca: () => Promise<string | null>;
}

/** What the others said, and who did not. */
export interface PeerAnswers<T> {
  /** Without those that have nothing of it. */
  readonly answers: readonly T[];
  readonly missing: readonly string[];
}

/** So long another directory may take: who asks waits for it. */
const ANSWER_MS_MAX = 2_000;

/** Asks the other directories on the same store for what they have, each for its own and by the token or session of who asks. */
export class PeerTraces {
  readonly #deps: PeerTracesDeps;
  #peers: PeerDirectories = { replicas: () => [], missing: () => [] };

  constructor(deps: PeerTracesDeps) {
    this.#deps = deps;
  }

  /** From now on, the others are these. */
  begin(peers: PeerDirectories): void {
    this.#peers = peers;
  }

  /** Whether there are others to ask. */
  get isAlone(): boolean {
    return this.#others().length === 0 && this.#peers.missing().length === 0;
  }

  /** Asks all others at once. */
  async ask<T>(
    req: Pick<IncomingMessage, "headers">,
    question: (client: ReturnType<typeof createApiClient>) => Promise<T>,
  ): Promise<PeerAnswers<T>> {
    const token = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? "")?.[1] ?? null;
    const proof = { token, cookie: token === null ? forwardedCookie(req) : null };
    const asked = this.#others().map(async (address) => ({
      address,
      answer: await this.#askOne(address, proof, question),
    }));
    const results = await Promise.all(asked);
    const silent = results.filter(({ answer }) => answer.state === "silent").map(({ address }) => address);
    const gone = this.#peers.missing().map(({ address }) => address);
    return {
      answers: results.flatMap(({ answer }) => (answer.state === "answered" ? [answer.value] : [])),
      missing: [...new Set([...silent, ...gone])],
    };
  }

  #others(): string[] {
    return this.#peers.replicas().flatMap(({ address, self }) => (self ? [] : [address]));
  }

  async #askOne<T>(
    address: string,
    { token, cookie }: { readonly token: string | null; readonly cookie: string | null },
    question: (client: ReturnType<typeof createApiClient>) => Promise<T>,
  ): Promise<
    { readonly state: "answered"; readonly value: T } | { readonly state: "nothing" } | { readonly state: "silent" }
  > {
    const ca = token === null ? await this.#deps.ca() : null;
    const tls = ca === null ? null : { ca, cert: null, key: null };
    const client = createDirectoryClient({
      directories: [parseDirectoryAddress(address)],
      token,
      cookie,
      user: null,
      tls,
    });
    const silence = new AbortController();
    try {
      const exchange: Exchange = (method, path, body) => client.exchange(method, path, body);
      const answer = question(createApiClient(exchange)).then((value) => ({ state: "answered", value }) as const);
      const tooLate = this.#deps.clock.sleep(ANSWER_MS_MAX, silence.signal).then(() => ({ state: "silent" }) as const);
      return await Promise.race([answer, tooLate]);
    } catch (error) {
      const isNothing = error instanceof ProtocolError && error.code === "not_found";
      return isNothing ? { state: "nothing" } : { state: "silent" };
    } finally {
      silence.abort();
      await client.close();
    }
  }
}
