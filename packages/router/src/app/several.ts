import { rm } from "node:fs/promises";
import { type PageHandler, readOnly, sendJson, startAdmin } from "@datawire/http";
import { aborted, type DaemonContext, makePrivateFolder, VERSION } from "@datawire/runtime";
import { AggregatorRegistry, type MetricObject, Registry } from "prom-client";
import type { RouterSettings } from "../config/settings.ts";
import { Crew } from "../processes/crew.ts";
import { claimPort } from "../processes/layout.ts";
import type { Seat } from "../processes/messages.ts";
import { mergeStatus, type PartStatus } from "./answers.ts";
import { consumersHandler } from "../overview/consumers.ts";
import { lockFolder } from "../processes/lock.ts";

/** Runs a router as several processes until the signal aborts; what it is asked at the admin port, it asks these. */
export async function runSeveral(context: DaemonContext<RouterSettings>, seats: readonly Seat[]): Promise<void> {
  const { settings, log, clock, board, signal, readiness } = context;
  const { listen, tls, host } = settings;
  await makePrivateFolder(settings.dataDir);
  const unlock = await lockFolder(settings.dataDir);
  const stopAdmin = new AbortController();
  const crewPorts = {
    amqp: await claimPort(listen, "listen"),
    amqps: tls && (await claimPort(tls.listen, "tls_listen")),
  };
  const crew = new Crew(seats, crewPorts, { clock, log, board, random: Math.random });
  const statuses = async (): Promise<PartStatus[]> => (await crew.askAll({ is: "status" })) as PartStatus[];
  const status: PageHandler = readOnly("/v1/status", (_req, res) => {
    void statuses().then((parts) => {
      const { queues, links } = mergeStatus(parts);
      const problems = [...board.list(), ...parts.flatMap(({ problems: own }) => own)];
      sendJson(res, 200, { host, version: VERSION, queues, links, problems });
    });
  });
  const consumers = consumersHandler(async () => {
    const parts = await statuses();
    return { links: parts.flatMap(({ links }) => links), tenant: parts[0]?.tenant ?? null };
  });
  const registry = {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    metrics: async (): Promise<string> => {
      const all = (await crew.askAll({ is: "metrics" })) as MetricObject[][];
      return AggregatorRegistry.aggregate(all).metrics();
    },
  };
  const admin =
    settings.admin &&
    (await startAdmin(
      { listen: settings.admin, setting: "admin" },
      { readiness, registry, log, handlers: [status, consumers] },
      stopAdmin.signal,
    ));
  try {
    await crew.start();
    readiness.seal();
    log.info("Router is ready", {
      address: listen.host,
      port: crewPorts.amqp,
      ...(admin !== null && { admin: admin.address.port }),
      processes: seats.length,
    });
    await aborted(signal);
  } finally {
    await crew.stop();
    stopAdmin.abort();
    await admin?.closed;
    await rm(seats[0]?.folder ?? "", { recursive: true, force: true });
    await unlock();
  }
}
