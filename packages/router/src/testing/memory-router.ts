import type { Socket } from "node:net";
import { type Clock, noLog } from "@datawire/runtime";
import { OPEN_ACCESS } from "../access/access.ts";
import { AddressRules } from "../address/rules.ts";
import { Broker } from "../engine/broker.ts";
import type { Disk } from "../disk/disk.ts";
import type { LogConfig } from "../log/log-deps.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { annotate } from "../wire/annotate.ts";
import { Peer } from "../wire/peer.ts";
import { Refusals } from "../config/refusals.ts";
import { Temporaries } from "../wire/temporaries.ts";

/** A router without ports: it takes the connections that it is given. */
export class MemoryRouter {
  readonly broker: Broker;
  readonly #clock: Clock;
  readonly #temporaries: Temporaries;
  /** There are none. */
  readonly #upstreams: Upstreams;

  private constructor(broker: Broker, clock: Clock) {
    this.broker = broker;
    this.#clock = clock;
    this.#temporaries = new Temporaries(broker, clock);
    const board = { set: () => {} };
    this.#upstreams = new Upstreams([], { farOf: () => null, clock, log: noLog, board, random: () => 0 });
  }

  /** Reads the log of a disk; all addresses are as they are without rules. */
  static async open(
    disk: Disk,
    clock: Clock,
    { log, random32 }: { readonly log: LogConfig; readonly random32: () => number },
  ): Promise<MemoryRouter> {
    const nothing = (): void => {};
    const deps = { disk, clock, random32, later: setImmediate, annotate, onTrouble: nothing, onFault: nothing };
    return new MemoryRouter(await Broker.open({ rules: new AddressRules([]), log }, deps), clock);
  }

  accept(socket: Socket): void {
    // It lives as long as its socket.
    void new Peer(socket, {
      broker: this.broker,
      clock: this.#clock,
      log: noLog,
      temporaries: this.#temporaries,
      addresses: { isAuthority: () => false },
      limits: { sessions: 256, links: 4_096, frameBytes: 65_536, messageBytes: 1_000_000, unsettled: 50_000 },
      manage: () => null,
      container: "router",
      access: OPEN_ACCESS,
      refusals: new Refusals(),
      upstreams: this.#upstreams,
    });
  }

  /** What is due once a second. */
  tick(): void {
    this.broker.tick();
  }
}
