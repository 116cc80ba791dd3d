import { type Answer, type ApiClient, endpoints } from "@datawire/api";
import { hostPort, parseInstanceUrl } from "@datawire/protocol";
import { count } from "../core/span.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { ConnectFailure, Machine } from "./machine.ts";

/** At once: enough to be done soon, and not enough to look like an attack. */
const CONNECTIONS_MAX = 32;

type Listed = Answer<"listInstances">["instances"][number];

/** Connects from here to each instance that requests go to. */
export async function checkInstances(machine: Machine, client: ApiClient): Promise<Finding[]> {
  const { instances } = await client.ask(endpoints.listInstances);
  const { ok } = findingsOf("instance");
  const live = instances.filter(({ state }) => state === "live");
  const rest = live.values();
  const findings: Finding[] = [];
  const work = async (): Promise<void> => {
    for (const instance of rest) findings.push(...(await checkInstance(machine, instance)));
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS_MAX, live.length) }, work));
  if (findings.length > 0) return findings.sort((a, b) => (a.subject < b.subject ? -1 : 1));
  return [ok(count(live.length, "live instance"), live.length === 0 ? "nothing to reach yet" : "reached from here")];
}

async function checkInstance(machine: Machine, { service, name, url, watson }: Listed): Promise<Finding[]> {
  const { host, port } = parseInstanceUrl(url, url.startsWith("tcp:") ? "tcp" : "http");
  const failure = await machine.connect(host, port);
  if (failure === null) return [];
  const { error } = findingsOf("instance");
  const where = watson === null ? "its machine" : watson;
  const message = `is announced as live, but cannot be reached from here at ${hostPort(host, port)}: ${failure.reason}`;
  return [error(`//${service}@${name}`, message, remedyOf(failure, { where, host, port }))];
}

function remedyOf(
  { code }: ConnectFailure,
  { where, host, port }: { readonly where: string; readonly host: string; readonly port: number },
): string {
  switch (code) {
    case "refused":
      return `let it listen on ${hostPort(host, port)} and not on loopback alone, or correct \`url\` in its service file on ${where}`;
    case "no-name":
      return `set \`host\` in watson.yaml on ${where} to a name or address that resolves everywhere`;
    case "no-answer":
      return `open port ${port} of ${host} to this machine: a firewall or a missing route is in the way`;
  }
}
