import { instanceKey, plainInstance, type Registration } from "@datawire/protocol";
import type { LinkHandler, LinkMessage, LinkSession } from "@datawire/link";
import type { Clock, ProblemBoard } from "@datawire/runtime";
import type { Registered } from "../routing/allotments.ts";

/** What is registered, and who is told of what is not. */
export interface RegistrarDeps {
  readonly clock: Pick<Clock, "setTimer">;
  readonly board: Pick<ProblemBoard, "set">;
  /** The instances that receive here now. */
  readonly members: () => readonly Registered[];
  /** Where they are reached through this router: `amqp://HOST:PORT`. */
  readonly url: () => string;
}

/** Changes within this time go in one message. */
const COALESCE_MS = 5;
const BOARD = "instances";

/** Registers with the directory who receives here as an instance of a service. */
export class Registrar implements LinkHandler {
  readonly #deps: RegistrarDeps;
  #session: LinkSession | null = null;
  #seq = 0;
  #told = "";
  #drained: ReadonlySet<string> = new Set();
  #cancel: (() => void) | null = null;

  constructor(deps: RegistrarDeps) {
    this.#deps = deps;
  }

  connected(session: LinkSession): void {
    this.#session = session;
    this.#told = "";
    this.changed();
  }

  disconnected(): void {
    this.#session = null;
    this.close();
  }

  message(message: LinkMessage): void {
    if (message.type === "registered") {
      const problems = message.refused.map(({ instance, message: why }) => ({
        subject: `//${instance}`,
        message: why,
      }));
      return this.#deps.board.set(BOARD, problems);
    }
    if (message.type !== "draining") return;
    this.#drained = new Set(message.instances);
    this.changed();
  }

  /** Somebody came or went. */
  changed(): void {
    if (this.#session === null) return;
    this.#cancel ??= this.#deps.clock.setTimer(COALESCE_MS, () => {
      this.#cancel = null;
      this.#tell();
    });
  }

  /** Says nothing more. */
  close(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #tell(): void {
    const url = this.#deps.url();
    const instances = this.#deps.members().map((one) => this.#registration(one, url));
    const text = JSON.stringify(instances);
    // On each link once in any case: a process before this one, of the same id, may have left what is there no more.
    if (text === this.#told) return;
    if (this.#session?.send({ type: "register", seq: ++this.#seq, instances }) !== true) return;
    this.#told = text;
  }

  #registration({ service, member: { instance: name, version } }: Registered, url: string): Registration {
    const isDrained = this.#drained.has(instanceKey({ service, name }));
    return {
      service,
      name,
      version,
      url: `${url}/${service}`,
      protocol: "amqp",
      ...plainInstance(),
      ...(isDrained && { state: "draining", reason: "drained by an operator" }),
      via: "router",
    };
  }
}
