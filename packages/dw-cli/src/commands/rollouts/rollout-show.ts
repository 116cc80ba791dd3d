import { stepTable } from "./rollout-text.ts";
import { formatAge } from "../../core/span.ts";
import { flag, operand, type RunCommand } from "../../context/dw.ts";
import { askRollout, followRollout, lineTeller } from "./rollout-follow.ts";

/** One rollout with its steps and what their checks say. */
export const run: RunCommand = async (dw, input) => {
  const rollout = await askRollout(dw, operand(input, 0));
  const json = flag(input, "json");
  if (flag(input, "follow")) {
    dw.endBySignal();
    const tell = json ? (one: typeof rollout) => dw.output.jsonLine(one) : lineTeller(dw);
    await followRollout(dw, rollout, { tell, isEnd: ({ endedAt }) => endedAt !== null });
    return;
  }
  if (json) return dw.output.json(rollout);
  const { id, target, from, state, reason, by, startedAt, endedAt } = rollout;
  const now = dw.clock.nowMs();
  dw.output.styled(["strong", `rollout ${id}`], ["plain", ` of ${target} for ${from ?? "any caller"}: ${state}`]);
  if (reason !== null) dw.output.line(reason);
  const ended = endedAt === null ? "" : `, ended ${formatAge(endedAt, now)} ago`;
  dw.output.line(`started by ${by} ${formatAge(startedAt, now)} ago${ended}`);
  dw.output.line();
  dw.output.table(stepTable(rollout));
};
