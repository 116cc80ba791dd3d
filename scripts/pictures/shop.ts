import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@datawire/runtime/testing";
import { Stack } from "../../e2e/harness/stack.ts";
import { eventually, sleep } from "../../e2e/harness/wait.ts";
import { sendTraces } from "./spans.ts";

interface Version {
  readonly service: string;
  readonly version: string;
  readonly count: number;
  readonly failEvery?: number;
}

interface Rollout {
  readonly id: string;
  readonly target: string;
  readonly state: string;
  readonly steps: readonly { readonly requests: number }[];
}

/** What runs in the shop that the pictures are of. */
const VERSIONS: readonly Version[] = [
  { service: "checkout", version: "1.8.3", count: 3 },
  { service: "checkout", version: "2.0.0", count: 1 },
  { service: "catalog", version: "3.2.0", count: 3 },
  { service: "payments", version: "5.1.2", count: 2, failEvery: 400 },
  { service: "search", version: "0.9.1", count: 2 },
  { service: "search", version: "1.0.0", count: 1, failEvery: 8 },
  { service: "accounts", version: "4.0.1", count: 2 },
  { service: "mailer", version: "1.3.0", count: 1 },
];

/** Who calls what, how often a second, and how long an answer takes, in milliseconds. */
const CALLS = [
  { caller: "storefront", service: "catalog", rate: 42, ms: 6 },
  { caller: "storefront", service: "search", rate: 18, ms: 14 },
  { caller: "storefront", service: "checkout", rate: 26, ms: 9 },
  { caller: "storefront", service: "accounts", rate: 11, ms: 3 },
  { caller: "backoffice", service: "payments", rate: 21, ms: 22 },
  { caller: "backoffice", service: "catalog", rate: 7, ms: 6 },
  { caller: "backoffice", service: "accounts", rate: 5, ms: 3 },
] as const;

const CALLERS = ["storefront", "backoffice"] as const;

/** A shop of a few services on this machine, under load: what the pictures are taken of. */
export class Shop {
  readonly stack = new Stack();
  readonly #stop = new AbortController();
  readonly #load: Promise<void>[] = [];

  /** Starts everything and waits until there is something to see. */
  async start(): Promise<void> {
    const { stack } = this;
    await stack.startDirectory();
    const ports = await freePorts(CALLERS.length * 2);
    const traffic = new Map<string, number>();
    await Promise.all([
      stack.startWatson(),
      ...VERSIONS.map((version) => this.#startVersion(version)),
      ...CALLERS.map((caller, i) => {
        const [listen = 0, admin = 0] = ports.slice(i * 2);
        traffic.set(caller, listen);
        return this.#startSherlock(caller, listen, admin);
      }),
    ]);
    for (const { caller, service, rate, ms } of CALLS)
      this.#load.push(this.#call(`http://127.0.0.1:${traffic.get(caller)}/${service}/?ms=${ms}`, rate));
    await this.#operate();
    const { directory } = await stack.ports();
    this.#load.push(sendTraces(`http://127.0.0.1:${directory}`, this.#stop.signal));
  }

  /** Waits until a rollout was taken back, and another one has checks to show. */
  async settled(): Promise<void> {
    await eventually(async () => {
      const rollouts = await this.#rollouts();
      const states = rollouts.map(({ target, state, steps }) => `${target} ${state} ${steps[0]?.requests ?? 0}`);
      const isBack = rollouts.some(({ target, state }) => target === "//search(1)" && state === "rolled-back");
      const isWatched = rollouts.some(({ steps }) => steps.length === 3 && (steps[0]?.requests ?? 0) > 60);
      if (!isBack || !isWatched) throw new Error(states.join(", "));
    });
  }

  /** Where the console shows the rollout of a target. */
  async rolloutPath(wanted: string): Promise<string> {
    const found = (await this.#rollouts()).find(({ target }) => target === wanted);
    return `rollouts/${found?.id}`;
  }

  /** Where the console shows a request that failed. */
  async failedTracePath(): Promise<string> {
    const { traces } = await this.stack.read<{ traces: { traceId: string }[] }>("/v1/traces?error=true&limit=1");
    return `traces/${traces[0]?.traceId}`;
  }

  async #rollouts(): Promise<readonly Rollout[]> {
    return (await this.stack.read<{ rollouts: readonly Rollout[] }>("/v1/rollouts")).rollouts;
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#load);
    await this.stack.dispose();
  }

  async #startVersion({ service, version, count, failEvery = 0 }: Version): Promise<void> {
    const { stack } = this;
    const first = `${service}-${version}`;
    const { port } = await stack.startInstance({ service, name: first, version, addresses: count, failEvery });
    stack.removeServiceFile(first);
    for (let i = 1; i <= count; i++) {
      const name = `${service}-${version.split(".").slice(0, 2).join("")}${"abc"[i - 1]}`;
      const url = `http://127.0.0.${i}:${port}`;
      stack.writeServiceFile(name, { service: `//${service}`, version, url, instance: name });
    }
  }

  async #startSherlock(name: string, listen: number, admin: number): Promise<void> {
    const { stack } = this;
    const file = join(stack.folder, `${name}.yaml`);
    writeFileSync(file, JSON.stringify({ name, percentiles: "on" }), { mode: 0o600 });
    const places = ["--listen", `127.0.0.1:${listen}`, "--admin", `127.0.0.1:${admin}`];
    const folders = ["-c", file, "--run-dir", join(stack.folder, name)];
    const child = stack.start("sherlock", [
      "-d",
      await stack.directoryAddress(),
      ...folders,
      ...places,
      "--log-format",
      "json",
    ]);
    await child.line((line) => /is ready"/.test(line));
  }

  /** What operators did before the pictures are taken. */
  async #operate(): Promise<void> {
    const { stack } = this;
    await eventually(async () => {
      const { counts } = await stack.read<{ counts: { instances: number } }>("/v1/status");
      const wanted = VERSIONS.reduce((sum, { count }) => sum + count, 0);
      if (counts.instances !== wanted) throw new Error(`${counts.instances} instances, wanted ${wanted}`);
    });
    const dw = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await stack.dw(...args);
      if (code !== 0) throw new Error(`dw ${args.join(" ")} ended with ${code}: ${stderr}`);
    };
    await dw("service", "set", "//payments", "--retries", "2", "--timeout", "5s");
    await dw("route", "add", "--caller", "//backoffice", "//catalog@catalog-32c", "20%", "--when", "header:X-Beta=1");
    await dw("service", "set", "//accounts", "--balance", "least-connections");
    await dw("rollout", "start", "//search(1)", "--steps", "20%:5m,50%:5m", "--check", "error-rate <= 1%");
    await dw(
      "rollout",
      "start",
      "//checkout(2)",
      "--steps",
      "5%:10m,25%:10m,50%:10m",
      "--undecided",
      "wait",
      "--check",
      "error-rate <= primary + 2%",
      "p99 <= primary * 3",
    );
    await dw("instance", "drain", "//accounts@accounts-40b");
    stack.writeServiceFile("mailer-13a", {
      service: "//mailer",
      version: "1.3.0",
      url: "http://127.0.0.1:9",
      instance: "mailer-13a",
    });
  }

  async #call(url: string, rate: number): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      void fetch(url).then(
        (answer) => answer.arrayBuffer(),
        () => null,
      );
      await sleep(1_000 / rate);
    }
  }
}
