import type { MessageRecord } from "../../log/record.ts";
import type { Delivery } from "../../queue/delivery.ts";
import type { KeptAddress } from "../kept-address.ts";
import type { Source, SourcePort } from "../ports.ts";
import { Queue } from "../../queue/queue.ts";

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

/** How long a message still has, which a move does not change; 0 for no end. */
export const timeLeft = (
  { ttlMs, acceptedAtMs }: Pick<MessageRecord, "ttlMs" | "acceptedAtMs">,
  nowMs: number,
): number => (ttlMs === 0 ? 0 : Math.max(1, Math.min(ttlMs, acceptedAtMs + ttlMs - nowMs)));

/** Moves messages from one address to another; each is in one of them at any moment, whatever happens. @returns how many. */
export function moveMessages(
  from: KeptAddress,
  to: KeptAddress,
  { later, nowMs }: { readonly later: (callback: () => void) => void; readonly nowMs: () => number },
): Promise<number> {
  // Messages that come meanwhile stay, as the target may send moved ones back.
  const max = from.kept.messages - from.kept.unsettled;
  return takeOut(from, {
    max,
    later,
    use({ record }) {
      const acceptedAtMs = nowMs();
      to.kept.append({ acceptedAtMs, ttlMs: timeLeft(record, acceptedAtMs), keys: null, payload: record.payload });
      to.counters.in++;
      return false;
    },
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
