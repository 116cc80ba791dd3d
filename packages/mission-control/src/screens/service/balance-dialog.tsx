import { type ApiClient, endpoints } from "@datawire/api";
import { useCallback, useState } from "react";
import { dwCommand } from "../../core/command.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { ChoiceField } from "../../parts/field.tsx";
import type { ServiceFacts } from "./data.ts";

const POLICIES = ["round-robin", "random", "least-connections", "ordered", "consistent:path", "consistent:ip"];

interface BalanceDialogProps {
  readonly facts: ServiceFacts;
  readonly onClose: () => void;
}

/** Chooses how requests are spread over the instances of a share. */
export function BalanceDialog({ facts, onClose }: BalanceDialogProps) {
  const name = facts.service.service;
  const [before] = useState(facts.settings.balance ?? "round-robin");
  const [balance, setBalance] = useState(before);
  const anyCaller = facts.distributions.find(({ caller }) => caller === "*") ?? null;
  const change = useCallback(
    async (client: ApiClient, dryRun: boolean): Promise<Outcome> => {
      const answer = await client.ask(endpoints.setService, { params: { service: name }, body: { balance, dryRun } });
      // How a share is spread over its instances leaves the shares as they are.
      return { ...answer, text: `Within each share: ${answer.settings?.balance ?? balance}. The shares stay.` };
    },
    [name, balance],
  );
  const withShares = useCallback(
    async (client: ApiClient, dryRun: boolean) => ({ ...(await change(client, dryRun)), distribution: anyCaller }),
    // The shares of now, as far as they are the same ones: a preview each time they are read again would flicker.
    [change, JSON.stringify(anyCaller)],
  );
  const options = POLICIES.includes(before) ? POLICIES : [before, ...POLICIES];
  return (
    <ChangeDialog
      title="Set balance"
      confirm="Set balance"
      command={balance === before ? null : dwCommand("service", "set", `//${name}`, "--balance", balance)}
      change={withShares}
      done={`${name} is balanced by ${balance}.`}
      isUndoable
      onClose={onClose}
    >
      <ChoiceField
        label="Balance"
        value={balance}
        onChange={setBalance}
        options={options}
        hint="Policies by header or cookie, as in consistent:header:X-User, are set with dw."
      />
    </ChangeDialog>
  );
}
