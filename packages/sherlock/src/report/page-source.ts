import type { CatalogFollower } from "@datawire/link";
import { DownTable } from "@datawire/catalog";
import { listService } from "@datawire/routing";
import { formatListenAddress } from "@datawire/runtime";
import { type Page, renderPage } from "../core/observe/page.ts";
import type { ProxyFindings } from "./proxy-findings.ts";
import type { Planning } from "../inputs/planning.ts";

/** What the page of services is made of. */
export interface PageDeps {
  readonly settings: { readonly name: string };
  readonly follower: Pick<CatalogFollower, "table" | "status">;
  readonly planning: Pick<Planning, "current">;
  readonly findings: Pick<ProxyFindings, "unreachable">;
}

/** Makes the list of services at `/` of the table as it is. */
export function listPage({ settings, follower, planning, findings }: PageDeps): (accept: string) => Page {
  return (accept) => {
    const table = new DownTable(follower.table, findings.unreachable());
    const listeners = planning.current?.structure.tcpListeners.values() ?? [];
    return renderPage(
      {
        caller: settings.name,
        services: [...table.serviceNames()].sort().flatMap((name) => listService(table, name) ?? []),
        tcp: new Map([...listeners].map((listener) => [listener.service, formatListenAddress(listener)])),
        notice: noticeOf(follower.status()),
      },
      accept,
    );
  };
}

function noticeOf({ origin, connected, ageMs }: ReturnType<CatalogFollower["status"]>): string | null {
  if (origin === "none") return "No directory has been heard from yet.";
  if (connected) return null;
  return `The directory is out of reach: this is as it was ${Math.round((ageMs ?? 0) / 1_000)} s ago.`;
}
