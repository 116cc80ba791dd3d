import { cell, type Style } from "../../core/text-table.ts";
import { flag } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import { manage } from "./open-router.ts";

/** One link, as the router tells of it. */
interface LinkView {
  readonly container: string;
  readonly user: string | null;
  readonly peer: string;
  readonly link: string;
  readonly direction: "in" | "out";
  readonly address: string | null;
  readonly state: "moving" | "idle" | "stalled";
  readonly reason: string | null;
  readonly credit: number;
  readonly unsettled: number;
  readonly delivered: number;
}

/** Every link of a router, those that do not move first. */
export const run: RunLocal = async (local, input) => {
  const links = (await manage(local, input, "link-list")) as readonly LinkView[];
  if (flag(input, "json")) return local.output.json(links);
  const right = { align: "right" } as const;
  local.output.table({
    columns: [
      { title: "ADDRESS", shrink: 2 },
      { title: "LINK" },
      { title: "STATE" },
      { title: "CONTAINER", shrink: 1 },
      { title: "USER", shrink: 0 },
      { title: "PEER" },
      { title: "CREDIT", ...right },
      { title: "UNSETTLED", ...right },
      { title: "DELIVERED", ...right },
    ],
    rows: links.map((link) => [
      link.address ?? "(as each message says)",
      link.direction === "in" ? "sends" : "receives",
      cell(link.reason === null ? link.state : `${link.state}: ${link.reason}`, STYLES[link.state]),
      link.container,
      link.user ?? "-",
      link.peer,
      String(link.credit),
      String(link.unsettled),
      String(link.delivered),
    ]),
  });
};

const STYLES: Readonly<Record<LinkView["state"], Style>> = { moving: "good", idle: "plain", stalled: "warning" };
