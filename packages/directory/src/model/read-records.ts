import {
  instanceKey,
  isName,
  parseServiceAddress,
  parseSticky,
  ProtocolError,
  readRegistration,
  readRouteTable,
  requireGeneration,
  requireSettings,
  tableKey,
} from "@datawire/protocol";
import type { z } from "zod";
import {
  callerSchema,
  type Change,
  type Drain,
  drainSchema,
  type DurableRecord,
  type HistoryEntry,
  historyEntrySchema,
  keySchema,
  recordKey,
  SESSION_KEY_ID,
  type ServiceRecord,
  serviceRecordSchema,
  type StoredRegistration,
  storedRegistrationSchema,
} from "./records.ts";
import { type RolloutRecord, rolloutRecordSchema, tallyId, tallySchema } from "./rollout-records.ts";
import { firstIssue, unreadable } from "./unreadable.ts";

/**
 * What comes out of a store or a backup is read here, and nowhere else, for meaning as well as for shape: nothing that
 * was read makes anything behind throw. All functions throw ProtocolError `invalid_argument` that names the record.
 */

/** Reads a record by its key; the value of null says that it is gone. */
export function readRecord(key: string, value: unknown): DurableRecord {
  const slash = key.indexOf("/");
  const id = key.slice(slash + 1);
  const read = READERS.get(key.slice(0, Math.max(0, slash)));
  if (read === undefined) throw unreadable(key, "its kind is unknown to this version");
  return naming(key, () => {
    const record = read(id, value);
    // Whoever looks for the record by what it says would not find it.
    if (recordKey(record) !== key)
      throw new ProtocolError("invalid_argument", `it says that it is ${recordKey(record)}`);
    return record;
  });
}

/** Reads a registration that a store keeps under a key. */
export function readStoredRegistration(key: string, value: unknown): StoredRegistration {
  return naming(key, () => {
    const stored = shaped(storedRegistrationSchema, value);
    readRegistration(stored.registration);
    const own = instanceKey(stored.registration);
    if (own !== key) throw new ProtocolError("invalid_argument", `it says that it is ${own}`);
    return stored;
  });
}

type Read = (id: string, value: unknown) => DurableRecord;

const READERS = new Map<string, Read>([
  [
    "table",
    (id, value) => {
      const table = value === null ? null : readRouteTable(value);
      return { kind: "table", id: table === null ? id : tableKey(table), value: table };
    },
  ],
  [
    "service",
    (id, value) => {
      const record = value === null ? null : readServiceRecord(value);
      return { kind: "service", id: record?.name ?? id, value: record };
    },
  ],
  [
    "drain",
    (id, value) => {
      const drain = value === null ? null : readDrain(value);
      return { kind: "drain", id: drain?.key ?? id, value: drain };
    },
  ],
  [
    "caller",
    (id, value) => {
      const caller = value === null ? null : shaped(callerSchema, value);
      requireName(id);
      return { kind: "caller", id: caller?.name ?? id, value: caller };
    },
  ],
  [
    "key",
    (id, value) => {
      if (id !== SESSION_KEY_ID) throw new ProtocolError("invalid_argument", `no key is called ${JSON.stringify(id)}`);
      return { kind: "key", id, value: value === null ? null : shaped(keySchema, value) };
    },
  ],
  [
    "rollout",
    (id, value) => {
      const rollout = value === null ? null : readRollout(value);
      return { kind: "rollout", id: rollout?.id ?? id, value: rollout };
    },
  ],
  [
    "tally",
    (id, value) => {
      const tally = value === null ? null : shaped(tallySchema, value);
      return { kind: "tally", id: tally === null ? id : tallyId(tally), value: tally };
    },
  ],
  [
    "history",
    (id, value) => {
      if (!/^(?:0|[1-9]\d{0,14})$/.test(id)) throw new ProtocolError("invalid_argument", "its id is no number");
      const entry = value === null ? null : readHistoryEntry(value);
      return { kind: "history", id: entry === null ? id : String(entry.id), value: entry };
    },
  ],
]);

function readServiceRecord(value: unknown): ServiceRecord {
  const record = shaped(serviceRecordSchema, value);
  requireName(record.name);
  requireGeneration(record.primary);
  requireSettings(record.settings);
  return record;
}

/** Reads a rollout with the addresses and the route tables in it: it sets routes of them later on, when nobody can correct one. */
function readRollout(value: unknown): RolloutRecord {
  const record = shaped(rolloutRecordSchema, value);
  const { target, from } = record.rollout.plan;
  const { service, version, instance } = parseServiceAddress(target);
  if (service !== record.service)
    throw new ProtocolError("invalid_argument", `its target ${target} is of another service`);
  if (version === null && instance === null)
    throw new ProtocolError("invalid_argument", `its target ${target} is neither a version nor an instance`);
  requireName(service);
  if ((from ?? "*") !== record.caller)
    throw new ProtocolError("invalid_argument", "its caller is not that of its plan");
  if (from !== null) requireName(from);
  const { sticky } = record.rollout.plan;
  if (sticky !== null) parseSticky(sticky);
  for (const table of [record.before, record.ours]) {
    if (table !== null && tableKey(readRouteTable(table)) !== tableKey(record))
      throw new ProtocolError("invalid_argument", "its routes are those of another caller or service");
  }
  return record;
}

function readDrain(value: unknown): Drain {
  const drain = shaped(drainSchema, value);
  const { instance } = parseServiceAddress(`//${drain.key}`);
  if (instance === null) throw new ProtocolError("invalid_argument", "it names no instance");
  return drain;
}

/** An undo brings back what a change replaced: that has to be as good as the record itself. */
function readHistoryEntry(value: unknown): HistoryEntry {
  const entry = shaped(historyEntrySchema, value);
  const { tables, services, drains }: Change = entry.change;
  for (const { key, before, after } of tables) readBoth("table", key, [before, after]);
  for (const { key, before, after } of services) readBoth("service", key, [before, after]);
  for (const { key, before, after } of drains) readBoth("drain", key, [before, after]);
  return entry;
}

function readBoth(kind: DurableRecord["kind"], id: string, values: readonly unknown[]): void {
  for (const value of values) readRecord(`${kind}/${id}`, value);
}

function requireName(name: string): void {
  if (!isName(name)) throw new ProtocolError("invalid_argument", `${JSON.stringify(name.slice(0, 100))} is no name`);
}

function shaped<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProtocolError("invalid_argument", firstIssue(parsed.error));
}

function naming<T>(key: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw unreadable(key, error.message);
  }
}
