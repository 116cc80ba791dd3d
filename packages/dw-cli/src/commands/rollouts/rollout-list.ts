import { endpoints } from "@datawire/api";
import { rolloutShare, rolloutState } from "./rollout-text.ts";
import { formatAge } from "../../core/span.ts";
import { flag, type RunCommand } from "../../context/dw.ts";

/** The rollouts that go on; with `--all` those that have ended too. */
export const run: RunCommand = async (dw, input) => {
  const answer = await dw.client.ask(endpoints.listRollouts);
  const rollouts = answer.rollouts.filter(({ endedAt }) => endedAt === null || flag(input, "all"));
  if (flag(input, "json")) return dw.output.json(rollouts);
  if (rollouts.length === 0)
    return dw.output.note(answer.rollouts.length === 0 ? "there was no rollout yet" : "no rollout goes on; see --all");
  dw.output.table({
    columns: [
      { title: "ID" },
      { title: "TARGET", shrink: 3 },
      { title: "FROM", shrink: 2 },
      { title: "STATE" },
      { title: "STEP", align: "right" },
      { title: "SHARE", align: "right" },
      { title: "SINCE", shrink: 1 },
      { title: "BY", shrink: 0 },
    ],
    rows: rollouts.map((rollout) => [
      rollout.id,
      rollout.target,
      rollout.from ?? "any caller",
      rolloutState(rollout),
      `${rollout.step + 1}/${rollout.steps.length}`,
      rolloutShare(rollout),
      formatAge(rollout.startedAt, dw.clock.nowMs()),
      rollout.by,
    ]),
  });
};
