import { type BlockLine, blockOf, lineName } from "../model/block-lines.ts";
import { PAIR_SIZE, pairOf } from "../model/blocks.ts";
import { BLOCK_SIZE } from "../model/prefixes.ts";
import type { Plan } from "../model/plan.ts";
import type { Running, RunningBlock, RunningServer } from "../model/running.ts";
import { apart } from "./apart.ts";
import { isSpareName, OWN_NAME, type Rename } from "../model/spares.ts";

/** Readers of what HAProxy answers on its sockets. */

/** SRV_ADMF_FMAINT, IMAINT, RMAINT, HMAINT and the two of drain (management guide, "show servers state"). */
const ADMIN_OUT = 0x01 | 0x02 | 0x20 | 0x40 | 0x08 | 0x10;

/** The servers by backend, of `show servers state`; those of internal use, named in upper case, are left out. */
export function parseServersState(answer: string): Running["servers"] {
  const servers = new Map<string, Map<string, RunningServer>>();
  for (const { server } of rowsOf(answer)) {
    if (server === null) continue;
    const { backend, name, address, ...state } = server;
    const members = servers.get(backend) ?? new Map<string, RunningServer>();
    members.set(apart(name), { ...state, address: apart(address) });
    if (members.size === 1) servers.set(apart(backend), members);
  }
  return servers;
}

/**
 * Of `show servers state`, what a new worker is to begin with: where the plan has a server otherwise, the
 * configuration says how it is, and what was set before must not come after it.
 * @param own which backend a spare one is, that the new worker has under its own name.
 */
export function agreeingState(answer: string, planned: Plan["servers"], own: Rename = OWN_NAME): string {
  const lines = rowsOf(answer).filter(({ server }) => {
    const other = server === null ? null : planned.get(own(server.backend))?.get(server.name);
    if (server === null || other === null) return true;
    const keys = ["ready", "address", "port", "weight"] as const;
    return other !== undefined && keys.every((key) => server[key] === other[key]);
  });
  return lines
    .map(({ line, server }) =>
      server === null ? line : line.replace(` ${server.backend} `, ` ${own(server.backend)} `),
    )
    .join("\n");
}

/** Each backend of a service has a colon in its name, and one that it has in a spare one may have the name of that. */
function isOfService(backend: string): boolean {
  return backend.includes(":") || isSpareName(backend);
}

interface Row {
  readonly line: string;
  /** Null for one that is of no service, and for what is no server. */
  readonly server: (RunningServer & { readonly backend: string; readonly name: string }) | null;
}

function rowsOf(answer: string): Row[] {
  let columns: string[] = [];
  return answer.split("\n").map((line): Row => {
    if (line.startsWith("# ")) columns = line.slice(2).trim().split(" ");
    const fields = line.split(" ");
    const field = (name: string): string => fields[columns.indexOf(name)] ?? "";
    const [backend, name] = [field("be_name"), field("srv_name")];
    if (line.startsWith("# ") || !isOfService(backend) || name.startsWith("FB.")) return { line, server: null };
    const server = {
      backend,
      name,
      address: field("srv_addr"),
      port: Number(field("srv_port")),
      weight: Number(field("srv_uweight")),
      ready: (Number(field("srv_admin_state")) & ADMIN_OUT) === 0,
      id: Number(field("srv_id")),
    };
    return { line, server };
  });
}

/** The entries of `show map FILE`. */
export function parseMap(answer: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of answer.split("\n")) {
    const match = /^0x[0-9a-f]+ (\S+) ?(.*)$/.exec(line);
    if (match !== null) entries.set(match[1] as string, match[2] as string);
  }
  return entries;
}

/**
 * The blocks that lines make up, with the half that a pointer points to. Lines that nothing points to, of a
 * switch that was broken off, count to the half in use, so that the next switch removes them.
 */
export function blocksOf(lines: Iterable<BlockLine>, pointers: Iterable<number>): Running["blocks"] {
  const halves = new Map<number, 0 | 1>();
  for (const pointer of pointers) {
    halves.set(pairOf(pointer), pointer % PAIR_SIZE >= BLOCK_SIZE ? 1 : 0);
  }
  const blocks = new Map<number, { half: 0 | 1; lines: Map<string, BlockLine> }>();
  for (const line of lines) {
    const base = pairOf(blockOf(line));
    const block = blocks.get(base) ?? { half: halves.get(base) ?? 0, lines: new Map<string, BlockLine>() };
    block.lines.set(lineName(line), line);
    blocks.set(base, block);
  }
  return new Map([...blocks].map(([base, block]): [number, RunningBlock] => [base, { ...block, block: null }]));
}

/** The description that a worker gives of itself, from `show info`. */
export function parseDescription(answer: string): string | null {
  return /^[Dd]escription: (.*)$/m.exec(answer)?.[1]?.trim() ?? null;
}

/** The sessions of `show sess`, each with its server as `BACKEND/SERVER`. */
export function parseSessions(answer: string): { readonly id: string; readonly server: string }[] {
  return [...answer.matchAll(/^(0x[0-9a-f]+): .*? be=(\S+) srv=(\S+) /gm)].map(([, id = "", backend, server]) => ({
    id,
    server: `${backend}/${server}`,
  }));
}

/**
 * The answer to `reload` once it is over, since HAProxy 2.7; null where the answer does not say how it ended, as before
 * 2.7, or when another reload was under way.
 */
export function parseReload(answer: string): { readonly ok: boolean; readonly alerts: string } | null {
  const said = /^Success=([01])/m.exec(answer);
  if (said === null) return null;
  const alerts = answer.split("\n").filter((line) => line.includes("[ALERT]"));
  return { ok: said[1] === "1", alerts: alerts.map(withoutPrefix).join("; ") };
}

/** A complaint of HAProxy without its severity and process id. */
export function withoutPrefix(alert: string): string {
  return alert.replace(/^\[ALERT\]\s*\(\d+\)\s*:\s*/, "").trim();
}

/** What `show proc` says of a master. */
export interface MasterState {
  readonly pid: number;
  readonly workers: readonly number[];
  readonly oldWorkers: readonly number[];
  /** Reloads since it started, failed ones too. */
  readonly reloads: number;
  /** Reloads that failed since the last good one. */
  readonly failed: number;
}

/** Reads the master's answer to `show proc`; null for anything else, as while it restarts. */
export function parseShowProc(answer: string): MasterState | null {
  // Up to 2.4 with a relative PID before the number of reloads.
  const master = /^(\d+)\s+master\s+(?:\d+\s+)?(\d+)\s+(?:\[failed: (\d+)\]\s+)?\d+d/m.exec(answer);
  if (master === null) return null;
  const [current = "", old = ""] = answer.split("# old workers");
  const workers = (text: string): number[] =>
    [...text.matchAll(/^(\d+)\s+worker\s/gm)].map((match) => Number(match[1]));
  return {
    pid: Number(master[1]),
    workers: workers(current),
    oldWorkers: workers(old),
    reloads: Number(master[2]),
    failed: Number(master[3] ?? 0),
  };
}
