import { type ApiClient, endpoints } from "@datawire/api";
import { type Role, ROLES } from "@datawire/protocol";
import { useCallback, useState } from "react";
import { dwCommand } from "../../core/command.ts";
import { plural } from "../../core/format.ts";
import { ChangeDialog, type Outcome } from "../../parts/change-dialog.tsx";
import { ChoiceField, TextField } from "../../parts/field.tsx";

interface CreateDialogProps {
  /** Takes the secret, which is known this once. */
  readonly onSecret: (secret: string) => void;
  readonly onClose: () => void;
}

/** Makes a token. */
export function CreateDialog({ onSecret, onClose }: CreateDialogProps) {
  const [role, setRole] = useState<Role>("viewer");
  const [lifetime, setLifetime] = useState("");
  const expires = lifetime.trim();
  const change = useCallback(
    async (client: ApiClient, dryRun: boolean): Promise<Outcome> => {
      const made = await client.ask(endpoints.createToken, {
        body: { role, expires: expires === "" ? null : expires, dryRun },
      });
      if (made.token !== null) onSecret(made.token);
      const until = made.expires === null ? "it is revoked" : new Date(made.expires).toUTCString();
      return { text: `A token of the role ${made.role} that holds until ${until}.`, notes: made.notes };
    },
    [role, expires, onSecret],
  );
  return (
    <ChangeDialog
      title="Create token"
      confirm="Create"
      need="administer"
      command={dwCommand("token", "create", "--role", role, ...(expires === "" ? [] : ["--expires", expires]))}
      change={change}
      done="The token is created."
      onClose={onClose}
    >
      <ChoiceField label="Role" value={role} onChange={(value) => setRole(value as Role)} options={ROLES} />
      <TextField label="Ends after" value={lifetime} onChange={setLifetime} hint="Such as 90d; empty: never" />
    </ChangeDialog>
  );
}

/** Ends a token, and the links that use it. */
export function RevokeDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const change = useCallback(
    async (client: ApiClient, dryRun: boolean): Promise<Outcome> => {
      const query = dryRun ? { dryRun: "true" } : {};
      const {
        revoked,
        sessions = 0,
        notes,
      } = await client.ask(endpoints.revokeToken, { params: { token: id }, query });
      return {
        text: `Whoever uses ${id}, of the role ${revoked.role}, is refused within a second, and ${plural(sessions, "session")} of the console ${sessions === 1 ? "ends" : "end"} with it. This cannot be taken back.`,
        notes,
      };
    },
    [id],
  );
  return (
    <ChangeDialog
      title="Revoke"
      confirm="Revoke"
      need="administer"
      isAlert
      command={dwCommand("token", "revoke", id)}
      change={change}
      done={`The token ${id} is revoked.`}
      onClose={onClose}
    />
  );
}
