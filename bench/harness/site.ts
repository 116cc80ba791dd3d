import { eventually } from "../../e2e/harness/wait.ts";
import type { DirectoryProcess } from "./directory-process.ts";
import { openClient, type RawClient } from "./raw-client.ts";
import { wanted } from "./size.ts";

/** How much there is of everything at a large site. */
export interface SiteSize {
  /** A tenth of them has three versions with two instances each, all others one with two. */
  readonly services: number;
  readonly watsons: number;
  /** Sherlocks, each of which calls some of the services. */
  readonly callers: number;
  /** Services of which callers have routes with shares. */
  readonly routed: number;
  /** Rollouts that go on. */
  readonly rollouts: number;
  /** Instances that are down, each with a reason. */
  readonly down: number;
  /** What Watsons report. */
  readonly problems: number;
  readonly environments: number;
  /** Instances that change their state each second. */
  readonly changes: number;
}

/** A site of a size that few have, and that must be as usable as a small one. */
export const LARGE: SiteSize = {
  services: 10_000,
  watsons: 100,
  callers: 200,
  routed: 200,
  rollouts: 50,
  down: 500,
  problems: 300,
  environments: 20,
  changes: 50,
};

const CHANGES_MS = 100;
const REPORT_MS = 1_000;
const APPLIED_MS = 1_000;
const REQUESTS_AT_ONCE = 8;

interface SiteInstance {
  readonly service: string;
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly state: "live" | "down";
  readonly reason: string | null;
}

/** A large site beside one directory: it registers, counts, reports and changes all the time. */
export class Site {
  readonly size: SiteSize;
  readonly instances: readonly SiteInstance[];
  readonly #directory: DirectoryProcess;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #watsons: RawClient[] = [];
  #callers: RawClient[] = [];
  #clients: RawClient[] = [];
  #seen = { epoch: "", revision: 0 };
  #changed = 0;

  constructor(directory: DirectoryProcess, size: SiteSize) {
    this.#directory = directory;
    this.size = size;
    this.instances = instancesOf(size);
  }

  /** Registers all instances, connects all callers, and makes all routes and rollouts. */
  async gather(): Promise<void> {
    await this.join();
    const { services, routed, rollouts } = this.size;
    // Those with three versions come first; what is rolled out has no other route.
    await inTurns(Math.min(routed, services / 10), async (i) => {
      const service = serviceName(i);
      const source = i % 2 === 0 ? "//*" : `//${callerName(i % this.size.callers)}`;
      const targets = [
        { target: `//${service}(2)`, percent: 10 },
        { target: `//${service}(3)`, percent: 5 },
      ];
      await this.#directory.put("/v1/routes", { source, targets });
    });
    await inTurns(Math.min(rollouts, services / 10 - routed), async (i) => {
      const target = `//${serviceName(routed + i)}(2)`;
      await this.#directory.post("/v1/rollouts", { target, steps: "1%:5m,10%:10m,50%:10m", no_data: "wait" });
    });
  }

  /** Connects all clients, as they do by themselves to a directory that has just started. */
  async join(): Promise<void> {
    const { port } = this.#directory;
    const { watsons, callers, problems, environments } = this.size;
    const open = (kind: string, name: string, more: object = {}) => openClient(port, { kind, name, ...more }, () => {});
    this.#watsons = await Promise.all(Array.from({ length: watsons }, (_, i) => open("watson", `vm${i}`)));
    for (const [i, client] of this.#watsons.entries()) {
      client.send({ type: "register", seq: 1, instances: this.instances.filter((_, at) => at % watsons === i) });
      const own = Array.from({ length: Math.ceil((problems - i) / watsons) }, (_, at) => problemOf(i + at * watsons));
      client.send({ type: "problems", problems: own.slice(0, 100) });
    }
    const others = await Promise.all(
      Array.from({ length: environments - 1 }, async (_, i) => {
        const client = await open("watson", `vm-of-${i}`, { environment: `environment-${i}` });
        client.send({ type: "register", seq: 1, instances: this.instances.slice(0, 20) });
        return client;
      }),
    );
    await eventually(async () => {
      const { directory, counts } = await this.#directory.status();
      wanted(directory.state === "ready", "warming");
      wanted(counts.instances === this.instances.length, "registering");
    });
    const subscribe = { services: ["nothing"], have: null };
    this.#callers = await Promise.all(
      Array.from({ length: callers }, (_, i) => open("sherlock", callerName(i), { subscribe })),
    );
    this.#clients = [...this.#watsons, ...others, ...this.#callers];
    const { epoch, revision } = (await this.#directory.status()).directory;
    this.#seen = { epoch, revision };
  }

  /** What goes on at such a site from now on. */
  live(): void {
    const each = (this.size.changes * CHANGES_MS) / 1_000;
    this.#timers.push(
      setInterval(() => this.#change(each), CHANGES_MS),
      setInterval(() => this.#count(), REPORT_MS),
      setInterval(() => this.#apply(), APPLIED_MS),
    );
  }

  /** Stands still, as while its directory is away. */
  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  leave(): void {
    this.stop();
    for (const client of this.#clients) client.end();
  }

  /** Those that were live come and go: an instance is down for as long as the changes take to come round. */
  #change(count: number): void {
    const { watsons, services } = this.size;
    for (let i = 0; i < count; i++) {
      const at = (this.#changed * 37) % services;
      const isDown = Math.floor(this.#changed / services) % 2 === 0;
      const known = this.instances[at] as SiteInstance;
      const now = isDown ? { state: "down", reason: "503 Service Unavailable" } : { state: "live", reason: null };
      this.#watsons[at % watsons]?.send({ type: "update", seq: 2 + this.#changed, instances: [{ ...known, ...now }] });
      this.#changed++;
    }
    this.#seen = { ...this.#seen, revision: this.#seen.revision + 1 };
  }

  /** Each second a fifth of the callers tells what it has called in five, as Sherlocks do. */
  #count(): void {
    const now = Math.floor(Date.now() / REPORT_MS);
    const { services, callers } = this.size;
    const own = Math.ceil(services / callers);
    for (const [i, client] of this.#callers.entries()) {
      if ((i + now) % 5 !== 0) continue;
      const counters = Array.from({ length: own }, (_, at) => counterOf(this.instances, (i * own + at) % services));
      client.send({ type: "counters", periodMs: 5_000, counters });
    }
  }

  #apply(): void {
    for (const client of this.#callers) client.send({ type: "applied", ...this.#seen });
  }
}

/** Names as they are where thousands need one. */
export const serviceName = (i: number): string =>
  `${TEAMS[i % TEAMS.length]}.${WORDS[(i * 7) % WORDS.length]}-${WORDS[(i * 3 + 5) % WORDS.length]}-worker-${String(i).padStart(5, "0")}.eu-central`;
const callerName = (i: number): string => `storefront-of-${TEAMS[i % TEAMS.length]}-${i}`;
const TEAMS = ["payments", "settlement", "catalogue", "recommendations", "identity", "logistics", "reporting"];
const WORDS = [
  "reconciliation",
  "ledger",
  "notification",
  "enrichment",
  "aggregation",
  "export",
  "validation",
  "index",
];

function instancesOf({ services, down, watsons }: SiteSize): SiteInstance[] {
  // One of each service first, so that what is down is spread over as many.
  const several = services / 10;
  const places: [number, number][] = Array.from({ length: services }, (_, i) => [i, 0]);
  for (let at = 1; at < 6; at++) for (let i = 0; i < (at === 1 ? services : several); i++) places.push([i, at]);
  return places.map(([i, at], number) => {
    const isDown = number >= services - down && number < services;
    return {
      service: serviceName(i),
      name: `vm${number % watsons}-${number}`,
      version: `${1 + Math.floor(at / 2)}.4.2`,
      url: `http://127.0.${Math.floor(number / 200) % 250}.${1 + (number % 200)}:${8_000 + (i % 50_000)}/base`,
      state: isDown ? "down" : "live",
      reason: isDown ? "connect ECONNREFUSED: nothing listens on its port" : null,
    };
  });
}

function problemOf(i: number) {
  return {
    subject: `/etc/datawire/services/${serviceName(i)}.yaml:7`,
    message: `Cannot use "3 seconds" as liveness.period of ${serviceName(i)}: wanted a duration such as 3s`,
    severity: i % 3 === 0 ? "error" : "warning",
  };
}

function counterOf(instances: readonly SiteInstance[], i: number) {
  const requests = 10 + Math.floor(Math.random() * 90);
  const failed = i % 50 === 0 ? 1 : 0;
  const { service, version, name } = instances[i] as SiteInstance;
  return {
    service,
    version,
    instance: name,
    requests,
    responses: [0, requests - failed, 0, 0, failed],
    failures: 0,
    latencyMs: { average: 5, max: 80 },
    latencies: [4, requests - 1, 40 + Math.floor(Math.random() * 40), 1],
  };
}

async function inTurns(count: number, work: (i: number) => Promise<void>): Promise<void> {
  const all = Array.from({ length: count }, (_, i) => i).values();
  const worker = async (): Promise<void> => {
    for (const i of all) await work(i);
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
}
