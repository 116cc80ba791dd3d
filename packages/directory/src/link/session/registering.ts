import { type Hello, instanceKey, type ServerMessage } from "@datawire/protocol";
import type { Permit } from "../../access/gate.ts";
import type { ClientProblems } from "../../problems/client-problems.ts";
import type { Placement } from "./placement.ts";
import { type IncomingMessage, readInstances } from "./read-message.ts";
import { divideByRight, requireRegistering } from "../clients/rights.ts";
import type { SessionRegistry } from "../clients/session-registry.ts";

type Statement = Extract<IncomingMessage, { type: "register" | "update" }>;

interface RegisteringDeps {
  readonly permit: Permit;
  /** Whether the client is on the directory's own machine. */
  readonly local: boolean;
  readonly problems: ClientProblems;
  /** The table of the environment that the client is in by now. */
  readonly sessions: () => SessionRegistry;
  readonly placement: () => Placement | null;
  /** Does something for the client: a ProtocolError is told to it, and anything else ends its link. */
  readonly answering: (work: () => void) => void;
  /** Sends a message; one for a link that has ended goes nowhere. */
  readonly send: (message: ServerMessage) => void;
  /** Told what the directory failed at, which ends the link. */
  readonly failed: (error: unknown) => void;
}

/** What a client states of its instances, and what it is answered. */
export class Registering {
  readonly #deps: RegisteringDeps;
  /** The end of the last answer. While a store goes away, what is said later may be done with before what waits for it. */
  #answered: Promise<unknown> = Promise.resolve();

  constructor(deps: RegisteringDeps) {
    this.#deps = deps;
  }

  /**
   * Takes a statement. The first that registers something in an environment makes it.
   * @throws ProtocolError `permission_denied`
   */
  take(hello: Hello, message: Statement): void {
    const { permit, answering } = this.#deps;
    const placement = this.#deps.placement();
    if (placement === null || !placement.isWaiting || message.instances.length === 0)
      return this.#register(hello, message);
    requireRegistering(permit.grant, hello);
    placement.make().then(
      () => answering(() => this.#register(hello, message)),
      (error: unknown) =>
        answering(() => {
          throw error;
        }),
    );
  }

  /** Tells a Watson which of its instances operators have drained. */
  tellDraining(instances: readonly string[]): void {
    this.#deps.send({ type: "draining", instances: [...instances] });
  }

  #register(hello: Hello, message: Statement): void {
    const { permit, local, problems, send, failed } = this.#deps;
    const sessions = this.#deps.sessions();
    requireRegistering(permit.grant, hello);
    const read = readInstances(message.instances);
    const { permitted: instances, forbidden } = divideByRight(read.instances, permit.grant);
    for (const { code } of forbidden) sessions.faults.refused(code);
    const refused = [...read.refused, ...forbidden];
    const word = { instances, local };
    const { refusals, tellsDraining } =
      message.type === "register"
        ? sessions.register(hello, word)
        : sessions.update(hello, {
            ...word,
            // What could not be read or may not be registered must not stay in use as it was described before.
            gone: [...message.gone, ...refused.map(({ instance }) => instance)],
          });
    const all = [...refused, ...refusals];
    const gone = message.type === "update" ? message.gone : [];
    const named = [...instances.map(instanceKey), ...gone];
    problems.registered({ named, isWhole: message.type === "register" }, all);
    // Answered means known after a restart.
    this.#answered = Promise.all([sessions.saved(), this.#answered])
      .then(() => {
        send({ type: "registered", seq: message.seq, refused: all });
        if (tellsDraining) this.tellDraining(this.#deps.sessions().drainedOf(hello));
      })
      .catch(failed);
  }
}
