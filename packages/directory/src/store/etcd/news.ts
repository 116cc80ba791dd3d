import { z } from "zod";
import { describeError } from "@datawire/runtime";
import { readStoredRegistration } from "../../model/read-records.ts";
import { sightingSchema, type StoredRegistration } from "../../model/records.ts";
import type { SharedNews } from "../../registry/peer-updates.ts";
import type { UnreadableEntry, VersionedRecord } from "../contract.ts";
import { parseJson } from "../parse-json.ts";
import type { Replica } from "../replication.ts";
import type { Entry } from "./etcd-client.ts";
import type { Keys, Kind } from "./keys.ts";

const replicaSchema = z.object({
  id: z.string(),
  address: z.string(),
  version: z.string(),
  startedMs: z.number(),
});

/** A question whether a Watson is alive, and its answer: null until the directory that is asked has answered. */
export const challengeSchema = z.object({
  watson: z.string(),
  by: z.string(),
  of: z.string(),
  nonce: z.string(),
  alive: z.boolean().nullable(),
});
/** The question of one directory to the others about a Watson, read. */
export type Challenge = z.infer<typeof challengeSchema>;

/** Entries of etcd, read. */
export interface ReadEntries extends SharedNews {
  readonly records: readonly VersionedRecord[];
  readonly present: readonly { readonly id: string; readonly value: Replica | null }[];
  readonly challenges: readonly { readonly value: Challenge; readonly revision: number }[];
  /** Those that are not as this version writes them, and were left out. */
  readonly unreadable: readonly UnreadableEntry[];
}

/** Reads entries; records are read by whoever takes them. */
export function readEntries(entries: readonly Entry[], keys: Keys): ReadEntries {
  const unreadable: UnreadableEntry[] = [];
  const records: VersionedRecord[] = [];
  const present: { id: string; value: Replica | null }[] = [];
  const sightings: { id: string; value: z.infer<typeof sightingSchema> | null }[] = [];
  const registrations: { key: string; value: StoredRegistration | null }[] = [];
  const challenges: { value: Challenge; revision: number }[] = [];
  const take: Record<Kind, (id: string, entry: Entry) => void> = {
    format: () => {},
    records: (key, { value, revision }) =>
      records.push({ key, value: value === null ? null : parseJson(value), version: revision }),
    instances: (key, { value }) =>
      registrations.push({ key, value: value === null ? null : readStoredRegistration(key, parseJson(value)) }),
    watsons: (id, entry) => sightings.push({ id, value: readAs(sightingSchema, entry) }),
    replicas: (id, entry) => present.push({ id, value: readAs(replicaSchema, entry) }),
    challenges: (_, entry) => {
      const value = readAs(challengeSchema, entry);
      if (value !== null) challenges.push({ value, revision: entry.revision });
    },
  };
  for (const entry of entries) {
    const parsed = keys.parse(entry.key);
    if (parsed === null) continue;
    try {
      take[parsed.kind](parsed.id, entry);
    } catch (error) {
      unreadable.push({ key: entry.key, reason: describeError(error) });
    }
  }
  const replicas = present.map(({ id, value }) => ({ id, present: value !== null }));
  return { records, present, replicas, sightings, registrations, challenges, unreadable };
}

function readAs<S extends z.ZodType>(schema: S, { value }: Entry): z.output<S> | null {
  if (value === null) return null;
  const parsed = schema.safeParse(parseJson(value));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}`);
}
