import { z } from "zod";
import { decodeText, encodeText, rangeEnd } from "./codec.ts";
import { EtcdError, saysTokenEnded } from "./etcd-error.ts";
import type { Gateway } from "./gateway.ts";

/** A key as etcd has it; a value of null says that it is gone. */
export interface Entry {
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
}

/** A write on the condition that the key is still at the revision that the writer knows. */
export interface Swap {
  readonly key: string;
  /** Null removes the key. */
  readonly value: string | null;
  /** 0 for a key that is not there. */
  readonly expected: number;
  /** The lease that ends the key. */
  readonly lease?: string;
}

/** A condition without a write. */
export interface Guard {
  readonly key: string;
  readonly expected: number;
}

/** The outcome of a transaction. */
export type TxnResult =
  | { readonly state: "written"; readonly revision: number }
  /** Nothing was written; what the keys of the swaps and guards are now. */
  | { readonly state: "refused"; readonly revision: number; readonly entries: readonly Entry[] };

/** What a watch tells at once: that it began, or what was written. */
export type WatchBatch =
  | { readonly state: "created"; readonly revision: number; readonly term: number }
  | { readonly state: "events"; readonly revision: number; readonly entries: readonly Entry[] };

const int64 = z.union([z.string().regex(/^-?\d+$/), z.number()]).transform(Number);
const header = z.object({ revision: int64.default(0), raft_term: int64.default(0) });
const pair = z.object({ key: z.string(), value: z.string().default(""), mod_revision: int64 });
const rangeSchema = z.object({ header, kvs: z.array(pair).default([]), more: z.boolean().default(false) });
const txnSchema = z.object({
  header,
  succeeded: z.boolean().default(false),
  responses: z.array(z.object({ response_range: z.object({ kvs: z.array(pair).default([]) }).optional() })).default([]),
});
const watchSchema = z.object({
  header,
  created: z.boolean().default(false),
  canceled: z.boolean().default(false),
  cancel_reason: z.string().default(""),
  compact_revision: int64.default(0),
  events: z.array(z.object({ type: z.enum(["PUT", "DELETE"]).default("PUT"), kv: pair })).default([]),
});
const leaseSchema = z.object({ ID: z.string(), TTL: int64.default(0) });
const keepAliveSchema = z.object({ result: z.object({ TTL: int64.default(0) }) });

/** A page of a list is at most this many keys: with the largest values 12 MB, with usual ones 1 MB. */
const PAGE_KEYS = 2_000;
/** Well within the shortest lease: a silent etcd is to be noticed before the lease ends. */
const KEEP_ALIVE_MS_MAX = 2_000;

/** What the store needs of etcd, in its own terms. Every method throws EtcdError. */
export type Etcd = Pick<EtcdClient, keyof EtcdClient>;

/** Etcd over its JSON gateway. */
export class EtcdClient {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** All keys with a prefix as of one revision, page by page. */
  async list(prefix: string, take: (entries: readonly Entry[]) => void): Promise<number> {
    const range_end = encodeText(rangeEnd(prefix));
    let revision = 0;
    let from = prefix;
    for (;;) {
      const body = { key: encodeText(from), range_end, limit: String(PAGE_KEYS), revision: String(revision) };
      const page = read(rangeSchema, await this.#gateway.call("/v3/kv/range", body, { idempotent: true }));
      if (revision === 0) revision = page.header.revision;
      const entries = page.kvs.map(entryOf);
      take(entries);
      const last = entries.at(-1);
      if (!page.more || last === undefined) return revision;
      // It would go on for ever.
      if (last.key < from) throw new EtcdError("uncertain", "its list does not go on where it was to");
      from = `${last.key}\0`;
    }
  }

  /** The first key with a prefix that is not before `from`; null when there is none. */
  async firstKey(prefix: string, from: string): Promise<string | null> {
    const range = { key: encodeText(from), range_end: encodeText(rangeEnd(prefix)), limit: "1", keys_only: true };
    const page = read(rangeSchema, await this.#gateway.call("/v3/kv/range", range, { idempotent: true }));
    return page.kvs[0] === undefined ? null : decodeText(page.kvs[0].key);
  }

  /** Some keys as they are now; those that are not there come with a value of null and the revision of the answer. */
  async read(keys: readonly string[]): Promise<Entry[]> {
    const body = { success: keys.map((key) => ({ request_range: { key: encodeText(key) } })) };
    const answer = read(txnSchema, await this.#gateway.call("/v3/kv/txn", body, { idempotent: true }));
    return entriesOf(keys, answer);
  }

  /** Writes all or nothing. */
  async swap(swaps: readonly Swap[], guards: readonly Guard[] = []): Promise<TxnResult> {
    const conditions = [...swaps, ...guards];
    const body = {
      compare: conditions.map(({ key, expected }) => ({
        key: encodeText(key),
        target: "MOD",
        result: "EQUAL",
        mod_revision: String(expected),
      })),
      success: swaps.map(({ key, value, lease = "0" }) =>
        value === null
          ? { request_delete_range: { key: encodeText(key) } }
          : { request_put: { key: encodeText(key), value: encodeText(value), lease } },
      ),
      failure: conditions.map(({ key }) => ({ request_range: { key: encodeText(key) } })),
    };
    const answer = read(txnSchema, await this.#gateway.call("/v3/kv/txn", body, { idempotent: false }));
    const { revision } = answer.header;
    if (answer.succeeded) return { state: "written", revision };
    const keys = conditions.map(({ key }) => key);
    return { state: "refused", revision, entries: entriesOf(keys, answer) };
  }

  /** Follows all keys with a prefix, from a revision on, until the signal aborts. */
  async *watch(prefix: string, from: number, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    const create_request = {
      key: encodeText(prefix),
      range_end: encodeText(rangeEnd(prefix)),
      start_revision: String(from),
      progress_notify: true,
    };
    for await (const result of this.#gateway.stream("/v3/watch", { create_request }, signal)) {
      const batch = read(watchSchema, result);
      const { revision, raft_term: term } = batch.header;
      if (batch.canceled) {
        const compacted = batch.compact_revision > 0;
        // There may be no other request that would be refused for the token.
        if (saysTokenEnded(batch.cancel_reason)) this.#gateway.forgetToken();
        throw new EtcdError(compacted ? "compacted" : "unavailable", batch.cancel_reason || "the watch was cancelled");
      }
      if (batch.created) yield { state: "created", revision, term };
      else
        yield {
          state: "events",
          revision,
          entries: batch.events.map(({ type, kv }) =>
            type === "DELETE" ? { ...entryOf(kv), value: null } : entryOf(kv),
          ),
        };
    }
  }

  async grantLease(ttlSeconds: number): Promise<string> {
    const body = { TTL: String(ttlSeconds) };
    return read(leaseSchema, await this.#gateway.call("/v3/lease/grant", body, { idempotent: true })).ID;
  }

  /** Returns whether the lease goes on; false when it has ended. */
  async keepAlive(lease: string): Promise<boolean> {
    const options = { idempotent: true, timeoutMs: KEEP_ALIVE_MS_MAX };
    const answer = await this.#gateway.call("/v3/lease/keepalive", { ID: lease }, options);
    return read(keepAliveSchema, answer).result.TTL > 0;
  }

  /** Which of the endpoints is asked now: a watch on another one may have gone silent. */
  get endpoint(): number {
    return this.#gateway.endpoint;
  }

  close(): Promise<void> {
    return this.#gateway.close();
  }
}

/** The answers to one range request for each key, in their order. */
function entriesOf(keys: readonly string[], { header, responses }: z.output<typeof txnSchema>): Entry[] {
  return keys.map((key, i) => {
    const kv = responses[i]?.response_range?.kvs[0];
    return kv === undefined ? { key, value: null, revision: header.revision } : entryOf(kv);
  });
}

function entryOf(kv: z.output<typeof pair>): Entry {
  return { key: decodeText(kv.key), value: decodeText(kv.value), revision: kv.mod_revision };
}

function read<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new EtcdError("uncertain", `its answer has another form: ${parsed.error.issues[0]?.message ?? "unknown"}`);
}
