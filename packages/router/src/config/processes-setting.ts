import { parsedBy } from "@datawire/runtime";

const PROCESSES_MAX = 64;
const WANTED = `a number from 1 to ${PROCESSES_MAX}, or auto`;

/** How many processes share the work of a router. */
export const processesSetting = parsedBy((text): number | "auto" => {
  if (text === "auto") return "auto";
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > PROCESSES_MAX) throw new Error("it is no such number");
  return count;
}, WANTED).meta({ description: "Processes that share the addresses; `auto`: one for each processor." });
