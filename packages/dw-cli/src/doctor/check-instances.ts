import { type Answer, type ApiClient, endpoints } from "@datawire/api";
import { hostPort, parseInstanceUrl, protocolOfUrl } from "@datawire/protocol";
import { count } from "../core/span.ts";
import { type Finding, findingsOf } from "./finding.ts";
import type { Machine, ReachFailure } from "./machine.ts";

/** Beyond so many, some of all are tried: where a network drops packets, each waits for seconds. */
const TRIED_MAX = 1_000;
/** At once: enough to be done soon, and not enough to look like an attack. */
const CONNECTIONS_MAX = 32;

type Listed = Answer<"listInstances">["instances"][number];

/**
 * Goes from here to each instance that requests go to, as the HAProxy of a Sherlock here would, and passes on what those
 * of others have found.
 * @param caFile `haproxy.ca_file` of this machine's Sherlock; `all`, whether each is tried, however many there are.
 */
export async function checkInstances(
  machine: Machine,
  client: ApiClient,
  { caFile, all = false }: { readonly caFile: string | null; readonly all?: boolean },
): Promise<Finding[]> {
  const { instances } = await client.ask(endpoints.listInstances);
  const { ok } = findingsOf("instance");
  const live = instances.filter(({ state }) => state === "live");
  const tried = all ? live : spread(live, TRIED_MAX);
  const some =
    tried.length === live.length
      ? []
      : [ok(`${tried.length} of ${count(live.length, "live instance")}`, "tried; `dw doctor --all` tries each")];
  const rest = tried.values();
  const findings: Finding[] = [];
  const work = async (): Promise<void> => {
    for (const instance of rest) findings.push(...(await checkInstance(machine, instance, caFile)));
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS_MAX, tried.length) }, work));
  if (findings.length > 0) return [...some, ...findings.sort((a, b) => (a.subject < b.subject ? -1 : 1))];
  const found = live.length === 0 ? "nothing to reach yet" : "reached from here";
  return [...some, ok(count(tried.length, "live instance"), found)];
}

/** Some of a list, from its beginning to its end: instances of all services and machines, as it is sorted by service. */
function spread<T>(list: readonly T[], max: number): readonly T[] {
  if (list.length <= max) return list;
  return Array.from({ length: max }, (_, i) => list[Math.floor((i * list.length) / max)] as T);
}

async function checkInstance(machine: Machine, instance: Listed, caFile: string | null): Promise<Finding[]> {
  const { service, name, url, watson, findings = [] } = instance;
  const { scheme, host, port, authority, base } = parseInstanceUrl(url, protocolOfUrl(url));
  const failure = await machine.reach({
    host,
    port,
    tls: scheme === "https" || scheme === "amqps" ? (instance.tls ?? { verify: true, serverName: null }) : null,
    caFile,
    http: instance.protocol === "http" ? { path: `${base}/liveness_check`, authority } : null,
  });
  const { error, warning } = findingsOf("instance");
  const subject = `//${service}@${name}`;
  const told = findings.map(({ caller, message }) =>
    warning(subject, `at ${caller}: ${message}`, "`dw status` says what helps"),
  );
  if (failure === null) return told;
  const where = watson === null ? "its machine" : watson;
  const message = `is announced as live, but cannot be reached from here at ${hostPort(host, port)}: ${failure.reason}`;
  return [error(subject, message, remedyOf(failure, { where, host, port })), ...told];
}

function remedyOf(
  { code }: ReachFailure,
  { where, host, port }: { readonly where: string; readonly host: string; readonly port: number },
): string {
  switch (code) {
    case "refused":
      return `let it listen on ${hostPort(host, port)} and not on loopback alone, or correct \`url\` in its service file on ${where}`;
    case "no-name":
      return `set \`host\` in watson.yaml on ${where} to a name or address that resolves everywhere`;
    case "no-answer":
      return `open port ${port} of ${host} to this machine: a firewall or a missing route is in the way`;
    case "no-tls":
      return `mend its certificate, or say in \`tls\` of its service file on ${where} how it is verified; \`haproxy.ca_file\` of sherlock.yaml has the authorities`;
    case "no-http":
      return "mend the answer in the application: HAProxy refuses it, and so do other clients";
  }
}
