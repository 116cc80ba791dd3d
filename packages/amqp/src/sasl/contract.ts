/** How a step of an authentication ends, seen from the server. */
export type SaslStep =
  | { readonly state: "challenge"; readonly bytes: Uint8Array }
  | { readonly state: "authenticated"; readonly identity: string; readonly additional?: Uint8Array }
  | { readonly state: "failed" };

/** One authentication at a server. */
export interface SaslExchange {
  /** Takes what the client says, and answers once, now or later. */
  respond(response: Uint8Array, answer: (step: SaslStep) => void): void;
}

/** The mechanisms of a server. */
export interface SaslServer {
  /** By name, the best first. */
  readonly mechanisms: readonly string[];
  /** Begins an authentication; null for a mechanism that is none of these. */
  begin(mechanism: string): SaslExchange | null;
}

/** One mechanism of a client, for one authentication. */
export interface SaslClient {
  readonly name: string;
  /** What goes with the choice of the mechanism; null for nothing. */
  begin(): Uint8Array | null;
  /** Answers a challenge; null where the server is not to be believed. */
  respond(challenge: Uint8Array): Uint8Array | null;
  /** Whether the server, which says that all is well, is to be believed; `additional` came with that. */
  finish(additional: Uint8Array | null): boolean;
}
