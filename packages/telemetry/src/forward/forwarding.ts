import { join } from "node:path";
import { Forwarder, type ForwardTarget } from "./forwarder.ts";
import { ForwardQueue, type QueuedRequest } from "./queue.ts";

/** Where everything is forwarded, and how much may wait for it. */
export interface ForwardSettings extends ForwardTarget {
  readonly queueBytes: number;
}

/** What keeps everything or something from the collector. */
export interface ForwardProblem {
  readonly kind: "stuck" | "refused";
  readonly why: string;
}

interface ForwardingDeps {
  readonly lost: (reason: "forward" | "collector", count: number) => void;
  /** Told when that changes; null for nothing. */
  readonly problem: (problem: ForwardProblem | null) => void;
}

/** The queue of what is to be forwarded, and who sends it. */
export class Forwarding {
  readonly #folder: string;
  readonly #deps: ForwardingDeps;
  #open: { readonly queue: ForwardQueue; readonly forwarder: Forwarder } | null = null;
  #problem: ForwardProblem | null = null;

  constructor(folder: string, settings: ForwardSettings | null, deps: ForwardingDeps) {
    this.#folder = folder;
    this.#deps = deps;
    this.configure(settings);
  }

  get isOn(): boolean {
    return this.#open !== null;
  }

  /** Forwards elsewhere from now on, or nowhere: what waits then stays in the queue. */
  configure(settings: ForwardSettings | null): void {
    if (settings === null) return this.close();
    if (this.#open === null) return this.#begin(settings);
    this.#open.queue.setBound(settings.queueBytes);
    this.#open.forwarder.setTarget(settings);
  }

  /** Puts requests into the queue; they are on the disk once it returns. @throws TracesFault */
  push(requests: readonly QueuedRequest[]): void {
    if (this.#open === null || requests.length === 0) return;
    this.#open.queue.push(requests);
    this.#open.forwarder.wake();
  }

  close(): void {
    this.#open?.forwarder.close();
    this.#open?.queue.close();
    this.#open = null;
    this.#tell(null);
  }

  #begin(settings: ForwardSettings): void {
    const queue = new ForwardQueue(join(this.#folder, "forward.db"), settings.queueBytes, {
      lost: (count) => this.#deps.lost("forward", count),
    });
    const forwarder = new Forwarder(settings, {
      queue,
      refused: (count, why) => {
        this.#deps.lost("collector", count);
        this.#tell({ kind: "refused", why });
      },
      stuck: (why) => this.#tell({ kind: "stuck", why }),
      accepted: () => this.#tell(null),
    });
    this.#open = { queue, forwarder };
  }

  #tell(problem: ForwardProblem | null): void {
    if (problem?.why === this.#problem?.why) return;
    this.#problem = problem;
    this.#deps.problem(problem);
  }
}
