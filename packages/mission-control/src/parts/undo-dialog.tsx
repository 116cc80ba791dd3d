import { type ApiClient, endpoints } from "@datawire/api";
import { dwCommand } from "../core/command.ts";
import { ChangeDialog, type Outcome } from "./change-dialog.tsx";

async function undo(client: ApiClient, dryRun: boolean): Promise<Outcome> {
  const answer = await client.ask(endpoints.undo, { body: { dryRun } });
  return { ...answer, text: `Takes back: ${answer.undone}` };
}

/** Takes back the last change that is not undone yet. */
export function UndoDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <ChangeDialog
      title="Undo"
      confirm="Undo"
      command={dwCommand("route", "undo")}
      change={undo}
      done="The last change is taken back."
      onClose={onClose}
    />
  );
}
