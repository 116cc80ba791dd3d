import { type ApiClient, endpoints } from "@datawire/api";
import { useCallback } from "react";
import { dwCommand } from "../../core/command.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";

/** What is done to an instance. */
export type DrainVerb = "Drain" | "Resume";

interface DrainDialogProps {
  readonly verb: DrainVerb;
  /** `//SERVICE@INSTANCE` */
  readonly instance: string;
  readonly onClose: () => void;
}

/** Takes an instance out of the pool, or lets it back in. */
export function DrainDialog({ verb, instance, onClose }: DrainDialogProps) {
  const isDrain = verb === "Drain";
  const change = useCallback(
    (client: ApiClient, dryRun: boolean): Promise<Outcome> =>
      client.ask(isDrain ? endpoints.drainInstance : endpoints.resumeInstance, { body: { instance, dryRun } }),
    [isDrain, instance],
  );
  return (
    <ChangeDialog
      title={verb}
      confirm={verb}
      command={dwCommand("instance", isDrain ? "drain" : "resume", instance)}
      change={change}
      done={isDrain ? `${instance} is drained.` : `${instance} is back.`}
      isUndoable
      onClose={onClose}
    >
      <p>
        {isDrain
          ? `${instance} gets no new requests; those it has are finished.`
          : `${instance} gets requests again as soon as its Watson finds it live.`}
      </p>
    </ChangeDialog>
  );
}
