import { type Hello, isMachineLocal, ProtocolError, type RouterReport, type ServerMessage } from "@datawire/protocol";
import type { Permit } from "../../access/gate.ts";
import type { Certifier, CertifyRequest } from "../../access/routers/certifier.ts";
import { AccessStream, type RouterAccess } from "../../feed/access-stream.ts";
import type { Peer } from "./peer.ts";

interface RouterSideDeps {
  readonly peer: Peer;
  readonly permit: Permit;
  /** Who may send and receive; null where nobody is told. */
  readonly access: () => RouterAccess | null;
  /** Who signs certificates for routers; null for nobody. */
  readonly certifier: Certifier | null;
  /** Sends a message; one for a link that has ended goes nowhere. */
  readonly send: (message: ServerMessage) => void;
  /** Told what the directory failed at, which ends the link. */
  readonly failed: (error: unknown) => void;
}

/** What a router alone says and is told: where it listens, who may use it, and the certificates that it asks for. */
export class RouterSide {
  readonly #deps: RouterSideDeps;
  readonly #access: AccessStream;
  #report: RouterReport | null = null;
  #certifies = false;

  constructor(deps: RouterSideDeps) {
    this.#deps = deps;
    this.#access = new AccessStream(deps.access, deps.send);
  }

  /** What it said last of itself; null as long as it has said nothing. */
  get report(): RouterReport | null {
    return this.#report;
  }

  /** Tells a router who may use it, where that is not what it was told last. */
  tellAccess({ kind }: Hello): void {
    if (kind === "router") this.#access.tell();
  }

  /** Throws ProtocolError `invalid_argument` for a client that is no router. */
  take({ kind, name }: Hello, report: RouterReport): void {
    if (kind !== "router")
      throw new ProtocolError("invalid_argument", `Cannot take the report of a router from the ${kind} ${name}`);
    const { local } = this.#deps.peer;
    const reach = (at: string | null): string | null => (at === null || local || !isOnLoopback(at) ? at : null);
    const { amqp, amqps, web, admin } = report.ports;
    // From elsewhere, loopback would be this machine's.
    const ports = { amqp: reach(amqp), amqps: reach(amqps), web: reach(web), admin: reach(admin) };
    this.#report = { ...report, ports };
  }

  /** Throws ProtocolError `permission_denied` for a client that is no router, and `conflict` for one that waits already. */
  certify({ kind, name }: Hello, request: CertifyRequest): void {
    const { certifier, peer, permit, send, failed } = this.#deps;
    if (kind !== "router" || certifier === null)
      throw new ProtocolError("permission_denied", `Cannot certify the ${kind} ${name}: only a router gets that`);
    if (this.#certifies) throw new ProtocolError("conflict", "Cannot certify: a certificate is on its way");
    this.#certifies = true;
    certifier(request, { from: peer.address, hosts: permit.grant.hosts ?? null })
      .then((answer) => {
        this.#certifies = false;
        send(answer);
      })
      .catch(failed);
  }
}

/** Whether `HOST:PORT` is of use on its own machine alone. */
const isOnLoopback = (at: string): boolean => isMachineLocal(at.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
