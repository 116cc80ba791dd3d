import { operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { change } from "./open-router.ts";

/** Moves the messages of a queue that no consumer has to another one. */
export const run: RunLocal = (local, input) =>
  change<{ readonly moved: number }>(local, input, {
    operation: "queue-move",
    about: { address: operand(input, 0), to: operand(input, 1) },
    say: ({ moved }) => ({ done: `${moved} messages moved`, wouldBe: `${moved} messages would be moved` }),
  });
