import type { TokenRevokeAnswer } from "../api-shapes.ts";
import { flag, operand, type RunCommand } from "../dw.ts";

/** Ends a token. */
export const run: RunCommand = async (dw, input) => {
  const id = operand(input, 0);
  const { revoked } = (await dw.client.delete(`/v1/tokens/${encodeURIComponent(id)}`)) as TokenRevokeAnswer;
  if (flag(input, "json")) return dw.output.json(revoked);
  dw.output.note(`token ${revoked.id} of role ${revoked.role} is revoked, and the links that used it have ended`);
};
