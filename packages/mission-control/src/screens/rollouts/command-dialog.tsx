import { type ApiClient, endpoints, type RolloutListing } from "@datawire/api";
import { useCallback } from "react";
import { dwCommand } from "../../core/command.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";

/** What can be said to a rollout that goes on. */
export type RolloutVerb = "Pause" | "Resume" | "Abort" | "Promote";

const COMMANDS = {
  Pause: { endpoint: endpoints.pauseRollout, verb: "pause", done: "is paused." },
  Resume: { endpoint: endpoints.resumeRollout, verb: "resume", done: "goes on." },
  Abort: { endpoint: endpoints.abortRollout, verb: "abort", done: "is aborted; the routes from before are back." },
  Promote: { endpoint: endpoints.promoteRollout, verb: "promote", done: "goes to its end." },
} as const;

const ASKED: Readonly<Record<RolloutVerb, string>> = {
  Pause: "The shares stay as they are, and nothing is judged until it is resumed.",
  Resume: "It goes on at the step where it stands.",
  Abort: "It ends, and the routes from before it come back in one change.",
  Promote: "It goes to its end at once, without waiting for its checks.",
};

interface CommandDialogProps {
  readonly verb: RolloutVerb;
  readonly rollout: RolloutListing;
  readonly onClose: () => void;
}

/** Commands a rollout. */
export function CommandDialog({ verb, rollout: { id, target }, onClose }: CommandDialogProps) {
  const { endpoint, verb: word, done } = COMMANDS[verb];
  const change = useCallback(
    (client: ApiClient, dryRun: boolean): Promise<Outcome> =>
      client.ask(endpoint, { params: { rollout: id }, body: { dryRun } }),
    [endpoint, id],
  );
  return (
    <ChangeDialog
      title={verb}
      confirm={verb}
      isAlert={verb === "Abort"}
      command={dwCommand("rollout", word, id)}
      change={change}
      done={`The rollout of ${target} ${done}`}
      onClose={onClose}
    >
      <p>{ASKED[verb]}</p>
    </ChangeDialog>
  );
}
