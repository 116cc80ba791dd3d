import { withSessionOf } from "../core/carrier.ts";
import { derivedIdentity } from "../core/derived-identity.ts";
import { draft, type Identity, type Message, type Outgoing } from "../core/message.ts";
import { MicroserverError } from "../core/microserver-error.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Work } from "./inbox.ts";

/** What is made of a message: what goes on, or null for nothing. */
export type Step = (message: Message) => StepResult | Promise<StepResult>;
type StepResult = Outgoing | readonly Outgoing[] | null;

/** What a stage of a pipeline works with. */
export interface StageOptions {
  /** Of the microserver; null where it has none. */
  readonly name: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly step: Step;
  readonly outbox: Outbox;
  readonly nowMs: () => number;
}

/** One stage: done with a message when all that was made of it is accepted. */
export function stage({ name, from, to, step, outbox, nowMs }: StageOptions): Work {
  return async (message, identity, { signal }) => {
    const made = await step(message);
    const outputs = made === null ? [] : Array.isArray(made) ? (made as readonly Outgoing[]) : [made as Outgoing];
    const key = inputKey(message, identity);
    const sent = outputs.flatMap((output, index) =>
      addressesOf(output, to).map((address) => {
        const { address: _, body, ...fields } = output;
        const out = draft(address, body, withSessionOf(fields), nowMs());
        if (key === null) return outbox.send(address, out, { signal });
        return outbox.send(address, out, {
          signal,
          identity: derivedIdentity([name ?? "", from, ...key, address, index]),
        });
      }),
    );
    // All of them are waited for: what is made anew of a message that failed is dropped where it was accepted before.
    const failed = (await Promise.allSettled(sent)).find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };
}

function addressesOf({ address }: Outgoing, to: readonly string[]): readonly string[] {
  if (address === undefined) return to;
  if (to.includes(address)) return [address];
  throw new MicroserverError("invalid_argument", `Cannot send on to ${address}: wanted one of ${to.join(", ")}`);
}

/** By what a message is known, also to another process; null where it has nothing of that. */
function inputKey({ id, offset }: Message, identity: Identity | null): readonly (string | number)[] | null {
  if (identity !== null) return ["producer", identity.producer, identity.sequence];
  if (offset !== null) return ["offset", offset];
  return id === null ? null : ["id", id];
}
