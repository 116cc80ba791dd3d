import { SLOTS } from "@datawire/protocol";
import { xxHash32 } from "js-xxhash";

/** The slot of a sticky table that a value has, in whatever program draws it (docs/protocol.md, "The table"). */
export function slotOf(service: string, value: string): number {
  return xxHash32(`${service}|${value}`, 0) % SLOTS;
}
