import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What this process holds on its heap, in bytes, without the garbage that tests have left and nobody has collected yet. */
export function heldBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
