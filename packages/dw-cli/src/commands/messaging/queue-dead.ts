import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { change, manage } from "./open-router.ts";

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
  if (action === "retry") return retry(local, input);
  if (action === "drop") return drop(local, input);
  const letters = (await manage(local, input, "dead-list", { address })) as readonly DeadLetter[];
  if (flag(input, "json")) return local.output.json(letters);
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

const retry: RunLocal = (local, input) =>
  change<{ readonly moved: number }>(local, input, {
    operation: "dead-retry",
    about: { address: operand(input, 1) },
    say: ({ moved }) => ({ done: `${moved} messages put back`, wouldBe: `${moved} messages would be put back` }),
  });

const drop: RunLocal = (local, input) =>
  change<{ readonly purged: number }>(local, input, {
    operation: "dead-drop",
    about: { address: operand(input, 1) },
    say: ({ purged }) => ({ done: `${purged} messages dropped`, wouldBe: `${purged} messages would be dropped` }),
  });
