import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { manage } from "./open-router.ts";

/** One dead letter, as the router tells of it. */
interface DeadLetter {
  readonly reason: string | null;
  readonly at: string | null;
  readonly id: string | null;
  readonly subject: string | null;
  readonly bytes: number;
}

/** Shows the dead letters of an address, puts them back into it, or drops them. */
export const run: RunLocal = async (local, input) => {
  const [action, address] = [operand(input, 0), operand(input, 1)];
  const result = await manage(local, input, `dead-${action}`, { address });
  if (flag(input, "json")) return local.output.json(result);
  if (action === "retry") return local.output.note(`${(result as { readonly moved: number }).moved} messages put back`);
  if (action === "drop") return local.output.note(`${(result as { readonly purged: number }).purged} messages dropped`);
  const letters = result as readonly DeadLetter[];
  if (letters.length === 0) return local.output.note(`there are no dead letters of ${address}`);
  local.output.table({
    columns: [
      { title: "AT" },
      { title: "REASON", shrink: 1 },
      { title: "ID" },
      { title: "SUBJECT" },
      { title: "BYTES", align: "right" },
    ],
    rows: letters.map(({ at, reason, id, subject, bytes }) => [
      at ?? "-",
      reason ?? "-",
      id ?? "-",
      subject ?? "-",
      String(bytes),
    ]),
  });
};
