import { z } from "zod";
import { sightingSchema, storedRegistrationSchema } from "../../core/records.ts";
import type { SharedNews } from "../../core/others-word.ts";
import { StoreError, type VersionedRecord } from "../contract.ts";
import type { Replica } from "../shared.ts";
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
export type Challenge = z.infer<typeof challengeSchema>;

/** Entries of etcd, read. */
export interface ReadEntries extends SharedNews {
  readonly records: readonly VersionedRecord[];
  readonly present: readonly { readonly id: string; readonly value: Replica | null }[];
  readonly challenges: readonly { readonly value: Challenge; readonly revision: number }[];
}

/**
 * Reads entries. One that is not as this version writes it is told to `damaged`, and left out where that returns.
 */
export function readEntries(entries: readonly Entry[], keys: Keys, damaged: (error: StoreError) => void): ReadEntries {
  const records: VersionedRecord[] = [];
  const present: { id: string; value: Replica | null }[] = [];
  const sightings: { id: string; value: z.infer<typeof sightingSchema> | null }[] = [];
  const registrations: { key: string; value: z.infer<typeof storedRegistrationSchema> | null }[] = [];
  const challenges: { value: Challenge; revision: number }[] = [];
  const take: Record<Kind, (id: string, entry: Entry) => void> = {
    format: () => {},
    records: (key, entry) => records.push({ key, value: readJson(entry), version: entry.revision }),
    instances: (key, entry) => registrations.push({ key, value: readAs(storedRegistrationSchema, entry) }),
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
      if (!(error instanceof StoreError)) throw error;
      damaged(error);
    }
  }
  const replicas = present.map(({ id, value }) => ({ id, present: value !== null }));
  return { records, present, replicas, sightings, registrations, challenges };
}

function readAs<S extends z.ZodType>(schema: S, entry: Entry): z.output<S> | null {
  const parsed = schema.nullable().safeParse(readJson(entry));
  if (!parsed.success) throw notOurs(entry.key, parsed.error.issues[0]?.message ?? "malformed");
  return parsed.data;
}

function readJson({ key, value }: Entry): unknown {
  if (value === null) return null;
  try {
    return JSON.parse(value);
  } catch {
    throw notOurs(key, "it is no JSON");
  }
}

function notOurs(key: string, why: string): StoreError {
  return new StoreError("damaged", `Cannot read ${key} in etcd: ${why}; another program, or a newer version, wrote it`);
}
