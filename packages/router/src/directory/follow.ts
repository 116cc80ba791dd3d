import { join } from "node:path";
import type { Catalog } from "@datawire/catalog";
import { type DirectoryAddress, isName, type RouterReport } from "@datawire/protocol";
import {
  type CatalogFollower,
  type CatalogUpdate,
  type Connect,
  openCatalogFollower,
  runLink,
  type TlsSettings,
} from "@datawire/link";
import { type Clock, type Logger, type ProblemBoard, VERSION } from "@datawire/runtime";
import { AccessFollower, type DirectoryAccess } from "./access-follower.ts";
import { loadIdentity } from "./identity.ts";
import { CertificateFollower, type CertificateFollowerDeps } from "./certificate-follower.ts";
import { Counting } from "./counting.ts";
import { Registrar } from "./registrar.ts";
import type { Allotments } from "../routing/allotments.ts";
import { Reporter } from "./reporter.ts";

/** Which directory a router follows, and as whom. */
export interface FollowConfig {
  /** The addresses of one directory; more than one where it is replicated. Never empty. */
  readonly replicas: readonly DirectoryAddress[];
  readonly token: string | null;
  readonly tls: TlsSettings | null;
  /** The name that the router is known by. */
  readonly host: string;
  /** Where the last table is kept. */
  readonly dataDir: string;
}

/** What the directory is followed with, and who is told. */
export interface FollowDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly board: ProblemBoard;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Where the router is reached, and what there is of addresses and links now. */
  readonly report: () => RouterReport;
  /** What goes by the table, and says who receives here. */
  readonly allotments: Allotments;
  /** The table, once it is there, and each time that it says something new. */
  readonly onTable: (table: Catalog) => void;
  /** Where those who receive here are reached: `amqp://HOST:PORT`. */
  readonly url: () => string;
  /** Who may send and receive, each time that is said; at once what was said last. */
  readonly onAccess: (access: DirectoryAccess) => void;
  /** Left out where the router has certificates of its own, or no TLS. */
  readonly certificate?: Pick<CertificateFollowerDeps, "names" | "show">;
  /** Default: over WebSocket. */
  readonly connect?: Connect;
}

/** The directory, as the router knows it. */
export interface Followed {
  readonly table: Catalog;
  /** Follows until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Opens what is known of the directory: the table that the last run has left, until the directory is reached. */
export async function followDirectory(config: FollowConfig, deps: FollowDeps): Promise<Followed> {
  const { replicas, token, tls, host, dataDir } = config;
  const { clock, log, board, random, allotments, url, onTable, connect } = deps;
  const onUpdate = ({ services }: CatalogUpdate): void => {
    if (services.size > 0) counting.changed();
    allotments.changed();
    onTable(follower.table);
  };
  const { id, problem } = await loadIdentity(join(dataDir, "identity.json"));
  board.set("identity", problem === null ? [] : [problem]);
  const path = join(dataDir, "table.json");
  const follower: CatalogFollower = await openCatalogFollower(
    { services: null, path },
    { clock, log, board, onUpdate },
  );
  const access = new AccessFollower(join(dataDir, "access.json"), deps);
  await access.load();
  const certificates =
    deps.certificate &&
    new CertificateFollower(join(dataDir, "certificate.json"), { ...deps.certificate, clock, log, board });
  await certificates?.load();
  const counting = new Counting({
    clock,
    take: () => allotments.takeSettled(),
    position: () => follower.status().position,
  });
  const registrar = new Registrar({ clock, board, url, members: () => allotments.members() });
  allotments.follow(follower.table, () => registrar.changed());
  onTable(follower.table);
  const reporter = new Reporter(deps);
  const identity = { kind: "router", name: nameOf(host), id, version: VERSION } as const;
  return {
    table: follower.table,
    async run(signal) {
      await runLink(
        { replicas, identity, token, tls, subscribe: follower.subscription },
        {
          clock,
          log,
          board,
          random,
          handler: reporter.handler([access, ...(certificates ? [certificates] : []), follower, registrar, counting]),
          ...(connect && { connect }),
        },
        signal,
      );
      reporter.close();
      registrar.close();
      counting.close();
      await Promise.all([follower.close(), access.saved(), certificates?.close()]);
    },
  };
}

/** A host as a name of the link: in lower case, and what no name may hold as `-`. */
function nameOf(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, "-")
    .slice(0, 100)
    .replace(/^[.-]+|[.-]+$/g, "");
  return isName(name) ? name : "router";
}
