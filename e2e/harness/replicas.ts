import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { type EtcdServer, startEtcd } from "./etcd.ts";
import type { Child } from "./child.ts";
import { freePorts } from "@datawire/runtime/testing";
import type { Stack } from "./stack.ts";

/** What `GET /v1/status` says, as far as the scenarios look at it. */
interface Status {
  readonly directory: { readonly state: string; readonly store: string };
  readonly problems: readonly { readonly severity: string; readonly message: string; readonly remedy: string | null }[];
  readonly replicas: readonly { readonly self: boolean }[];
}

/** Who gets no turn for three seconds on a busy machine, between two heartbeats, has not lost it. */
const LEASE = "5s";

type Settings = Readonly<Record<string, unknown>>;

/** Directories of one stack that share an etcd. */
export class Replicas {
  readonly etcd: EtcdServer;
  readonly #stack: Stack;
  readonly #ports: readonly number[];
  readonly #children: Child[] = [];
  readonly #settings: Settings;
  readonly #args: readonly string[];

  private constructor(
    stack: Stack,
    {
      etcd,
      ports,
      settings,
      args,
    }: { etcd: EtcdServer; ports: readonly number[]; settings: Settings; args: readonly string[] },
  ) {
    this.#stack = stack;
    this.etcd = etcd;
    this.#ports = ports;
    this.#settings = settings;
    this.#args = args;
  }

  /** @param more settings of directory.yaml and arguments, beside those that every one of them has. */
  static async start(
    stack: Stack,
    count: number,
    { settings = {}, args = [] }: { readonly settings?: Settings; readonly args?: readonly string[] } = {},
  ): Promise<Replicas> {
    const replicas = new Replicas(stack, { etcd: await startEtcd(), ports: await freePorts(count), settings, args });
    await Promise.all(Array.from({ length: count }, (_, i) => replicas.start(i)));
    return replicas;
  }

  /** For `directories` of watson.yaml: the inner list is one replicated directory. */
  get list(): string[][] {
    return [this.#ports.map((port) => `//localhost:${port}/directory`)];
  }

  /** For the command line: all of them, the first one in front. */
  get flags(): string[] {
    return this.list.flat().flatMap((address) => ["-d", address]);
  }

  url(index: number): string {
    return `http://127.0.0.1:${this.#ports[index]}`;
  }

  async start(index: number): Promise<void> {
    const folder = this.folder(index);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "directory.yaml");
    const settings = { store: { etcd: [this.etcd.url] }, lease: LEASE, promotion_delay: "2s", ...this.#settings };
    writeFileSync(file, stringify(settings), { mode: 0o600 });
    const port = String(this.#ports[index]);
    const args = [
      "-n",
      "localhost",
      "-p",
      port,
      "--data-dir",
      folder,
      "-c",
      file,
      "--log-format",
      "json",
      ...this.#args,
    ];
    const child = this.#stack.start("directory", args);
    this.#children[index] = child;
    await child.line((line) => /is ready"/.test(line));
  }

  async end(index: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#children[index];
    child?.kill(signal);
    await child?.exited;
  }

  /** Where one keeps what is its own. */
  folder(index: number): string {
    return join(this.#stack.folder, `directory-${index}`);
  }

  /** What all of them have logged. */
  get log(): string {
    return this.#children.flatMap(({ lines }) => lines).join("\n");
  }

  /** Stops one for a while, or lets it go on. */
  signal(index: number, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#children[index]?.kill(signal);
  }

  /** Asks one directory. */
  async ask<T>(index: number, path: string): Promise<T> {
    const response = await fetch(this.url(index) + path);
    if (!response.ok) throw new Error(`${path} of directory ${index} gave ${response.status}`);
    return (await response.json()) as T;
  }

  async send(index: number, method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    const response = await fetch(this.url(index) + path, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  }

  status(index: number): Promise<Status> {
    return this.ask(index, "/v1/status");
  }

  /** The instances of a service as one directory has them, by name: `a live, b lost`. */
  async instances(index: number, service: string): Promise<string> {
    type Listing = { readonly service: { readonly instances: readonly { name: string; state: string }[] } };
    const { service: listing } = await this.ask<Listing>(index, `/v1/services/${service}`);
    const shown = listing.instances.map(({ name, state }) => `${name} ${state}`);
    return shown.toSorted().join(", ");
  }

  dispose(): Promise<void> {
    return this.etcd.dispose();
  }
}
