import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Child } from "../child.ts";
import { freePorts } from "@datawire/runtime/testing";
import type { Stack } from "../stack.ts";

/** A router that a test starts, kills and starts again on the same folder and ports. */
export class RouterProcess {
  readonly port: number;
  readonly adminPort: number;
  readonly #stack: Stack;
  readonly #config: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: Child | null = null;

  private constructor(
    stack: Stack,
    [port, adminPort]: readonly [number, number],
    { settings, env }: { readonly settings: object; readonly env: NodeJS.ProcessEnv },
  ) {
    this.#stack = stack;
    this.#env = env;
    this.port = port;
    this.adminPort = adminPort;
    this.#config = join(stack.folder, `router-${port}.yaml`);
    this.#write(settings);
  }

  #write(settings: object): void {
    const dataDir = join(this.#stack.folder, `router-${this.port}`);
    writeFileSync(this.#config, stringify({ data_dir: dataDir, web: "off", ...settings }));
  }

  /** @param settings what router.yaml has. */
  static async start(stack: Stack, settings: object = {}, env: NodeJS.ProcessEnv = {}): Promise<RouterProcess> {
    const router = await RouterProcess.prepare(stack, settings, env);
    await router.start();
    return router;
  }

  /** One that is started later: its ports are known already. */
  static async prepare(stack: Stack, settings: object = {}, env: NodeJS.ProcessEnv = {}): Promise<RouterProcess> {
    return new RouterProcess(stack, (await freePorts(2)) as [number, number], { settings, env });
  }

  async start(): Promise<void> {
    const { port, adminPort } = this;
    const args = ["-c", this.#config, "-p", String(port), "--admin", `127.0.0.1:${adminPort}`, "--log-format", "json"];
    this.#child = this.#stack.start("router", args, this.#env);
    await this.#child.line((line) => line.includes("Router is ready"));
  }

  /** Ends it, and waits until it is gone. @returns its exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    return (await this.#child?.exited)?.code ?? null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it again with other settings, on the same folder and ports. */
  async restart(settings: object): Promise<void> {
    this.#write(settings);
    await this.start();
  }

  get lines(): readonly string[] {
    return this.#child?.lines ?? [];
  }

  /** What `/v1/status` says. */
  async status(): Promise<RouterStatus> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}/v1/status`);
    return (await response.json()) as RouterStatus;
  }
}

/** The part of `/v1/status` that tests look at. */
export interface RouterStatus {
  readonly host: string;
  readonly queues: readonly {
    readonly address: string;
    readonly kind: string;
    readonly messages: number;
    readonly state: string;
    readonly reason: string | null;
  }[];
  readonly links: readonly { readonly address: string | null }[];
  readonly problems: readonly { readonly subject: string }[];
}
