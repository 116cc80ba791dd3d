import { operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { change } from "./open-router.ts";

/** Drops the messages of an address that no consumer has. */
export const run: RunLocal = (local, input) =>
  change<{ readonly purged: number }>(local, input, {
    operation: "queue-purge",
    about: { address: operand(input, 0) },
    say: ({ purged }) => ({ done: `${purged} messages dropped`, wouldBe: `${purged} messages would be dropped` }),
  });
