// What the library adds to a call: `resolve` over 1,000 services with 20 instances each, beside a round robin over an
// array; and an interaction with its breaker, beside cockatiel and opossum, in the same run.
//   node bench/mdk.ts [--calls 200000] [--rounds 5]
import "./harness/no-remains.ts";
import { parseArgs } from "node:util";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { init, withSession } from "@datawire/mdk";
import { mdkInterceptor } from "@datawire/mdk/undici";
import { circuitBreaker, ConsecutiveBreaker, handleAll } from "cockatiel";
// @ts-expect-error -- it has no types of its own
import CircuitBreaker from "opossum";
import { Agent, type Dispatcher, request } from "undici";
import { median } from "./stats.ts";

const SERVICES = 1_000;
const INSTANCES = 20;

const { values } = parseArgs({
  options: { calls: { type: "string", default: "200000" }, rounds: { type: "string", default: "5" } },
});
const calls = Number(values.calls);

const nodes = Array.from({ length: SERVICES * INSTANCES }, (_, i) => ({
  service: `service-${i % SERVICES}`,
  version: "1.0",
  address: `http://10.0.${i >> 8}.${i & 255}:8080`,
}));
const mdk = init({ source: `static:nodes=${JSON.stringify(nodes)}` }).start();
const names = Array.from({ length: SERVICES }, (_, i) => `service-${i}`);
const session = mdk.session();
const array = new Map(names.map((name) => [name, { at: 0, nodes: nodes.filter(({ service }) => service === name) }]));

const cockatiel = circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(3) });
const opossum = new CircuitBreaker(async () => 1, { timeout: false });

/** What is measured, by its name: one call, or a promise of it. */
const subjects: readonly (readonly [string, (name: string) => unknown])[] = [
  ["round robin over an array", roundRobin],
  ["session.resolve(name)", (name) => session.resolve(name)],
  ['session.resolve(name, "1.0")', (name) => session.resolve(name, "1.0")],
  ["await session.resolve(name)", async (name) => await session.resolve(name)],
  ["session.interact() with a resolve", (name) => session.interact((view) => view.resolve(name))],
  ["cockatiel execute()", () => cockatiel.execute(async () => 1)],
  ["opossum fire()", () => opossum.fire()],
];

for (const [title, run] of subjects) {
  const times: number[] = [];
  const bytes: number[] = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const heap = process.memoryUsage().heapUsed;
    const cpu = process.cpuUsage();
    let last: unknown;
    for (let i = 0; i < calls; i++) {
      last = run(names[(i * 7) % SERVICES] as string);
      // Promises that nobody waits for would pile up, and be measured too.
      if ((i & 255) === 255) await last;
    }
    await last;
    // The first round compiles.
    if (round === 0) continue;
    // The processor's time: whatever else runs on the machine counts for nobody.
    const { user, system } = process.cpuUsage(cpu);
    times.push(((user + system) * 1e3) / calls);
    bytes.push((process.memoryUsage().heapUsed - heap) / calls);
  }
  const grown = bytes.filter((one) => one >= 0);
  const allocated =
    grown.length === 0 ? "" : `, heap ${median(grown).toFixed(0)} bytes a call where it was not collected`;
  console.log(`${title}: median ${median(times).toFixed(0)} ns of CPU (n=${times.length} × ${calls})${allocated}`);
}
opossum.shutdown();
await mdk.stop();
await compareRequests();

/** What the interceptor adds to a request of undici: to one of loopback in CPU time, to one of 1 ms in time. */
async function compareRequests(): Promise<void> {
  let serviceMs = 0;
  const server = createServer((_req, res) => {
    if (serviceMs === 0) res.end("ok");
    else setTimeout(() => res.end("ok"), serviceMs);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const one = init({
    source: `static:nodes=${JSON.stringify([{ service: "till", version: "1.0", address: url }])}`,
  }).start();
  const plain = new Agent();
  const ours = new Agent().compose(mdkInterceptor());
  const ask = async (dispatcher: Dispatcher, target: string, headers: string[] = []): Promise<void> => {
    await (await request(target, { dispatcher, headers })).body.text();
  };
  // A service has the session of the request that it serves; what makes it the current one is not the interceptor.
  let session = one.session();
  const byHand = (): string[] => {
    const parent = `00-${session.traceId.replaceAll("-", "")}-00f067aa0ba902b7-01`;
    return [one.CONTEXT_HEADER, session.externalize(), "traceparent", parent];
  };
  const kinds: readonly (readonly [string, () => Promise<void>])[] = [
    ["undici", () => ask(plain, url)],
    ["undici with the same headers by hand", () => ask(plain, url, byHand())],
    ["undici with mdkInterceptor(), no service", () => ask(ours, url)],
    ["undici with mdkInterceptor(), resolved", () => ask(ours, "http://till/")],
  ];
  const micros = new Map<string, number[]>(kinds.map(([title]) => [title, []]));
  const blocks = 60;
  const each = 200;
  for (let block = 0; block < blocks; block++) {
    session = one.session();
    for (const [title, run] of kinds) {
      await withSession(session, async () => {
        const cpu = process.cpuUsage();
        for (let i = 0; i < each; i++) await run();
        const { user, system } = process.cpuUsage(cpu);
        // The first blocks compile.
        if (block >= 10) micros.get(title)?.push((user + system) / each);
      });
    }
  }
  const [[, bare = []] = []] = micros;
  for (const [title, all] of micros)
    console.log(
      `${title}: median ${median(all).toFixed(1)} µs of CPU a request, the server's included; ` +
        `${added(all, bare).toFixed(1)} µs more than bare in the same block (n=${all.length} × ${each})`,
    );

  serviceMs = 1;
  const [, , , resolved] = kinds;
  const times: [bare: number[], ours: number[]] = [[], []];
  await withSession(session, async () => {
    for (let i = 0; i < 2_000; i++) {
      for (const [at, run] of [kinds[0], resolved].entries()) {
        const start = performance.now();
        await run?.[1]();
        times[at]?.push((performance.now() - start) * 1_000);
      }
    }
  });
  console.log(
    `a request that its server takes 1 ms for: median ${median(times[0]).toFixed(0)} µs bare, ` +
      `${added(times[1], times[0]).toFixed(0)} µs more with mdkInterceptor() (n=${times[0].length} pairs)`,
  );
  await one.stop();
  await Promise.all([plain.close(), ours.close()]);
  server.close();
}

/** The median of what one has more than the other in pairs, as neighbours saw the same machine. */
function added(all: readonly number[], bare: readonly number[]): number {
  return median(all.map((value, i) => value - (bare[i] ?? Number.NaN)));
}

function roundRobin(name: string): unknown {
  const one = array.get(name);
  if (one === undefined) return null;
  one.at = one.at + 1 === one.nodes.length ? 0 : one.at + 1;
  return one.nodes[one.at];
}
