import { currentSession, withSession } from "../app/current-session.ts";
import { joinRequest } from "../app/join-request.ts";
import type { Application } from "../app/mdk.ts";
import { requireApplication } from "../app/require-application.ts";
import type { Mdk } from "../app/types.ts";
import { LiveSession } from "../session/session.ts";
import { tellContext } from "./outgoing.ts";

/** As far as it is used, a message that came, as `@datawire/microserver` has it. */
export interface MessageLike {
  readonly address: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly replyTo: string | null;
}

/** Where `@datawire/microserver`, which knows nothing of this library, finds it. */
const CARRIER = Symbol.for("@datawire/mdk.messages");

/** What carries sessions in messages: it is asked for each that is sent, and runs what handles each that comes. */
export interface MessageCarrier {
  /** The application properties that a message of the current session has; none without a session. */
  inject(): Readonly<Record<string, string>>;
  /** Runs something in the session that a message carries, as an interaction of it; as it is while no library runs. */
  run<T>(message: MessageLike, handle: () => T | Promise<T>): T | Promise<T>;
}

/** The libraries of this process; the one made last handles messages. */
let applications: Application[] = [];

/** Has the messages of this process carry sessions, for as long as the library runs. */
export function carryInMessages(application: Application): void {
  applications = [...applications.filter(({ isStopped }) => !isStopped), application];
  (globalThis as { [CARRIER]?: MessageCarrier })[CARRIER] = carrier;
}

const carrier: MessageCarrier = {
  inject() {
    const session = currentSession();
    const properties: [name: string, value: string][] = [];
    if (session instanceof LiveSession) tellContext(session, (...property) => properties.push(property));
    return Object.fromEntries(properties);
  },
  run(message, handle) {
    const application = applications.findLast(({ isStopped }) => !isStopped);
    return application === undefined ? handle() : handleMessage(application, message, handle);
  },
};

/**
 * Runs something in the session that a message carries, as an interaction of its trace: what `listen` and `pipeline` of
 * `@datawire/microserver` do by themselves, for loops over `subscribe`. The deadline of who sent it holds where it asks for
 * an answer. Throws what `handle` throws.
 */
export async function handleMessage<T>(mdk: Mdk, message: MessageLike, handle: () => T | Promise<T>): Promise<T> {
  const known = new Map(Object.entries(message.properties).map(([name, value]) => [name.toLowerCase(), value]));
  const header = (name: string): string | null => {
    const value = known.get(name);
    return typeof value === "string" ? value : null;
  };
  const session = joinRequest(requireApplication(mdk), header, message.replyTo !== null);
  session.startInteraction({ name: `${message.address.replace(/\?.*$/, "")} process`, kind: "consumer" });
  try {
    return await withSession(session, handle);
  } catch (error) {
    session.failInteraction(error);
    throw error;
  } finally {
    session.finishInteraction();
  }
}
