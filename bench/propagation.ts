import "./harness/no-remains.ts";
import { request } from "undici";
import type { Child } from "../e2e/harness/child.ts";
import { startLoad } from "../e2e/harness/load.ts";
import { instanceAt, Stack } from "../e2e/harness/stack.ts";
import { eventually, sleep } from "../e2e/harness/wait.ts";
import { describe } from "./stats.ts";

/**
 * How long a change takes, with real processes on one machine:
 *   node bench/propagation.ts [ROUNDS]
 * 1. from the moment at which Watson learns that an instance is down to the last request that is sent to it;
 * 2. from the return of `dw route add` with another percentage to the last request that goes the old way.
 * Neither needs a reload of HAProxy, which is checked.
 */
const rounds = Number(process.argv[2] ?? 20);
const stack = new Stack();
try {
  await stack.startDirectory();
  const [watson] = await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.startInstance({ service: "emitter", name: "well", version: "1" });
  await stack.startInstance({ service: "emitter", name: "canary", version: "2" });
  await stack.lists("emitter", { well: "live", canary: "live" });
  await stack.dw("route", "add", "//monolith", "//emitter(2)", "1%");
  // The first instance of a kind costs HAProxy a reload; what is measured are those after it.
  const reloads = await stack.metric("sherlock", "datawire_sherlock_reloads_total");

  const downs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    // A new one each time, as Watson holds one down that goes up and down too often.
    const name = `guest${i}`;
    const guest = await stack.startInstance({ service: "emitter", name, version: "1" });
    await stack.lists("emitter", { well: "live", canary: "live", [name]: "live" });
    const load = startLoad({ url: await stack.url("/emitter/"), connections: 4 });
    await sleep(200);
    const known = watson.lines.length;
    await guest.sick(true);
    const learnedMs = await timeOf(watson, known, /Instance is down/);
    await sleep(300);
    const lastMs = await lastRequest(guest.url);
    if (lastMs === 0) throw new Error(`${name} was never sent a request, so nothing was measured`);
    downs.push(Math.max(0, lastMs - learnedMs));
    await load.stop();
    stack.removeServiceFile(name);
    await stack.lists("emitter", { well: "live", canary: "live" });
    guest.child.kill("SIGTERM");
  }
  print(describe("Watson learns that an instance is down → last request to it", downs, "ms"));

  const changes: number[] = [];
  const url = await stack.url("/emitter/");
  for (let i = 0; i < rounds; i++) {
    const toCanary = i % 2 === 0;
    await stack.dw("route", "add", "//monolith", "//emitter(2)", toCanary ? "100%" : "0%");
    const returned = performance.now();
    let lastOld = returned;
    let inARow = 0;
    while (inARow < 50) {
      const asChanged = ((await instanceAt(url)) === "canary") === toCanary;
      inARow = asChanged ? inARow + 1 : 0;
      if (!asChanged) lastOld = performance.now();
    }
    changes.push(lastOld - returned);
  }
  print(describe("dw route add returns → last request that goes the old way", changes, "ms"));
  const after = await stack.metric("sherlock", "datawire_sherlock_reloads_total");
  print(`reloads of HAProxy during both: ${after - reloads}`);
} finally {
  await stack.dispose();
}

/** The time of the first log line after `from` that matches, in ms since 1970. */
async function timeOf(child: Child, from: number, pattern: RegExp): Promise<number> {
  const line = await eventually(() => {
    const found = child.lines.slice(from).find((text) => pattern.test(text));
    if (found === undefined) throw new Error(`no log line ${pattern} came`);
    return found;
  });
  return Date.parse((JSON.parse(line) as { time: string }).time);
}

async function lastRequest(url: string): Promise<number> {
  const { body } = await request(`${url}/last`);
  return ((await body.json()) as { lastMs: number }).lastMs;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
