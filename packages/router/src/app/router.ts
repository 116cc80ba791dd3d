import { aborted, type DaemonContext } from "@datawire/runtime";
import type { RouterSettings } from "../config/settings.ts";
import type { Part } from "../processes/part.ts";
import { createAnswers } from "./answers.ts";
import { assembleRouter, type RouterParts } from "./assemble.ts";
import { every } from "./every.ts";
import { follow } from "./follow.ts";
import { openPorts } from "./open-ports.ts";

/** How often what goes by time is looked at. */
const TICK_MS = 1_000;

/**
 * Runs a router until the signal aborts; then it ends its connections, and writes what is left to be written.
 * @param part which process of a router this is that has several; null where it is the only one.
 */
export async function runRouter(context: DaemonContext<RouterSettings>, part: Part | null = null): Promise<void> {
  const { log, clock, signal, readiness } = context;
  const parts = await assembleRouter(context, part);
  if (parts === null) return;
  const { broker, services, moves, sources, registry, manage, peer } = parts;

  const ports = await openPorts(context, parts, part);
  const { inner, shown } = ports;
  const following = await follow(context, parts, { part, ports: ports.reached, shown });
  const cancelTick = every(clock, TICK_MS, () => tick(parts, clock.monotonicMs()));
  readiness.seal();
  part?.ready(createAnswers({ sources, registry, manage, inner, moves }));
  moves.resume();
  if (part === null) log.info("Router is ready", ports.told);
  else log.debug("Process is ready", { process: part.seat.index });

  await aborted(signal);
  cancelTick();
  moves.close();
  peer.temporaries.close();
  await Promise.all([ports.closeClients(), following?.ended]);
  await inner?.close();
  await services.close();
  await broker.close();
  await ports.closeAdmin();
  await parts.unlock();
  part?.close();
}

/** Does what is due by time: expiry, links to services, rights that have ended, rates. */
function tick({ broker, services, peers, upstreams, rates }: RouterParts, nowMs: number): void {
  broker.tick();
  services.reconcile();
  for (const peer of peers) peer.review();
  rates.note(nowMs, [...broker.kept, ...broker.direct, ...upstreams.addresses]);
}
