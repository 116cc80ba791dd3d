import {
  countSchema,
  momentSchema,
  PROTOCOLS,
  registrationSchema,
  routeTableSchema,
  serviceSettingsSchema,
  SESSION_KEY_PATTERN,
  type Registration,
  type RouteTable,
} from "@datawire/protocol";
import { z } from "zod";
import type { RolloutRecord, TallyRecord } from "./rollout-records.ts";

/** What a directory keeps on disk, as values: each has a key, and is written and read as a whole. */

/** What is remembered of a service beyond the instances that are registered. */
export const serviceRecordSchema = z.object({
  name: z.string(),
  /** Whether an operator added it. */
  declared: z.boolean(),
  /** As declared; null leaves it to the instances. */
  protocol: z.enum(PROTOCOLS).nullable(),
  /** The primary generation once it is decided; null while it is not. */
  primary: z.string().nullable(),
  settings: serviceSettingsSchema,
});
/** A service as it is recorded. */
export type ServiceRecord = z.infer<typeof serviceRecordSchema>;

/** An operator took an instance out of the pool. Holds until resumed, whatever its Watson says. */
export const drainSchema = z.object({ key: z.string(), atMs: momentSchema, who: z.string() });
/** A drain by an operator, as it is recorded. */
export type Drain = z.infer<typeof drainSchema>;

/** A Sherlock or a library that was connected once. */
export const callerSchema = z.object({ name: z.string(), kind: z.string(), seenMs: momentSchema });
/** A caller as it is recorded. */
export type CallerRecord = z.infer<typeof callerSchema>;

/** What Sherlocks make the cookies of sessions with; made once in the life of a store. */
export const keySchema = z.object({ key: z.string().regex(SESSION_KEY_PATTERN) });
/** The key for the cookies of sessions, as it is recorded. */
export type KeyRecord = z.infer<typeof keySchema>;

/** The one id that there is of it. */
export const SESSION_KEY_ID = "sessions";

const swap = <T extends z.ZodType>(value: T) =>
  z.object({ key: z.string(), before: value.nullable(), after: value.nullable() });

/** What a change makes of what is kept: from what to what, so that it can be undone. */
export const changeSchema = z.object({
  tables: z.array(swap(routeTableSchema)).default([]),
  services: z.array(swap(serviceRecordSchema)).default([]),
  drains: z.array(swap(drainSchema)).default([]),
});
/** A change of the table as the history keeps it. */
export type Change = z.infer<typeof changeSchema>;

/** A change that was made, by whom, and whether it was taken back. */
export const historyEntrySchema = z.object({
  id: countSchema,
  atMs: momentSchema,
  who: z.string(),
  verified: z.boolean(),
  /** One line, for people. */
  action: z.string(),
  undone: z.boolean(),
  /** False for what the directory did by itself and for an undo, which `undo` leaves alone. */
  undoable: z.boolean(),
  change: changeSchema,
});
/** One entry of the history, read. */
export type HistoryEntry = z.infer<typeof historyEntrySchema>;

/** Who holds instances: a Watson, where nothing else is said. */
const holderSchema = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  /** The kind of program that registers; left out for a Watson. `mdk` is a node of the original MDK. */
  kind: z.enum(["library", "router", "mdk"]).optional(),
  /** How long its instances stay after its last message, where that is not `leaseMs` of the directory. Milliseconds. */
  leaseMs: z.number().min(0).optional(),
});
/** The identity of a client that holds instances. */
export type HolderIdentity = Readonly<z.infer<typeof holderSchema>>;

/** An instance as it was last registered, with what the directory knows of it. */
export const storedRegistrationSchema = z.object({
  watson: holderSchema,
  registration: registrationSchema,
  order: countSchema,
  /** Since when its Watson says what it says. */
  sinceMs: momentSchema,
});
/** A registration as it is recorded, with its holder. */
export interface StoredRegistration {
  readonly watson: HolderIdentity;
  readonly registration: Registration;
  readonly order: number;
  readonly sinceMs: number;
}

/** Which directory sees a Watson, for those that share a store. */
export const sightingSchema = holderSchema.extend({
  /** The id of the directory that it is connected to; null since its connection broke. */
  replica: z.string().nullable(),
  /** Since when. */
  sinceMs: momentSchema,
});
/** Which directory sees a Watson, read. */
export type Sighting = z.infer<typeof sightingSchema>;

/** The record of a service of which nothing is known but its name. */
export const emptyRecord = (name: string): ServiceRecord => ({
  name,
  declared: false,
  protocol: null,
  primary: null,
  settings: serviceSettingsSchema.parse({}),
});

/** One thing that is kept, with its kind and its id; null says that it is gone. */
export type DurableRecord =
  | { readonly kind: "table"; readonly id: string; readonly value: RouteTable | null }
  | { readonly kind: "service"; readonly id: string; readonly value: ServiceRecord | null }
  | { readonly kind: "drain"; readonly id: string; readonly value: Drain | null }
  | { readonly kind: "key"; readonly id: typeof SESSION_KEY_ID; readonly value: KeyRecord | null }
  | { readonly kind: "caller"; readonly id: string; readonly value: CallerRecord | null }
  | { readonly kind: "rollout"; readonly id: string; readonly value: RolloutRecord | null }
  | { readonly kind: "tally"; readonly id: string; readonly value: TallyRecord | null }
  | { readonly kind: "history"; readonly id: string; readonly value: HistoryEntry | null };

/** The key under which a store keeps a record. */
export const recordKey = ({ kind, id }: Pick<DurableRecord, "kind" | "id">): string => `${kind}/${id}`;

/** What a change makes of the records. */
export function recordsOf({ tables, services, drains }: Change): DurableRecord[] {
  return [
    ...tables.map(({ key, after }) => ({ kind: "table", id: key, value: after }) as const),
    ...services.map(({ key, after }) => ({ kind: "service", id: key, value: after }) as const),
    ...drains.map(({ key, after }) => ({ kind: "drain", id: key, value: after }) as const),
  ];
}
