import type { Balance } from "@datawire/protocol";
import type { BackendStructure, PlannedServer } from "../model/plan.ts";

/** What the options of a server depend on beside its backend. */
export interface ServerContext {
  readonly caFile: string;
  /** `checkSeconds` of all servers. */
  readonly checkSeconds: number;
}

/** The options that every server of a backend has, dynamic ones included. */
export function commonServerOptions(
  { protocol, tls, tlsVerify, limits }: BackendStructure,
  { caFile, checkSeconds }: ServerContext,
): string {
  const options = [`check inter ${checkSeconds}s ${ON_FAILURE}`, "pool-purge-delay 5s"];
  if (protocol === "h2" && !tls) options.push("proto h2");
  if (tls) {
    const alpn = protocol === "h2" ? "h2" : "http/1.1";
    // A check says of itself what it offers, or it offers nothing.
    options.push(`ssl verify ${tlsVerify ? `required ca-file ${caFile}` : "none"}`, `alpn ${alpn} check-alpn ${alpn}`);
  }
  if (limits.maxConnections !== null) options.push(`maxconn ${limits.maxConnections}`);
  if (limits.slowStartMs > 0) options.push(`slowstart ${limits.slowStartMs}`);
  return options.join(" ");
}

/** The options of one server that only the configuration or `add server` can set. */
export function ownServerOptions(backend: BackendStructure, server: PlannedServer): string {
  const options = [`weight ${server.weight}`];
  if (usesIds(backend.balance)) options.push(`id ${server.id}`);
  if (server.tlsName !== null) {
    const { tlsName } = server;
    // Without `check-sni` the check asks for no name, and is shown the certificate of another.
    options.push(`sni str(${tlsName})`, `check-sni ${tlsName}`);
    if (backend.tlsVerify) options.push(`verifyhost ${tlsName}`);
  }
  return options.join(" ");
}

/** An address with its port as HAProxy and people write it. */
export function formatEndpoint(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * One failed connection takes a server out at once, and it is probed until it takes connections again. A server that is
 * fine is hardly ever probed: Watson does that, and thousands of servers would cost a twentieth of a core.
 */
const ON_FAILURE = "fastinter 500ms downinter 500ms rise 1 fall 2 observe layer4 error-limit 1 on-error mark-down";

function usesIds(balance: Balance): boolean {
  return balance.kind === "ordered" || balance.kind === "consistent";
}
