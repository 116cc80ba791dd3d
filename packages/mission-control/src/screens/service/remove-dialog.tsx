import { type ApiClient, endpoints, type RouteListing } from "@datawire/api";
import { useCallback } from "react";
import { dwCommand } from "../../core/command.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";

interface RemoveDialogProps {
  readonly route: RouteListing;
  readonly onClose: () => void;
}

/** Takes a route away. */
export function RemoveDialog({ route, onClose }: RemoveDialogProps) {
  const { caller, service, target } = route;
  const isService = route.reading === "service";
  const source = isService || caller === "*" ? `//${service}` : `//${caller}`;
  // The short form says enough where the source is the service of the target.
  const reading = isService ? "service" : caller === "*" ? undefined : "caller";
  const change = useCallback(
    (client: ApiClient, dryRun: boolean): Promise<Outcome> =>
      client.ask(endpoints.removeRoute, { body: { source, target, dryRun, ...(reading ? { reading } : {}) } }),
    [source, target, reading],
  );
  return (
    <ChangeDialog
      title="Remove route"
      confirm="Remove"
      isAlert
      command={dwCommand("route", "remove", reading === undefined ? null : `--${reading}`, source, target)}
      change={change}
      done={`The route of ${caller === "*" ? "any caller" : caller} to ${target} is removed.`}
      isUndoable
      onClose={onClose}
    />
  );
}
