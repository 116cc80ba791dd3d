import "./harness/no-remains.ts";
import { init, type Mdk } from "@datawire/mdk";
import { Client } from "undici";
import { Stack } from "../e2e/harness/stack.ts";
import { eventually } from "../e2e/harness/wait.ts";
import { cpuPerRequest, tree } from "./cpu.ts";
import { programPath } from "./harness/programs.ts";
import { median } from "./stats.ts";

/**
 * How far what a version gets is from its share, of each 1,000 and each 10,000 requests in a row, through Sherlock's HAProxy and
 * by the library; and, where wrk is there, what a request to a service with a share costs HAProxy beside one without:
 *   node bench/shares.ts [RUNS]
 */
const runs = Number(process.argv[2] ?? 5);
const REQUESTS = 11_000;
/** Requests that are under way at a time, over one connection, in their order. */
const PIPELINED = 100;
const PERCENTS = [0.1, 1, 10, 33.33] as const;

const stack = new Stack();
let mdk: Mdk | null = null;
try {
  await stack.startDirectory();
  await stack.startInstance({ service: "shared", name: "old", version: "1" });
  await stack.startInstance({ service: "shared", name: "new", version: "2" });
  await stack.startInstance({ service: "whole", name: "one", version: "1" });
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.reaches("whole", ["one"]);
  mdk = init({ name: "library", directories: [await stack.directoryAddress()] }).start();
  await mdk.ready();
  print(`the most by which a share misses its part, of ${REQUESTS} requests`);
  print("| share | HAProxy, of each 1,000 | of each 10,000 | library, of each 1,000 | of each 10,000 |");
  print("| --- | --- | --- | --- | --- |");
  for (const percent of PERCENTS) {
    await stack.dw("route", "add", "//*", "//shared(2)", `${percent}%`);
    const session = mdk.session();
    await eventually(async () => {
      const { sherlocks } = await stack.read<{ sherlocks: { lag: number }[] }>("/v1/status");
      if (sherlocks.some(({ lag }) => lag > 0)) throw new Error("Sherlock does not follow yet");
    });
    const client = new Client(new URL(await stack.url("/")).origin, { pipelining: PIPELINED });
    const proxied = await sequence(async () => {
      const { body } = await client.request({ method: "GET", path: "/shared/" });
      return ((await body.json()) as { readonly instance: string }).instance === "new";
    });
    await client.close();
    const resolved = await sequence(async () => (await session.resolve("shared")).id === "new");
    const cells = [proxied, resolved].flatMap((hits) => [1_000, 10_000].map((window) => miss(hits, window, percent)));
    print(`| ${percent}% | ${cells.map((cell) => cell.toFixed(1)).join(" | ")} |`);
  }
  if (programPath("wrk") === null) print("\nWhat a share costs HAProxy is left out: wrk is not in PATH");
  else await cost();
} finally {
  await mdk?.stop();
  await stack.dispose();
}

async function cost(): Promise<void> {
  const pids = (): number[] => tree(...stack.haproxyPids());
  const figures = { whole: [] as number[], shared: [] as number[] };
  for (let run = 0; run < runs; run++) {
    for (const name of ["whole", "shared"] as const) {
      const [us] = await cpuPerRequest([pids], { url: await stack.url(`/${name}/`), connections: 8, seconds: 3 });
      figures[name].push(us as number);
    }
  }
  print(`\nCPU a request of HAProxy, medians of ${runs} interleaved runs`);
  for (const name of ["whole", "shared"] as const) print(`${name}: ${median(figures[name]).toFixed(1)} us`);
}

async function sequence(hit: () => Promise<boolean>): Promise<boolean[]> {
  const hits: boolean[] = [];
  while (hits.length < REQUESTS) hits.push(...(await Promise.all(Array.from({ length: PIPELINED }, hit))));
  return hits;
}

/** The most by which any so many in a row miss the share's part. */
function miss(hits: readonly boolean[], window: number, percent: number): number {
  let [sum, most] = [0, 0];
  for (const [i, hit] of hits.entries()) {
    sum += Number(hit) - (i >= window ? Number(hits[i - window]) : 0);
    if (i + 1 >= window) most = Math.max(most, Math.abs(sum - (window * percent) / 100));
  }
  return most;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
