/**
 * The router beside other brokers, and a link through it beside the broker that it goes to, in one run with one client.
 *
 *     node bench/router-peers.ts [rounds] [messages] [bytes]
 *
 * Rounds are paired: each takes all of them, one after the other, and what is told is the median of the rounds. RabbitMQ is that
 * of the system's packages, with a quorum queue; a peer that is not installed is left out, and said so. Messages are durable, from
 * one sender to one receiver, which runs meanwhile; `accepted` is when the sender has heard of all.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rabbitmq } from "../e2e/harness/router/rabbitmq.ts";

const rounds = Number(process.argv[2] ?? 5);
const messages = Number(process.argv[3] ?? 20_000);
const bytes = Number(process.argv[4] ?? 100);

const PORT = 25_672;
/** What Linux counts CPU time in; sysconf(_SC_CLK_TCK) is 100 everywhere. */
const TICKS_PER_SECOND = 100;
const WARM_UP = 5_000;

/** Where messages are sent to, and the processes that work for it. */
interface Way {
  readonly name: string;
  readonly port: number;
  readonly address: string;
  readonly pids: readonly number[];
}

interface Pass {
  readonly perS: number;
  /** Of all its processes, µs a message. */
  readonly cpuUs: number;
}

const root = join(import.meta.dirname, "..");
const folder = await mkdtemp(join(tmpdir(), "bench-peers-"));
const children = new Set<ChildProcess>();
const rabbit = await startRabbit();
try {
  await run();
} finally {
  for (const child of children) child.kill("SIGKILL");
  await rabbit?.stop();
  await rm(folder, { recursive: true });
}

async function run(): Promise<void> {
  const router = await startRouter(rabbit?.port ?? null);
  const own = { name: "router, queue", port: PORT, address: "bench", pids: [router.pid ?? 0] };
  const ways: Way[] = [own];
  if (rabbit === null) console.log("RabbitMQ is left out: it is not installed");
  else {
    const pid = await rabbit.pid();
    const address = "/amq/queue/bench";
    ways.push({ name: "RabbitMQ, quorum queue", port: rabbit.port, address, pids: [pid] });
    ways.push({
      name: "RabbitMQ through the router",
      port: PORT,
      address: "rabbit/bench",
      pids: [pid, router.pid ?? 0],
    });
  }
  for (const way of ways) await pass(way, WARM_UP);
  const passes = new Map<Way, Pass[]>(ways.map((way) => [way, []]));
  for (let round = 0; round < rounds; round++) for (const way of ways) passes.get(way)?.push(await pass(way, messages));
  for (const [{ name }, all] of passes) {
    const perS = median(all.map((one) => one.perS));
    const cpuUs = median(all.map((one) => one.cpuUs));
    console.log(`${name}: ${Math.round(perS)}/s, ${Math.round(cpuUs * 10) / 10} µs of CPU a message`);
  }
  const [, direct, through] = ways;
  if (direct === undefined || through === undefined) return;
  const ratios = (passes.get(through) ?? []).map(({ perS }, round) => perS / (passes.get(direct)?.[round]?.perS ?? 1));
  console.log(`through the router / without it: ${Math.round(median(ratios) * 100) / 100}, of each round`);
}

async function pass({ port, address, pids }: Way, count: number): Promise<Pass> {
  const receiver = load("receive", { port, address, count });
  await once(receiver, "message");
  const before = await cpuSeconds(pids);
  const startedMs = performance.now();
  await Promise.all([told(load("send", { port, address, count })), told(receiver)]);
  const ms = performance.now() - startedMs;
  const cpu = (await cpuSeconds(pids)) - before;
  return { perS: count / (ms / 1_000), cpuUs: (cpu * 1e6) / count };
}

async function startRabbit(): Promise<Rabbitmq | null> {
  if (!existsSync("/usr/lib/rabbitmq/bin/rabbitmq-server")) return null;
  // Clients that say nothing of themselves are let in, as at the router.
  const started = await Rabbitmq.start(join(folder, "rabbitmq"), {
    settings: "amqp1_0.default_user = guest",
    flags: "",
  });
  const queue = `rabbit_amqqueue:declare({resource,<<"/">>,queue,<<"bench">>},true,false,[{<<"x-queue-type">>,longstr,<<"quorum">>}],none,<<"bench">>)`;
  await started.evaluate(`${queue}.`);
  return started;
}

async function startRouter(rabbitPort: number | null): Promise<ChildProcess> {
  const config = join(folder, "router.json");
  const upstreams =
    rabbitPort === null ? {} : { rabbit: { url: `amqp://127.0.0.1:${rabbitPort}`, user: "guest", password: "guest" } };
  const rule = { match: "rabbit/*", kind: "link", upstream: "rabbit", rewrite: "/amq/queue/$1" };
  const addresses = rabbitPort === null ? [] : [rule];
  await writeFile(
    config,
    JSON.stringify({ data_dir: join(folder, "router"), web: "off", admin: "off", addresses, upstreams }),
  );
  const args = [join(root, "packages/router/src/main.ts"), "-c", config, "-p", String(PORT), "--log-format", "json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  children.add(child);
  for await (const line of child.stderr) if (String(line).includes("is ready")) break;
  return child;
}

function load(
  role: "send" | "receive",
  { port, address, count }: { readonly port: number; readonly address: string; readonly count: number },
): ChildProcess {
  const file = join(import.meta.dirname, "amqp-load.ts");
  const child = fork(file, [role, String(port), address, String(count), String(bytes)]);
  children.add(child);
  return child;
}

/** What a process tells at its end. */
async function told(child: ChildProcess): Promise<void> {
  for (;;) {
    const [message] = (await Promise.race([
      once(child, "message"),
      once(child, "exit").then(() => Promise.reject(new Error("a client ended before its messages were through"))),
    ])) as [unknown];
    if (typeof message === "object" && message !== null) return;
  }
}

async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
