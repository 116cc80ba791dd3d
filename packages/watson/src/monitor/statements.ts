import type { ClientMessage, Registration } from "@datawire/protocol";

/** A message that states instances to a directory: all of them, or what has changed. */
export type RegisterMessage = Extract<ClientMessage, { type: "register" | "update" }>;

/** What one directory has been told on this connection, and how many messages that took. */
export interface Told {
  readonly seq: number;
  readonly instances: ReadonlyMap<string, Registration>;
}

/** The first message of a connection: everything. */
export function stateAll(wanted: ReadonlyMap<string, Registration>): { message: RegisterMessage; told: Told } {
  return {
    message: { type: "register", seq: 0, instances: [...wanted.values()] },
    told: { seq: 1, instances: wanted },
  };
}

/** The message that takes a directory from what it was told to what is wanted; null when those are the same. */
export function stateChanges(
  told: Told,
  wanted: ReadonlyMap<string, Registration>,
): { message: RegisterMessage; told: Told } | null {
  const instances: Registration[] = [];
  for (const [key, registration] of wanted) {
    const before = told.instances.get(key);
    if (before === undefined || !isSame(before, registration)) instances.push(registration);
  }
  const gone = [...told.instances.keys()].filter((key) => !wanted.has(key));
  if (instances.length === 0 && gone.length === 0) return null;
  return {
    message: { type: "update", seq: told.seq, instances, gone },
    told: { seq: told.seq + 1, instances: wanted },
  };
}

/** Takes refused instances out of what a directory was told, so that the next message states them again. */
export function forget(told: Told, keys: Iterable<string>): Told {
  const instances = new Map(told.instances);
  for (const key of keys) instances.delete(key);
  return { ...told, instances };
}

/** The registration of an instance that an operator has drained: live no more, and otherwise as it is. */
export function withDrain(registration: Registration, drained: boolean): Registration {
  if (!drained || registration.state !== "live") return registration;
  return { ...registration, state: "draining", reason: "drained by an operator" };
}

function isSame(a: Registration, b: Registration): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
