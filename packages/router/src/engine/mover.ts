import type { Delivery } from "../queue/delivery.ts";
import type { KeptAddress } from "./kept-address.ts";
import type { Source, SourcePort } from "./ports.ts";
import { Queue } from "../queue/queue.ts";
import { Refused } from "./refused.ts";

/** How many messages are looked at or moved before others have their turn. */
const AT_ONCE = 200;

/**
 * Takes the messages that no consumer has out of a queue, one after the other, in order, until there are none or enough.
 * @param use says of each whether it stays where it is.
 */
function takeOut(
  from: KeptAddress,
  {
    max,
    later,
    use,
  }: {
    readonly max: number;
    readonly later: (callback: () => void) => void;
    readonly use: (delivery: Delivery) => boolean;
  },
): Promise<number> {
  const { kept } = from;
  // Who wants none is not told that there are none.
  if (!(kept instanceof Queue) || max <= 0) return Promise.resolve(0);
  return new Promise((resolve) => {
    const stay: number[] = [];
    let count = 0;
    let room = AT_ONCE;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      // Whoever is in the middle of giving them goes on first.
      later(() => {
        for (const sequence of stay) source.settle(sequence, { outcome: "released" });
        source.detach(true);
        resolve(count);
      });
    };
    const port: SourcePort = {
      get credit() {
        return room;
      },
      filter: null,
      wants: () => !isOver && room > 0 && count < max,
      deliver(delivery) {
        count++;
        room--;
        if (use(delivery)) stay.push(delivery.sequence);
        else source.settle(delivery.sequence, { outcome: "accepted" });
        if (count >= max) return end();
        if (room > 0) return;
        later(() => {
          room = AT_ONCE;
          source.pump();
        });
      },
      exhausted: end,
      gone: end,
      stolen: end,
    };
    const source: Source = from.openQueueSource(kept, port);
    source.pump();
  });
}

/** Moves messages from one address to another; each is in one of them at any moment, whatever happens. @returns how many. */
export function moveMessages(
  from: KeptAddress,
  to: KeptAddress,
  { later, nowMs }: { readonly later: (callback: () => void) => void; readonly nowMs: () => number },
): Promise<number> {
  // What comes meanwhile stays: where it is moved to may send it back.
  const max = from.kept.messages - from.kept.unsettled;
  return takeOut(from, {
    max,
    later,
    use({ record }) {
      to.kept.append({ acceptedAtMs: nowMs(), ttlMs: 0, keys: null, payload: record.payload });
      to.counters.in++;
      return false;
    },
  });
}

/** How many bytes of messages are on their way to another process at once; one message may be more. */
const BYTES_AT_ONCE = 2 ** 20;

/**
 * Moves messages to where `send` takes them: each is there, on disk, before it is taken out here, so that none is lost. Of a
 * process that is killed in between, the last ones may be at both.
 * @returns how many.
 * @throws Refused with what `send` says, and how many were moved before.
 */
export async function moveAway(
  from: KeptAddress,
  send: (payloads: readonly Uint8Array[]) => Promise<unknown>,
): Promise<number> {
  const { kept } = from;
  if (!(kept instanceof Queue)) return 0;
  // What comes meanwhile stays.
  const max = kept.messages - kept.unsettled;
  let batch: { readonly sequence: number; readonly payload: Uint8Array }[] = [];
  let bytes = 0;
  let moved = 0;
  let filled: (() => void) | null = null;
  const end = (): void => {
    filled?.();
    filled = null;
  };
  const port: SourcePort = {
    get credit() {
      return filled === null ? 0 : AT_ONCE - batch.length;
    },
    filter: null,
    wants: () => filled !== null && batch.length < Math.min(AT_ONCE, max - moved) && bytes < BYTES_AT_ONCE,
    deliver({ sequence, record }) {
      batch.push({ sequence, payload: Uint8Array.from(record.payload) });
      bytes += record.payload.length;
      if (!port.wants()) end();
    },
    exhausted: end,
    gone: end,
    stolen: end,
  };
  const source = from.openQueueSource(kept, port);
  try {
    while (!from.isGone && moved < max) {
      bytes = 0;
      const isFilled = new Promise<void>((resolve) => (filled = resolve));
      source.pump();
      await isFilled;
      if (batch.length === 0) break;
      await send(batch.map(({ payload }) => payload));
      for (const { sequence } of batch) source.settle(sequence, { outcome: "accepted" });
      moved += batch.length;
      batch = [];
    }
    return moved;
  } catch (error) {
    if (error instanceof Refused) throw new Refused(error.condition, `${error.message}; ${moved} of ${max} were moved`);
    throw error;
  } finally {
    for (const { sequence } of batch) source.settle(sequence, { outcome: "released" });
    source.detach(true);
  }
}

/** Takes messages that another process moves here. @returns when they are on disk. */
export function takeMoved(
  to: KeptAddress,
  payloads: readonly Uint8Array[],
  { later, nowMs }: { readonly later: (callback: () => void) => void; readonly nowMs: () => number },
): Promise<number> {
  return new Promise((resolve) => {
    later(() => {
      for (const payload of payloads) {
        to.kept.append({ acceptedAtMs: nowMs(), ttlMs: 0, keys: null, payload });
        to.counters.in++;
      }
      to.storage.whenDurable(() => resolve(payloads.length));
    });
  });
}

/** Looks at the oldest messages of a queue, and leaves them as they are. */
export async function lookAt(
  from: KeptAddress,
  max: number,
  later: (callback: () => void) => void,
): Promise<Delivery[]> {
  const seen: Delivery[] = [];
  await takeOut(from, {
    max,
    later,
    use(delivery) {
      seen.push({ ...delivery, record: { ...delivery.record, payload: Uint8Array.from(delivery.record.payload) } });
      return true;
    },
  });
  return seen;
}
