import { type Answer, endpoints } from "@datawire/api";
import { formatSpan } from "../../core/span.ts";
import { type Dw, flag, type Input, optionList, optionText, type RunCommand } from "../../context/dw.ts";
import { misuse } from "../../context/operands.ts";
import { type GivenPlan, readRolloutFile } from "./rollout-file.ts";
import { stepTable } from "./rollout-text.ts";
import { waitForRollout } from "./rollout-follow.ts";

/** Takes a version from a small share to all, as long as its checks pass. */
export const run: RunCommand = async (dw, input) => {
  const dryRun = flag(input, "dryRun");
  const json = flag(input, "json");
  const { file, blame } = await readRolloutFile(optionText(input, "file") ?? undefined, {
    given: givenPlan(input),
    env: dw.env,
  });
  const answer = await dw.client.ask(endpoints.startRollout, { body: { ...file, dryRun } }).catch(blame);
  const [rollout] = answer.rollouts;
  if (rollout === undefined) throw new Error("Cannot start the rollout: the directory has answered with none");
  for (const note of answer.notes) dw.output.note(note);
  const isWaited = flag(input, "wait") && !dryRun;
  if (json && !isWaited) {
    const { needs, notes, changed, distribution } = answer;
    return dw.output.json({ ...rollout, needs, notes, changed, distribution });
  }
  if (dryRun) return tellDryRun(dw, answer);
  if (!json) dw.output.line(`Rollout ${rollout.id} of ${rollout.target} has begun with ${rollout.steps[0]?.share}%`);
  if (isWaited) return waitForRollout(dw, rollout, json);
};

function givenPlan(input: Input): GivenPlan {
  const [target] = input.operands;
  const text = (name: string): string | undefined => optionText(input, name) ?? undefined;
  return {
    target,
    from: text("from"),
    steps: text("steps"),
    checks: optionList(input, "check"),
    // Of an option that begins with `--no-`, commander calls the value by what follows.
    no_data: text("data"),
    undecided: text("undecided"),
    minimum: readMinimum(text("minimum")),
    step_timeout: text("stepTimeout"),
    confidence: text("confidence"),
    sticky: text("sticky"),
    finish: text("finish"),
  };
}

function readMinimum(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw misuse(`Cannot use ${JSON.stringify(text)} as --minimum: wanted a number of requests, such as 20`);
}

function tellDryRun({ output }: Dw, { rollouts, needs }: Answer<"startRollout">): void {
  output.line("Nothing is changed; it would be:");
  for (const rollout of rollouts) {
    const { columns, rows } = stepTable(rollout);
    output.table({ columns: columns.slice(0, 3), rows: rows.map((row) => row.slice(0, 3)) });
    if (needs.length === 0) continue;
    output.line();
    output.table({
      columns: [
        { title: "CHECK", shrink: 1 },
        { title: "NEEDS", align: "right" },
        ...rollout.steps.map(({ share }) => ({ title: `AT ${share}%`, align: "right" as const })),
      ],
      rows: needs.map(({ name, requests, seconds }) => [
        name,
        requests === null ? "errors of the primary" : `${requests} requests`,
        ...seconds.map((one) => (one === null ? "-" : formatSpan(one * 1_000))),
      ]),
    });
  }
}
