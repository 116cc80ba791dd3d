import { setFlagsFromString } from "node:v8";
import { HEAP_GROWTH } from "./small-heap.ts";

/**
 * The compilers of V8 that optimise. The one that does not, Sparkplug, stays: for 2 MB it saves an agent with ten
 * services a tenth of its CPU.
 */
const COMPILERS = ["maglev", "opt"];
const LOOK_MS = 10_000;
/**
 * A start with 1,000 services of 5 instances keeps a process busy for two looks on a slow machine, and what it compiled then
 * would stay: 14 to 17 MB.
 */
const BUSY_LOOKS = 3;
/**
 * The same as `HEAP_GROWTH` for a calm process: an agent with ten services keeps 1.3 MB less. Not for a start and for a
 * process with much to do, as each collection reads all that is kept.
 */
const CALM_HEAP_GROWTH = 12;
/** The part of a core from which on compiled code is worth its memory; ten services take a hundredth. */
const BUSY = 0.3;

/**
 * Keeps this process without optimised code for as long as it has little to do; imported first, before anything is hot.
 * The optimising compilers, their threads' heaps and the code that they make weigh 12 MB, and save an agent with ten
 * services less than a tenth of a hundredth of a core. Once it has much to do for long, they are switched on, for good.
 */
function compileOnceBusy(): void {
  for (const compiler of COMPILERS) setFlagsFromString(`--no-${compiler}`);
  // The young generation need not grow either: what a check allocates is garbage a moment later.
  setFlagsFromString("--semi-space-growth-factor=1");
  let before = process.cpuUsage();
  let busyLooks = 0;
  let isStart = true;
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    busyLooks = (user + system) / 1_000 > BUSY * LOOK_MS ? busyLooks + 1 : 0;
    if (isStart && busyLooks === 0) {
      setFlagsFromString(`--heap-growing-percent=${CALM_HEAP_GROWTH}`);
      isStart = false;
    }
    if (busyLooks < BUSY_LOOKS) return;
    for (const compiler of COMPILERS) setFlagsFromString(`--${compiler}`);
    setFlagsFromString("--semi-space-growth-factor=2");
    setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
    clearInterval(timer);
  }, LOOK_MS);
  timer.unref();
}

compileOnceBusy();
