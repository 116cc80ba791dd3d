import { type ApiClient, endpoints } from "@datawire/api";
import { useCallback, useState } from "react";
import { dwCommand } from "../../core/command.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { ChoiceField } from "../../parts/field.tsx";
import { generationsOf, type ServiceFacts } from "./data.ts";

interface PromoteDialogProps {
  readonly facts: ServiceFacts;
  readonly onClose: () => void;
}

/** Makes another version the primary. */
export function PromoteDialog({ facts: { service }, onClose }: PromoteDialogProps) {
  const name = service.service;
  const [others] = useState(() =>
    generationsOf(service.instances).filter((generation) => generation !== (service.primary ?? "")),
  );
  const [version, setVersion] = useState(others[0] ?? "");
  const change = useCallback(
    (client: ApiClient, dryRun: boolean): Promise<Outcome> =>
      client.ask(endpoints.promoteService, {
        params: { service: name },
        body: { generation: version === "" ? null : version, dryRun },
      }),
    [name, version],
  );
  const target = version === "" ? `//${name}` : `//${name}(${version})`;
  return (
    <ChangeDialog
      title="Promote"
      confirm="Promote"
      command={others.length === 0 ? null : dwCommand("service", "promote", target)}
      missing={others.length === 0 ? `${name} has instances of no other version` : null}
      change={change}
      done={`${target} is the primary.`}
      isUndoable
      onClose={onClose}
    >
      <ChoiceField
        label="Version"
        value={version}
        onChange={setVersion}
        options={others.map((value) => ({ value, text: value === "" ? "without a version" : value }))}
        hint="It takes all requests that no route leads elsewhere; routes that name it go."
      />
    </ChangeDialog>
  );
}
