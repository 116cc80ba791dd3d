import { DESCRIPTOR } from "../frames/descriptors.ts";
import {
  readSaslBytes,
  readSaslInit,
  readSaslMechanisms,
  readSaslOutcome,
  SASL_AUTH,
  SASL_OK,
  writeSaslChallenge,
  writeSaslInit,
  writeSaslMechanisms,
  writeSaslOutcome,
  writeSaslResponse,
} from "../frames/sasl-frames.ts";
import { FRAME_TYPE } from "../frames/splitter.ts";
import type { SaslClient, SaslExchange, SaslServer, SaslStep } from "../sasl/contract.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";
import type { Reader } from "../types/reader.ts";
import type { Output } from "../link/output.ts";

const NOTHING = new Uint8Array(0);
/** No mechanism of ours has more. */
const ROUNDS_MAX = 8;

/** How the security layer ended: with whom, or null where the server or the client was refused. */
export type SaslEnd = (identity: string | null) => void;

/** One side of the security layer before AMQP itself. */
export interface SaslLayer {
  /** Whether an answer of ours is still to come, and what the peer sends meanwhile is to wait. */
  readonly waits: boolean;
  /** After both protocol headers. */
  begin(): void;
  /** Takes a frame. Throws `WireFailure`. */
  frame(code: number, reader: Reader): void;
}

/** The side of a server: says what it takes, and asks the exchange. */
export class SaslServerLayer implements SaslLayer {
  readonly #server: SaslServer;
  readonly #output: Output;
  readonly #end: SaslEnd;
  readonly #answered: () => void;
  waits = false;
  #exchange: SaslExchange | null = null;
  #rounds = 0;

  /** `answered` is called after each answer, at once or later. */
  constructor(server: SaslServer, output: Output, end: SaslEnd, answered: () => void) {
    this.#server = server;
    this.#output = output;
    this.#end = end;
    this.#answered = answered;
  }

  begin(): void {
    write(this.#output, (frames) => writeSaslMechanisms(frames, { saslServerMechanisms: this.#server.mechanisms }));
  }

  frame(code: number, reader: Reader): void {
    if (++this.#rounds > ROUNDS_MAX) throw outOfTurn();
    let response: Uint8Array;
    if (this.#exchange === null && code === DESCRIPTOR.saslInit) {
      const { mechanism, initialResponse } = readSaslInit(reader);
      this.#exchange = this.#server.mechanisms.includes(mechanism) ? this.#server.begin(mechanism) : null;
      if (this.#exchange === null) return this.#answer({ state: "failed" });
      response = initialResponse ?? NOTHING;
    } else if (this.#exchange !== null && code === DESCRIPTOR.saslResponse) response = readSaslBytes(reader);
    else throw outOfTurn();
    this.waits = true;
    this.#exchange.respond(response, (step) => {
      if (!this.waits) return;
      this.waits = false;
      this.#answer(step);
      this.#answered();
    });
  }

  #answer(step: SaslStep): void {
    switch (step.state) {
      case "challenge":
        return write(this.#output, (frames) => writeSaslChallenge(frames, step.bytes));
      case "authenticated": {
        const { additional } = step;
        const outcome = { code: SASL_OK, ...(additional !== undefined && { additionalData: additional }) };
        write(this.#output, (frames) => writeSaslOutcome(frames, outcome));
        return this.#end(step.identity);
      }
      case "failed":
        write(this.#output, (frames) => writeSaslOutcome(frames, { code: SASL_AUTH }));
        return this.#end(null);
    }
  }
}

/** The side of a client: chooses a mechanism, and answers challenges. */
export class SaslClientLayer implements SaslLayer {
  readonly #clients: readonly SaslClient[];
  readonly #hostname: string | undefined;
  readonly waits = false;
  readonly #output: Output;
  readonly #end: SaslEnd;
  #chosen: SaslClient | null = null;

  constructor(clients: readonly SaslClient[], hostname: string | undefined, output: Output, end: SaslEnd) {
    this.#clients = clients;
    this.#hostname = hostname;
    this.#output = output;
    this.#end = end;
  }

  begin(): void {
    // The server speaks next.
  }

  frame(code: number, reader: Reader): void {
    if (this.#chosen === null && code === DESCRIPTOR.saslMechanisms) return this.#choose(reader);
    const chosen = this.#chosen;
    if (chosen === null) throw outOfTurn();
    if (code === DESCRIPTOR.saslChallenge) {
      const response = chosen.respond(readSaslBytes(reader));
      if (response === null) return this.#end(null);
      return write(this.#output, (frames) => writeSaslResponse(frames, response));
    }
    if (code !== DESCRIPTOR.saslOutcome) throw outOfTurn();
    const { code: outcome, additionalData } = readSaslOutcome(reader);
    const believed = outcome === SASL_OK && chosen.finish(additionalData ?? null);
    this.#end(believed ? chosen.name : null);
  }

  #choose(reader: Reader): void {
    const { saslServerMechanisms: offered } = readSaslMechanisms(reader);
    const chosen = this.#clients.find(({ name }) => offered.includes(name));
    if (chosen === undefined) return this.#end(null);
    this.#chosen = chosen;
    const initialResponse = chosen.begin();
    const init = {
      mechanism: chosen.name,
      ...(initialResponse !== null && { initialResponse }),
      ...(this.#hostname !== undefined && { hostname: this.#hostname }),
    };
    write(this.#output, (frames) => writeSaslInit(frames, init));
  }
}

function write(output: Output, what: (frames: Output["frames"]) => void): void {
  const start = output.begin(0, FRAME_TYPE.sasl);
  what(output.frames);
  output.frames.end(start);
}

function outOfTurn(): WireFailure {
  return new WireFailure(CONDITION.illegalState, "Cannot use a SASL frame: it is not its turn");
}
