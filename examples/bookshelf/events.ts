// The events of the shelf: how they are published, and how each service makes its own view of them.
import { createHash } from "node:crypto";
import type { Mdk } from "@datawire/mdk";
import { handleMessage } from "@datawire/mdk/messages";
import type { Microserver } from "@datawire/microserver";

export const TOPIC = "topic/bookshelf";

export interface Book {
  readonly id: string;
  readonly title: string;
}

/** The envelope of every event. Applied twice it does what it does once, as whoever applies it knows its `id`. */
export interface Envelope<Name extends string, Payload> {
  readonly id: string;
  readonly name: Name;
  /** RFC 3339. */
  readonly created: string;
  /** Whether nothing changes by it. */
  readonly safe: false;
  readonly idempotent: true;
  readonly payload: Payload;
}
export type ShelfEvent = Envelope<"book-added", Book> | Envelope<"book-read", { readonly id: string }>;

/** The id of what is made by a request: the same one for the same key, whoever is asked. */
export const idOf = (what: string, key: string): string =>
  createHash("sha256")
    .update(JSON.stringify([what, key]))
    .digest("hex")
    .slice(0, 32);

/** Publishes an event. Resolves when the topic has it on disk; of those with the same id it takes the first. */
export async function publish(
  microserver: Microserver,
  said: Pick<ShelfEvent, "id" | "name" | "payload">,
): Promise<void> {
  const { id, name, payload } = said;
  const event = { id, name, created: new Date().toISOString(), safe: false, idempotent: true, payload: { ...payload } };
  await microserver.send(TOPIC, event, { id, subject: name, once: id });
}

/** Longer than the library waits between attempts to reach a router. */
const BEHIND_MS_MAX = 8_000;

/** The history of the shelf as one service sees it: read from the first event on, and followed from then. */
export interface History {
  /** Resolves when all is applied that was published before; rejects where that takes too long: nothing old is shown for new. */
  upToDate(): Promise<void>;
}

/** Rebuilds a view from the topic, and resolves when that is done. @param apply is called once for each event, in order. */
export async function follow(
  { microserver, mdk }: { readonly microserver: Microserver; readonly mdk: Mdk },
  apply: (event: ShelfEvent) => void,
): Promise<History> {
  const known = new Set<string>();
  const startedAt = new Date();
  let offset = -1;
  let waiting: { readonly until: number; done(): void }[] = [];
  const take = (event: ShelfEvent): void => {
    if (!known.has(event.id)) apply(event);
    known.add(event.id);
  };
  const read = async (): Promise<void> => {
    for await (const message of microserver.subscribe(TOPIC, { from: "first" })) {
      const event = message.body as unknown as ShelfEvent;
      // What is read again belongs to no request that is under way.
      if (message.at === null || message.at < startedAt) take(event);
      else await handleMessage(mdk, message, () => take(event));
      offset = message.offset ?? offset;
      for (const one of waiting) if (one.until <= offset) one.done();
      waiting = waiting.filter(({ until }) => until > offset);
    }
  };
  // It ends with the microserver.
  read().catch(() => {});
  const comesTo = (until: number): Promise<void> =>
    until <= offset ? Promise.resolve() : new Promise((done) => waiting.push({ until, done }));
  await comesTo((await microserver.lastOffset(TOPIC)) ?? -1);
  return {
    async upToDate() {
      const signal = AbortSignal.timeout(BEHIND_MS_MAX);
      const late = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () =>
          reject(new Error(`Cannot answer: behind ${TOPIC}, which the router has`)),
        ),
      );
      const last = microserver.lastOffset(TOPIC, { signal }).then((offset) => comesTo(offset ?? -1));
      await Promise.race([last, late]);
    },
  };
}
