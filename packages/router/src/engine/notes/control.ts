import { z } from "zod";
import { ownSettings } from "./own-settings.ts";

const sequence = z.number();
const pairs = z.array(z.tuple([sequence, z.number()]).readonly()).readonly();
const subscription = z.object({
  id: z.number(),
  key: z.string(),
  floor: sequence,
  above: pairs,
  failures: pairs,
  missed: z.number().optional(),
  selector: z.string().nullable().optional(),
});
const dedupe = z.object({
  producers: z.array(z.tuple([z.string(), z.number(), z.number()]).readonly()).readonly(),
  ids: z.array(z.tuple([z.string(), z.number()]).readonly()).readonly(),
});
const moving = z.object({
  id: z.string(),
  to: z.string(),
  first: z.number(),
  sequences: z.array(sequence).readonly(),
});
const address = { id: z.number(), name: z.string(), kind: z.enum(["queue", "topic"]) };

/** What the log says beside messages and what became of them. */
const control = z.discriminatedUnion("is", [
  /** An address was made. */
  z.object({ is: z.literal("address"), ...address, own: ownSettings.optional() }),
  /** What is so of an address where a segment begins. */
  z.object({
    is: z.literal("state"),
    ...address,
    next: sequence,
    failures: pairs.optional(),
    subscriptions: z.array(subscription).readonly().optional(),
    dedupe: dedupe.optional(),
    moves: z.array(moving).readonly().optional(),
    own: ownSettings.optional(),
  }),
  /** Something was said of an address by hand. */
  z.object({ is: z.literal("own"), id: z.number(), own: ownSettings }),
  z.object({ is: z.literal("removed"), id: z.number() }),
  z.object({ is: z.literal("subscription"), address: z.number(), subscription }),
  z.object({ is: z.literal("ended"), address: z.number(), id: z.number() }),
  /** Messages that go to another process: until the next batch of the move, or its end, it is not known whether they came. */
  z.object({ is: z.literal("moving"), address: z.number(), moving }),
  z.object({ is: z.literal("moved"), address: z.number(), id: z.string() }),
  /** Messages of a topic whose time was over. */
  z.object({
    is: z.literal("expired"),
    address: z.number(),
    ranges: z.array(z.object({ from: sequence, length: z.number() })),
  }),
]);

/** One of them. */
export type Control = z.output<typeof control>;

/** Reads what was written as JSON; null for what another version has written. */
export function readControl(value: unknown): Control | null {
  const { success, data } = control.safeParse(value);
  return success ? data : null;
}
