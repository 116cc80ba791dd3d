import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { promisify } from "node:util";

/** What a client says at its end. */
export interface Told {
  /** CLOCK_MONOTONIC. */
  readonly beganMs: number;
  readonly endedMs: number;
  readonly cpuUs: number;
  /** Of a sender: from the moment that a message was due until it was accepted. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Where a client goes to. */
export interface Goal {
  readonly port: number;
  readonly address: string;
  readonly count: number;
}

/** The clients of a run, which are `proton-load.c`. */
export class Clients {
  readonly #program: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(program: string) {
    this.#program = program;
  }

  /** @throws Error where there is no compiler, or no proton-c with its headers. */
  static async build(folder: string): Promise<Clients> {
    const program = join(folder, "proton-load");
    const source = join(import.meta.dirname, "proton-load.c");
    try {
      await promisify(execFile)("cc", ["-O2", "-o", program, source, "-lqpid-proton"]);
    } catch (cause) {
      throw new Error("Cannot build the client: wanted a C compiler and proton-c (libqpid-proton11-dev)", { cause });
    }
    return new Clients(program);
  }

  /** @param options.rate messages a second; 0 for as many as credit lets it. */
  send(goal: Goal, { bytes, rate = 0 }: { readonly bytes: number; readonly rate?: number }): Client {
    return this.#start("send", goal, [String(bytes), String(Math.round(rate))]);
  }

  /** @param subscription its name, of one that outlives its link; none for a queue. */
  receive(goal: Goal, subscription?: string): Client {
    return this.#start("receive", goal, subscription === undefined ? [] : [subscription]);
  }

  /** Opens connections with a sender and a receiver each, which stay. */
  hold(goal: Goal): Client {
    return this.#start("hold", goal, []);
  }

  end(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  #start(role: string, { port, address, count }: Goal, more: readonly string[]): Client {
    const args = [role, String(port), address, String(count), ...more];
    const child = spawn(this.#program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return clientOf(child, `${role} at ${address}`);
  }
}

/** A client under way. */
export interface Client {
  /** Resolves when its links are attached. */
  readonly attached: Promise<void>;
  /** Rejects where it ends before its messages are through. */
  readonly told: Promise<Told>;
  /** Ends one that holds connections; resolves when it has. */
  end(): Promise<void>;
}

function clientOf(child: ChildProcess, what: string): Client {
  const attached = Promise.withResolvers<void>();
  const told = Promise.withResolvers<Told>();
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      const error = new Error(`Cannot ${what}: the client ended before its messages were through`);
      attached.reject(error);
      told.reject(error);
      resolve();
    });
  });
  // Whoever waits for one of them may not wait for the other.
  for (const { promise } of [attached, told]) promise.catch(() => {});
  if (child.stdout !== null) {
    createInterface(child.stdout).on("line", (line) => {
      if (line === "attached") attached.resolve();
      else told.resolve(JSON.parse(line) as Told);
    });
  }
  const end = async (): Promise<void> => {
    child.stdin?.end();
    await ended;
  };
  return { attached: attached.promise, told: told.promise, end };
}
