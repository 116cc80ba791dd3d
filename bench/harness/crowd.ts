import { eventually } from "../../e2e/harness/wait.ts";
import type { DirectoryProcess } from "./directory-process.ts";
import { openClient, type RawClient } from "./raw-client.ts";
import { wanted } from "./size.ts";

/** How many there are of everything. */
export interface CrowdSize {
  readonly services: number;
  /** Instances of each service. */
  readonly each: number;
  readonly callers: number;
  /** Rollouts that have ended. */
  readonly rollouts: number;
}

const WATSONS = 20;

/** All that a console has to show: instances, callers, rollouts of the past, and a Sherlock that counts requests to every service. */
export class Crowd {
  readonly instances: number;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor({ services, each }: CrowdSize, reporter: RawClient) {
    this.instances = services * each;
    this.#timer = setInterval(() => report(reporter, services), 1_000);
  }

  /** Registers all instances, connects all callers, and leaves rollouts behind. */
  static async gather(directory: DirectoryProcess, size: CrowdSize): Promise<Crowd> {
    const { services, each, callers, rollouts } = size;
    const { port } = directory;
    const perWatson = Math.ceil((services * each) / WATSONS);
    await Promise.all(
      Array.from({ length: WATSONS }, async (_, watson) => {
        const registered = Promise.withResolvers<void>();
        const client = await openClient(port, { kind: "watson", name: `vm${watson}` }, (text) => {
          if (text.startsWith('{"type":"registered"')) registered.resolve();
        });
        const instances = Array.from({ length: perWatson }, (_, i) => instance(watson * perWatson + i, services));
        client.send({ type: "register", seq: 1, instances });
        await registered.promise;
      }),
    );
    await eventually(async () => wanted((await directory.status()).directory.state === "ready", "warming"));
    const reporter = await openClient(port, subscriber("sherlock", "storefront"), () => {});
    for (let i = 1; i < callers; i++) await openClient(port, subscriber("library", `caller-${i}`), () => {});
    for (let i = 0; i < rollouts; i++) await leaveRollout(directory, i % services);
    return new Crowd(size, reporter);
  }

  /** Ends the counting. */
  stop(): void {
    clearInterval(this.#timer);
  }
}

async function leaveRollout(directory: DirectoryProcess, number: number): Promise<void> {
  const target = `//service-${number}.internal@${nameOf(number)}`;
  const started = await directory.post<{ rollouts: { id: string }[] }>("/v1/rollouts", { target, steps: "1%:5m" });
  await directory.post(`/v1/rollouts/${started.rollouts[0]?.id}/abort`, {});
}

function nameOf(number: number): string {
  return `i-${number}`;
}

function instance(number: number, services: number) {
  return {
    service: `service-${number % services}.internal`,
    name: nameOf(number),
    version: "1.4.2",
    url: `http://vm${number % WATSONS}.example.com:${8_000 + (number % 50_000)}/base`,
    state: "live",
    zone: null,
    tags: [],
  };
}

function subscriber(kind: string, name: string) {
  return { kind, name, subscribe: { services: ["nothing"], have: null } };
}

/** Counts requests to every service, each time others. */
function report(client: RawClient, services: number): void {
  const counters = Array.from({ length: services }, (_, i) => {
    const requests = 10 + Math.floor(Math.random() * 90);
    const failed = i % 50 === 0 ? 1 : 0;
    return {
      service: `service-${i}.internal`,
      version: "1.4.2",
      instance: nameOf(i),
      requests,
      responses: [0, requests - failed, 0, 0, failed],
      failures: 0,
      latencyMs: { average: 5, max: 80 },
      latencies: [4, requests - 1, 40 + Math.floor(Math.random() * 40), 1],
    };
  });
  client.send({ type: "counters", periodMs: 1_000, counters });
}
