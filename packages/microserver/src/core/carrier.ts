import type { Message, SendFields } from "./message.ts";

/** What carries the sessions and traces of this process in messages. */
export interface Carrier {
  /** The application properties that a message of the current session has. */
  inject(): Readonly<Record<string, string>>;
  /** Runs what handles a message in the session that it carries. */
  run<T>(message: Message, handle: () => T | Promise<T>): T | Promise<T>;
}

/** Where the client library of a process, if it has one, is found: it needs no module here, and none of its own in a browser. */
const CARRIER = Symbol.for("@datawire/mdk.messages");

const NONE: Carrier = { inject: () => ({}), run: (_, handle) => handle() };

/** The client library's, which may be there later than this one. */
export const carrier = (): Carrier => (globalThis as { readonly [CARRIER]?: Carrier })[CARRIER] ?? NONE;

/** Fields of a message with the session that is current now; what the sender says itself wins. */
export function withSessionOf(fields: SendFields): SendFields {
  const carried = carrier().inject();
  return Object.keys(carried).length === 0 ? fields : { ...fields, properties: { ...carried, ...fields.properties } };
}
