import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { manage } from "./open-router.ts";

/** Why nothing moves at an address. */
export const run: RunLocal = async (local, input) => {
  const answer = (await manage(local, input, "why", { address: operand(input, 0) })) as {
    readonly address: string;
    readonly state: string | null;
    readonly text: string;
    readonly links: readonly {
      readonly direction: "in" | "out";
      readonly container: string;
      readonly peer: string;
      readonly credit: number;
      readonly unsettled: number;
    }[];
  };
  if (flag(input, "json")) return local.output.json(answer);
  const { address, state, text, links } = answer;
  local.output.line(`${address}${state === null ? "" : ` is ${state}`}: ${text}`);
  if (links.length === 0) return;
  local.output.table({
    columns: [
      { title: "LINK" },
      { title: "CONTAINER", shrink: 1 },
      { title: "PEER" },
      { title: "CREDIT", align: "right" },
      { title: "UNSETTLED", align: "right" },
    ],
    rows: links.map(({ direction, container, peer, credit, unsettled }) => [
      direction === "in" ? "sends" : "receives",
      container,
      peer,
      String(credit),
      String(unsettled),
    ]),
  });
};
