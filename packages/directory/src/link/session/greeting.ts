import { type ErrorCode, type Hello, LINK_VERSIONS, ProtocolError } from "@datawire/protocol";
import type { Permit } from "../../access/gate.ts";
import { type LinkEnvironments, Placement } from "./placement.ts";
import { requireLink } from "../clients/rights.ts";
import type { SessionRegistry } from "../clients/session-registry.ts";
import { CLOSE } from "./close-codes.ts";

/** Why a client is not let in, and the code that closes its link. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly close: number;
}

interface GreetingDeps {
  /** The table of those who name no environment. */
  readonly sessions: SessionRegistry;
  /** The other environments of the tenant; left out where there are none. */
  readonly environments?: LinkEnvironments;
  readonly permit: Permit;
}

/** Told how it ends: one of the first three, and `moved` whenever the environment of the client is made. */
interface GreetingOutcome {
  admitted(hello: Hello, sessions: SessionRegistry): void;
  refused(hello: Hello, refusal: Refusal): void;
  failed(error: unknown): void;
  moved(sessions: SessionRegistry): void;
}

/**
 * What a hello is answered with: in which table the client is, whether both ends speak one version, whether it may be what
 * it says it is, and whether another one is that already. Answered at once where nothing has to be waited for, as the next
 * message may have come with it.
 */
export class Greeting {
  readonly #deps: GreetingDeps;
  readonly #outcome: GreetingOutcome;
  #sessions: SessionRegistry;
  #placement: Placement | null = null;
  #ended = false;

  constructor(deps: GreetingDeps, outcome: GreetingOutcome) {
    this.#deps = deps;
    this.#outcome = outcome;
    this.#sessions = deps.sessions;
  }

  /** In which environment the client is; null where it has named none. */
  get placement(): Placement | null {
    return this.#placement;
  }

  /** Goes on in the environment that the client is in. To be called once. */
  begin(hello: Hello): void {
    const { environments } = this.#deps;
    if (hello.environment === undefined || environments === undefined) return this.#greet(hello);
    this.#placement = new Placement(environments, hello.environment);
    this.#placement
      .enter((sessions) => {
        this.#sessions = sessions;
        this.#outcome.moved(sessions);
      })
      .then((sessions) => {
        if (this.#ended) return;
        this.#sessions = sessions;
        this.#greet(hello);
      })
      .catch((error: unknown) => {
        if (this.#ended) return;
        if (!(error instanceof ProtocolError)) return this.#outcome.failed(error);
        const { code, message } = error;
        this.#outcome.refused(hello, { code, message, close: CLOSE.policy });
      });
  }

  /** The link has ended. */
  end(): void {
    this.#ended = true;
    this.#placement?.end();
  }

  #greet(hello: Hello): void {
    const refusal = this.#refusalOf(hello);
    if (refusal !== null) return this.#outcome.refused(hello, refusal);
    const rival = this.#sessions.rivalOf(hello);
    if (rival === null) return this.#outcome.admitted(hello, this.#sessions);
    // Another connection has this id; whether that one is alive is found out.
    rival
      .challenge()
      .then((alive) => {
        if (this.#ended) return;
        if (!alive) return this.#outcome.admitted(hello, this.#sessions);
        const other = rival.name() ?? "another machine";
        const message = `Cannot accept the ${hello.kind} ${hello.name}: one on ${other} is connected with the same id; each needs one of its own, which a Watson keeps in its state folder`;
        this.#outcome.refused(hello, { code: "conflict", message, close: CLOSE.policy });
      })
      .catch((error: unknown) => this.#outcome.failed(error));
  }

  #refusalOf(hello: Hello): Refusal | null {
    const { min, max } = LINK_VERSIONS;
    if (hello.link.min > max || hello.link.max < min) {
      const message = `Cannot speak with ${hello.name}: it speaks versions ${hello.link.min} to ${hello.link.max} of the link, this directory ${min} to ${max}`;
      return { code: "unsupported", message, close: CLOSE.protocol };
    }
    try {
      requireLink(this.#deps.permit.grant, hello, this.#sessions.servicesOf(hello));
      return null;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#sessions.faults.refused(error.code);
      return { code: error.code, message: error.message, close: CLOSE.policy };
    }
  }
}
