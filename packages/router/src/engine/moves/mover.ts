import type { MessageRecord } from "../../log/record.ts";
import type { Delivery } from "../../queue/delivery.ts";
import type { KeptAddress } from "../kept-address.ts";
import type { Source, SourcePort } from "../ports.ts";
import { isClosedTo, limitOf, makeRoom } from "../bounds.ts";
import { Queue } from "../../queue/queue.ts";
import { plainName } from "../../address/scope.ts";
import { Refused } from "../refused.ts";

/** How many messages are looked at or moved before others have their turn. */
const AT_ONCE = 200;
/** And how many bytes of them; one message may be more. */
const BYTES_AT_ONCE = 2 ** 20;

/**
 * Takes the messages that no consumer has out of a queue, one after the other, in order, until there are none or enough.
 * @param use says of each whether it stays where it is.
 * @param isOver whether no more of them are wanted.
 * @returns how many do not stay.
 */
function takeOut(
  from: KeptAddress,
  {
    max,
    later,
    use,
    isOver: isDone = () => false,
  }: {
    readonly max: number;
    readonly later: (callback: () => void) => void;
    readonly use: (delivery: Delivery) => boolean;
    readonly isOver?: () => boolean;
  },
): Promise<number> {
  const { kept } = from;
  // Who wants none is not told that there are none.
  if (!(kept instanceof Queue) || max <= 0) return Promise.resolve(0);
  return new Promise((resolve) => {
    const stay: number[] = [];
    let count = 0;
    let room = AT_ONCE;
    let bytes = 0;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      // Whoever is in the middle of giving them goes on first.
      later(() => {
        for (const sequence of stay) source.settle(sequence, { outcome: "released" });
        source.detach(true);
        resolve(count - stay.length);
      });
    };
    const port: SourcePort = {
      get credit() {
        return room;
      },
      filter: null,
      wants: () => !isOver && room > 0 && bytes < BYTES_AT_ONCE && count < max,
      deliver(delivery) {
        count++;
        room--;
        bytes += delivery.record.payload.length;
        if (use(delivery)) stay.push(delivery.sequence);
        else source.settle(delivery.sequence, { outcome: "accepted" });
        if (count >= max || isDone()) return end();
        if (room > 0 && bytes < BYTES_AT_ONCE) return;
        later(() => {
          room = AT_ONCE;
          bytes = 0;
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

/** Where messages come to that somebody moves. */
type MoveTarget = Pick<KeptAddress, "name" | "isGone" | "kept" | "settings" | "counters">;

/** Why messages of a move are not taken; null where they are. @param isEnded whether it was said how many came of that move. */
export function whyNotTaken(to: MoveTarget, isEnded: boolean): Refused | null {
  if (isEnded) return new Refused("amqp:precondition-failed", "Cannot take more of a move: it is over");
  if (!to.isGone) return null;
  return new Refused("amqp:resource-deleted", `Cannot take messages at ${plainName(to.name)}: it was removed`);
}

/** Makes room for a message of a move, where the address does so for others. @returns why it is not taken; null where it is. */
export function admit(to: MoveTarget, bytes: number): Refused | null {
  if (isClosedTo(to, bytes)) {
    const what = `Cannot take a message at ${plainName(to.name)}: ${limitOf(to)}`;
    return new Refused("amqp:resource-limit-exceeded", what);
  }
  makeRoom(to, bytes);
  return null;
}

/**
 * Moves messages from one address to another; each is in one of them at any moment, whatever happens.
 * @returns how many.
 * @throws Refused where the other one is full or removed meanwhile, and how many were moved before.
 */
export async function moveMessages(
  from: KeptAddress,
  to: KeptAddress,
  { later, nowMs }: { readonly later: (callback: () => void) => void; readonly nowMs: () => number },
): Promise<number> {
  // Messages that come meanwhile stay, as the target may send moved ones back.
  const max = from.kept.messages - from.kept.unsettled;
  let full: Refused | null = null;
  const moved = await takeOut(from, {
    max,
    later,
    isOver: () => to.isGone || full !== null,
    use({ record }) {
      if (to.isGone || full !== null) return true;
      // A queue has as many as before of its own messages.
      if (from !== to) full = admit(to, record.payload.length);
      if (full !== null) return true;
      const acceptedAtMs = nowMs();
      to.kept.append({ acceptedAtMs, ttlMs: timeLeft(record, acceptedAtMs), keys: null, payload: record.payload });
      to.counters.in++;
      return false;
    },
  });
  const refusal = whyNotTaken(to, false) ?? full;
  if (refusal === null) return moved;
  throw new Refused(refusal.condition, `${refusal.message}; ${moved} of ${max} were moved`);
}

/** Looks at the oldest messages of a queue, and leaves them as they are. @param show what is wanted of each: its payload is good during the call. */
export async function lookAt<T>(
  from: KeptAddress,
  max: number,
  { later, show }: { readonly later: (callback: () => void) => void; readonly show: (delivery: Delivery) => T },
): Promise<T[]> {
  const seen: T[] = [];
  await takeOut(from, {
    max,
    later,
    use(delivery) {
      seen.push(show(delivery));
      return true;
    },
  });
  return seen;
}
