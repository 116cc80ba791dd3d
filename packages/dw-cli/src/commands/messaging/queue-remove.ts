import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { manage } from "./open-router.ts";

/** Takes an address away, with its messages and its links. */
export const run: RunLocal = async (local, input) => {
  const result = (await manage(local, input, "queue-remove", { address: operand(input, 0) })) as {
    readonly removed: string;
  };
  if (flag(input, "json")) return local.output.json(result);
  local.output.note(`${result.removed} removed`);
};
