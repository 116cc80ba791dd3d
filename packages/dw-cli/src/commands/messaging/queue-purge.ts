import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { manage } from "./open-router.ts";

/** Drops the messages of an address that no consumer has. */
export const run: RunLocal = async (local, input) => {
  const result = (await manage(local, input, "queue-purge", { address: operand(input, 0) })) as {
    readonly purged: number;
  };
  if (flag(input, "json")) return local.output.json(result);
  local.output.note(`${result.purged} messages dropped`);
};
