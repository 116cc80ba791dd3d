import { type ExitCode, ConfigError, describeError, exitCodes, formatProblem } from "@datawire/runtime";
import { type Finding, findingsOf } from "../../doctor/finding.ts";
import { checkDirectories } from "../../doctor/check-directories.ts";
import { checkInstances } from "../../doctor/check-instances.ts";
import { checkMachine } from "../../doctor/check-machine.ts";
import { type Machine, type Needs, PROGRAMS, type Program } from "../../doctor/machine.ts";
import { type Dw, flag } from "../../context/dw.ts";
import type { Local, RunLocal } from "../../grammar/command.ts";
import { count } from "../../core/span.ts";
import { type Style, cell } from "../../core/text-table.ts";
import { inSight, type Output } from "../../context/output.ts";

/** Looks for what would keep the programs of this machine from their work, and says what to fix. */
export const run: RunLocal = async (local, input): Promise<ExitCode> => {
  const { env, output } = local;
  const chosen = PROGRAMS.filter((program) => input.operands.includes(program));
  const programs: readonly Program[] = chosen.length > 0 ? chosen : PROGRAMS;
  const machine = await local.machine();
  const needs = await machine.needs(programs, env);
  const [here, elsewhere] = await Promise.all([
    checkMachine(machine, needs),
    checkNetwork(local, needs, { machine, all: flag(input, "all") }),
  ]);
  const findings = [...needs.findings, ...here, ...elsewhere];
  if (flag(input, "json")) output.json(findings);
  else print(output, findings);
  return findings.some(({ state }) => state === "error") ? exitCodes.failed : exitCodes.done;
};

async function checkNetwork(
  { connect }: Local,
  needs: Needs,
  { machine, all }: { readonly machine: Machine; readonly all: boolean },
): Promise<Finding[]> {
  const { error } = findingsOf("settings");
  let dw: Dw;
  try {
    dw = await connect();
  } catch (failure) {
    const problems = failure instanceof ConfigError ? failure.problems.map(formatProblem) : [describeError(failure)];
    return problems.map((problem) =>
      error("dw", problem, "correct it; `dw config list` shows where settings come from"),
    );
  }
  const own = dw.directories.map((at) => ({ at, isSet: true }));
  const { findings, client } = await checkDirectories(dw, [...own, ...needs.directories]);
  if (client === null) return [...findings];
  try {
    return [...findings, ...(await checkInstances(machine, client, { caFile: needs.haproxy?.caFile ?? null, all }))];
  } catch (failure) {
    return [
      ...findings,
      findingsOf("instance").warning(
        "instances",
        describeError(failure),
        "they could not be listed, so none was tried",
      ),
    ];
  }
}

const STYLES: Readonly<Record<Finding["state"], Style>> = { ok: "good", warning: "warning", error: "bad" };

function print(output: Output, findings: readonly Finding[]): void {
  const fine = findings.filter(({ state }) => state === "ok");
  if (fine.length > 0) {
    output.table({
      columns: [{ title: "" }, { title: "CHECK" }, { title: "OF", shrink: 2 }, { title: "FOUND", shrink: 1 }],
      rows: fine.map(({ state, check, subject, message }) => [cell(state, STYLES[state]), check, subject, message]),
    });
  }
  // Problems come last, where they stay on the screen, and untruncated.
  const wrong = ["warning", "error"].flatMap((state) => findings.filter((finding) => finding.state === state));
  // The worst come first in what is cut short, and last where all fits.
  const { shown, left } = inSight(output, wrong.toReversed());
  for (const { state, check, subject, message, remedy } of shown.toReversed()) {
    output.line();
    output.styled([STYLES[state], `${state}: `], ["plain", `${check} ${subject}: ${message}`]);
    if (remedy !== null) output.line(`  fix: ${remedy}`);
  }
  if (left > 0) {
    output.line();
    output.line(`and ${count(left, "finding")} more, none of them worse: \`dw doctor | less\` has all`);
  }
  output.line();
  const errors = wrong.filter(({ state }) => state === "error").length;
  if (wrong.length === 0) output.styled(["good", "Nothing is wrong"]);
  else output.line(`${count(errors, "error")}, ${count(wrong.length - errors, "warning")}`);
}
