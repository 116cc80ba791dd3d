import type { Answer } from "@datawire/api";
import { count, formatAge } from "../../core/span.ts";
import { type StatusProblem, statusProblems } from "../../core/status-problems.ts";
import { type Style, type TextTable, cell } from "../../core/text-table.ts";
import { inSight, type Output } from "../../context/output.ts";

/** One directory as `dw status` found it: its answer, or the reason for none. */
export interface StatusSection {
  readonly address: string;
  readonly status: Answer<"status"> | null;
  readonly error: string | null;
}

/** Prints the status of some directories: all problems, then each directory with its clients. */
export function printStatus(output: Output, sections: readonly StatusSection[], nowMs: number): void {
  const problems = sections.flatMap(({ address, status, error }) =>
    status === null ? [unreachable(address, error)] : statusProblems(status),
  );
  const { shown, left } = inSight(output, problems);
  for (const { severity, subject, message, remedy } of shown) {
    output.styled([severity === "error" ? "bad" : "warning", `${severity}: `], ["plain", `${subject}: ${message}`]);
    if (remedy !== null) output.line(`  ${remedy}`);
  }
  const untold = sections.reduce((sum, { status }) => sum + untoldOf(status), 0);
  if (left + untold > 0)
    output.line(`and ${count(left + untold, "problem")} more, none of them worse${howToSee(left, untold)}`);
  if (problems.length === 0) output.styled(["good", "No problems"]);
  for (const { address, status } of sections) {
    if (status === null) continue;
    output.line();
    printDirectory(output, address, { status, nowMs });
  }
}

/** How many problems a directory has beyond those that it lists. */
const untoldOf = (status: StatusSection["status"]): number =>
  status === null ? 0 : Math.max(0, (status.counts.problems ?? 0) - status.problems.length);

function howToSee(left: number, untold: number): string {
  if (left === 0) return ", which the directory leaves out";
  return untold === 0 ? `: ${ALL}` : `: ${ALL} but the ${untold} that the directory leaves out`;
}

const ALL = "`dw status | less` has all";

function unreachable(address: string, error: string | null): StatusProblem {
  return {
    severity: "error",
    subject: address,
    message: `Cannot reach the directory: ${error ?? "no answer"}`,
    remedy: "start it there with `directory`, or leave its address out of -d and the settings",
  };
}

type Status = Answer<"status">;

function printDirectory(
  output: Output,
  address: string,
  { status, nowMs }: { readonly status: Status; readonly nowMs: number },
): void {
  const { directory, counts } = status;
  const known = directory.address === address ? "" : ` (asked as ${address})`;
  output.styled(
    ["strong", directory.address],
    ["plain", `${known}  `],
    [STATE_STYLES[directory.state], directory.state],
    ["plain", `  version ${directory.version}, ${directory.store} store, up ${formatAge(directory.startedAt, nowMs)}`],
  );
  const parts = [
    count(counts.services, "service"),
    count(counts.instances, "instance"),
    count(counts.routes, "route"),
  ].join(", ");
  output.line(`  revision ${directory.revision}, ${parts}`);
  for (const table of [replicaTable, watsonTable, routerTable, sherlockTable]) {
    const { columns, rows } = table(status, nowMs);
    if (rows.length === 0) continue;
    output.line();
    const { shown, left } = inSight(output, worstFirst(rows));
    output.table({ columns, rows: left === 0 ? rows : shown });
    if (left > 0) output.line(`and ${left} more: ${ALL}`);
  }
}

/** Those first of which something is the matter, each in the order that they came in. */
function worstFirst(rows: TextTable["rows"]): TextTable["rows"] {
  const isWell = (row: TextTable["rows"][number]): boolean =>
    row.every((one) => typeof one === "string" || one.style === "good");
  return [...rows.filter((row) => !isWell(row)), ...rows.filter(isWell)];
}

/** The directories on one store; no rows for a single one. */
function replicaTable({ replicas = [] }: Status, nowMs: number): TextTable {
  return {
    columns: [{ title: "REPLICA", shrink: 1 }, { title: "VERSION" }, { title: "UP" }],
    rows:
      replicas.length < 2
        ? []
        : replicas.map(({ address, self, version, startedAt }) => [
            self ? `${address} (answers)` : address,
            version,
            formatAge(startedAt, nowMs),
          ]),
  };
}

function watsonTable({ watsons }: Status, nowMs: number): TextTable {
  return {
    columns: [
      { title: "WATSON", shrink: 1 },
      { title: "STATE" },
      { title: "INSTANCES", align: "right" },
      { title: "VERSION", shrink: 0 },
      { title: "SINCE" },
    ],
    rows: watsons.map(({ name, state, instances, version, since }) => [
      name,
      cell(state, state === "connected" ? "good" : "warning"),
      String(instances),
      version,
      formatAge(since, nowMs),
    ]),
  };
}

function routerTable({ routers = [] }: Status, nowMs: number): TextTable {
  return {
    columns: [
      { title: "ROUTER", shrink: 1 },
      { title: "ADDRESS" },
      { title: "PROBLEMS", align: "right" },
      { title: "VERSION", shrink: 0 },
      { title: "SINCE" },
    ],
    rows: routers.map(({ name, address, problems, version, since }) => [
      name,
      address ?? "-",
      cell(String(problems.length), problems.length === 0 ? "good" : "warning"),
      version,
      formatAge(since, nowMs),
    ]),
  };
}

function sherlockTable({ sherlocks }: Status, nowMs: number): TextTable {
  return {
    columns: [
      { title: "SHERLOCK", shrink: 1 },
      { title: "REVISION", align: "right" },
      { title: "BEHIND", align: "right" },
      { title: "VERSION", shrink: 0 },
      { title: "SINCE" },
    ],
    rows: sherlocks.map(({ name, revision, lag, version, since }) => [
      name,
      revision === null ? "-" : String(revision),
      cell(lag === null ? "-" : String(lag), lag === 0 ? "good" : "warning"),
      version,
      formatAge(since, nowMs),
    ]),
  };
}

const STATE_STYLES: Readonly<Record<Status["directory"]["state"], Style>> = {
  ready: "good",
  warming: "warning",
  "read-only": "bad",
};
