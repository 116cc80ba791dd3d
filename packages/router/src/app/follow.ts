import type { DaemonContext } from "@datawire/runtime";
import type { RouterPorts } from "@datawire/protocol";
import type { RouterSettings } from "../config/settings.ts";
import type { ShownTls } from "../config/shown-tls.ts";
import type { DirectoryAccess } from "../directory/access-follower.ts";
import { followDirectory } from "../directory/follow.ts";
import type { Part } from "../processes/part.ts";
import { namesOf } from "./amqp-ports.ts";
import type { RouterParts } from "./assemble.ts";
import { memberOf } from "./inner.ts";
import { reportOf } from "../overview/report.ts";

/** What is told to the directory of this process. */
export interface FollowedAs {
  /** Which process of the router this is; null where it is the only one. */
  readonly part: Part | null;
  /** Where its ports are reached. */
  readonly ports: RouterPorts;
  /** What its ports over TLS show; null without TLS. */
  readonly shown: ShownTls | null;
}

/**
 * Follows the directory that the settings name until the signal aborts: routes, who may come, and certificates.
 * @returns what resolves when that has ended; null where the router works alone.
 */
export async function follow(
  context: DaemonContext<RouterSettings>,
  parts: RouterParts,
  { part, ports, shown }: FollowedAs,
): Promise<{ readonly ended: Promise<void> } | null> {
  const { settings, log, clock, board, signal } = context;
  const { sources, allotments, services } = parts;
  const { directories: replicas, proof, host: name, dataDir } = settings;
  if (replicas.length === 0) return null;
  const getsCertificate = settings.tls?.own === null && shown !== null;
  const followed = await followDirectory(
    { replicas, ...proof, ...(await memberOf(part, { host: name, dataDir })) },
    {
      clock,
      log,
      board,
      random: Math.random,
      report: () => reportOf(sources, ports),
      allotments,
      onTable: (table) => services.follow(table),
      url: () => `amqp://${ports.amqp}`,
      onAccess: (access) => takeAccess(access, parts, context),
      ...(getsCertificate && { certificate: { names: namesOf(name), show: (next) => shown.replace(next) } }),
    },
  );
  return { ended: followed.run(signal) };
}

/** From now on lets in those whom the directory names, and checks again those who are connected. */
function takeAccess(
  { asks, tokens: known }: DirectoryAccess,
  { tokens, allotments, services, peers }: RouterParts,
  { settings, board }: DaemonContext<RouterSettings>,
): void {
  tokens.set(known);
  for (const follower of [allotments, services]) follower.belongTo(tokens.onlyTenant);
  for (const peer of peers) peer.review();
  const isFutile = settings.auth?.tokens === true && !asks;
  const message = "`auth: { mode: token }`, and the directory asks nobody who they are: there is no token to come with";
  const remedy = "set `auth: { mode: token }` in directory.yaml, or `users` here";
  board.set("tokens", isFutile ? [{ subject: "auth", message, remedy }] : []);
}
