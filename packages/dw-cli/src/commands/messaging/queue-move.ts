import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { manage } from "./open-router.ts";

/** Moves the messages of a queue that no consumer has to another one. */
export const run: RunLocal = async (local, input) => {
  const about = { address: operand(input, 0), to: operand(input, 1) };
  const result = (await manage(local, input, "queue-move", about)) as { readonly moved: number };
  if (flag(input, "json")) return local.output.json(result);
  local.output.note(`${result.moved} messages moved`);
};
