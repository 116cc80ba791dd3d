import { momentOf } from "../../model/moment.ts";
import type { ErrorCode, Hello } from "@datawire/protocol";
import { type Clock, describeError, type Logger } from "@datawire/runtime";
import type { Faults } from "../../problems/faults.ts";
import { remedyOfLink } from "../../problems/link-remedies.ts";

/** A client as far as it is known: one that has not said who it is has an address alone. */
export interface FailedClient {
  readonly peer: string;
  readonly kind?: Hello["kind"];
  readonly name?: string;
}

interface LinkFaultsDeps {
  /** Told of everything that was refused. */
  readonly refused: (code: ErrorCode) => void;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly log: Logger;
}

const FAULT_REMEDY =
  "the directory's log says more; all others are served. If the client's version is another one, bring both to the same";

const ABANDONED = "closed its link, as it failed at what this directory said; its log says how";

/** A client that is refused asks again within half a minute. */
const REFUSED_KEPT_MS = 120_000;

/** Where links tell what goes wrong with them: it is logged, counted, and shown in `dw status`. */
export class LinkFaults {
  readonly #deps: LinkFaultsDeps;

  constructor(deps: LinkFaultsDeps) {
    this.#deps = deps;
  }

  /** Something of a client was refused. */
  refused(code: ErrorCode): void {
    this.#deps.refused(code);
  }

  /** The directory failed at something that a client wanted of it. */
  failed(client: FailedClient, error: unknown): void {
    const { log, faults, clock } = this.#deps;
    this.refused("internal");
    log.error("Link failed, closing it", { ...client, error });
    const name = client.kind === undefined ? client.peer : `${client.kind} ${client.name}`;
    const message = `its link was closed, as the directory failed at what it said: ${describeError(error)}`;
    faults.note({ subject: `link of ${name}`, message, remedy: FAULT_REMEDY }, momentOf(clock));
  }

  /** A client was turned away, which asks again from time to time until somebody changes something. */
  turnedAway(client: FailedClient, { code, message }: { readonly code: ErrorCode; readonly message: string }): void {
    const { log, faults, clock } = this.#deps;
    log.warn("Link refused", { ...client, code, message });
    const subject = client.kind === undefined ? `link from ${client.peer}` : subjectOf(client);
    const fault = { severity: "warning", keptMs: REFUSED_KEPT_MS, remedy: remedyOfLink(code) } as const;
    faults.note({ ...fault, subject, message: `refused at ${client.peer}: ${message}` }, momentOf(clock));
  }

  /** A client says that it failed at what it was sent; it comes again. */
  abandoned(client: FailedClient): void {
    const { log, faults, clock } = this.#deps;
    log.warn("Client failed at what it was sent", { ...client });
    faults.note({ subject: subjectOf(client), message: ABANDONED, remedy: FAULT_REMEDY }, momentOf(clock));
  }

  /** A client that was turned away is let in. */
  mended(client: Pick<FailedClient, "kind" | "name">): void {
    this.#deps.faults.settle(subjectOf(client));
  }
}

/** Of which client a refused link is told. */
const subjectOf = ({ kind, name }: Pick<FailedClient, "kind" | "name">): string => `${kind} ${name}`;
