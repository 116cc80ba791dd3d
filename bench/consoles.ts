import "./harness/no-remains.ts";
import { readFileSync } from "node:fs";
import { type ClientRequest, get } from "node:http";
import { openRawLink, type RawLink } from "../e2e/harness/raw-link.ts";
import { Stack } from "../e2e/harness/stack.ts";
import { sleep } from "../e2e/harness/wait.ts";
import { median } from "./stats.ts";

/**
 * What consoles cost a directory that have a table of 1,000 services with 20 instances each before them, of which 1,000
 * rows change each second:
 *   node bench/consoles.ts [CONSOLES] [SECONDS] [RUNS]
 * CPU of the directory's process as a share of a core, with nobody there, with one console and with all of them.
 */
const consoles = Number(process.argv[2] ?? 50);
const seconds = Number(process.argv[3] ?? 6);
const runs = Number(process.argv[4] ?? 3);
const SERVICES = 1_000;
const INSTANCES = 20;
const TOPICS = "/v1/stream?topics=services,status&instances=none";
const STEPS_A_SECOND = 10;

const stack = new Stack();
try {
  const directory = await stack.startDirectory();
  const { directory: port } = await stack.ports();
  const watsons = await Promise.all(
    Array.from({ length: INSTANCES }, (_, i) =>
      openRawLink(port, { kind: "watson", name: `vm${i}`, id: `identity-of-vm${i}` }),
    ),
  );
  for (const [i, watson] of watsons.entries()) {
    const answered = watson.next(({ type }) => type === "registered");
    watson.send({ type: "register", seq: 1, instances: Array.from({ length: SERVICES }, (_, n) => instance(n, i)) });
    await answered;
  }
  const stop = new AbortController();
  const changing = change(watsons, stop.signal);
  await sleep(8_000); // primaries are decided
  const cpu = new Map<number, number[]>([0, 1, consoles].map((count) => [count, []]));
  let bytes = 0;
  for (let run = 0; run < runs; run++)
    for (const [count, shares] of cpu) {
      let received = 0;
      const open = await Promise.all(Array.from({ length: count }, () => follow(port, (more) => (received += more))));
      await sleep(1_500);
      received = 0;
      const before = cpuMs(directory.pid);
      const startedMs = performance.now();
      await sleep(seconds * 1_000);
      shares.push((cpuMs(directory.pid) - before) / (performance.now() - startedMs));
      if (count === consoles) bytes = received / count / seconds;
      for (const one of open) one.destroy();
      await sleep(300);
    }
  stop.abort();
  await changing;
  for (const [count, shares] of cpu)
    print(
      `${count} consoles: ${(median(shares) * 100).toFixed(1)}% of a core, of ${shares.map((one) => (one * 100).toFixed(1)).join(" ")}`,
    );
  print(`each was sent ${Math.round(bytes / 1_000)} kB a second`);
} finally {
  await stack.dispose();
}

function instance(service: number, watson: number, state = "live"): object {
  return {
    service: `service${service}`,
    name: `vm${watson}`,
    version: "1",
    url: `http://10.0.0.${watson + 1}:${8_000 + service}`,
    state,
    reason: state === "live" ? null : "503",
  };
}

/** Each second, one instance of each service changes its state. */
async function change(watsons: readonly RawLink[], signal: AbortSignal): Promise<void> {
  const size = SERVICES / STEPS_A_SECOND;
  const beganMs = performance.now();
  for (let step = 0; !signal.aborted; step++) {
    const from = (step % STEPS_A_SECOND) * size;
    const round = Math.floor(step / STEPS_A_SECOND);
    const i = Math.floor(round / 2) % watsons.length;
    const instances = Array.from({ length: size }, (_, n) => instance(from + n, i, round % 2 === 0 ? "down" : "live"));
    watsons[i]?.send({ type: "update", seq: 2 + step, instances, gone: [] });
    await sleep(Math.max(0, beganMs + ((step + 1) * 1_000) / STEPS_A_SECOND - performance.now()));
  }
}

function follow(port: number, received: (bytes: number) => void): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path: TOPICS, agent: false }, (response) => {
      response.on("data", (part: Buffer) => received(part.length));
      response.on("error", () => {});
      resolve(request);
    });
    request.on("error", reject);
  });
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
